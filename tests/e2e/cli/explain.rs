//! What is said of applications in plain words: check, preview, presets, test login.

use serde_json::{Value, json};

use super::{document, done};
use crate::browser::{LOGIN, hire};
use crate::process::{Installation, get};

const SECRET: &str = "a-secret-of-the-test-that-is-long-enough";

fn company() -> Installation {
    let installation = Installation::new();
    let text = format!(
        "{}\n[[application]]\nid = \"boards\"\npreset = \"grafana\"\nurl = \"https://boards.example/\"\n\
         secret = {{ value = \"{SECRET}\" }}\n[application.identity.claims]\nnumber = \"employee_number\"\n\
         cost = {{ attribute = \"cost_center\", into = [\"access_token\"] }}\n",
        installation.smallest()
    );
    installation.configure(&text);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().unwrap();
    runtime.block_on(hire(&installation.sqlite()));
    // What is declared is brought into the database when the broker starts.
    drop(installation.start());
    installation
}

/// What `app check` says of a request: levels and sentences.
fn checked(installation: &Installation, request: &str) -> (bool, Vec<(String, String)>) {
    let output = installation.run(&["app", "check", "boards", "--request", request, "--json"]);
    let found: Vec<Value> = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let found = found.iter().map(|one| (text(&one["level"]), text(&one["text"]))).collect();
    (output.status.success(), found)
}

#[test]
fn what_is_wrong_with_a_request_is_said_in_plain_words() {
    let installation = company();
    let endpoint = format!("http://127.0.0.1:{}/oauth2/authorize", installation.port);
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
    let good = format!(
        "{endpoint}?response_type=code&client_id=boards&scope=openid+profile&state=s&nonce=n&code_challenge={challenge}\
         &code_challenge_method=S256&redirect_uri=https%3A%2F%2Fboards.example%2Flogin%2Fgeneric_oauth"
    );
    let (is_good, found) = checked(&installation, &good);
    assert!(is_good && found.iter().all(|(level, _)| level != "fault"), "{found:?}");
    for (from, to, said) in [
        (
            "generic_oauth",
            "generic_oauth%2F",
            "redirect URI differs in the trailing slash: sent \
          `https://boards.example/login/generic_oauth/`, registered `https://boards.example/login/generic_oauth`",
        ),
        ("https%3A", "http%3A", "redirect URI differs in http and https"),
        ("boards.example", "evil.example", "redirect URI differs in the host"),
        (
            "redirect_uri=",
            "redirect_url=",
            "`redirect_url` is no parameter of the standard and is ignored: `redirect_uri` is",
        ),
        ("client_id=boards", "client_id=board", "client_id is `board`, and this application is `boards`"),
        ("/oauth2/authorize", "/authorize", "the authorization endpoint is `http://127.0.0.1"),
        ("S256", "plain", "only code_challenge_method=S256 is supported"),
        ("openid+profile", "openid+phone", "not granted: phone; this application may have: openid profile email"),
        ("response_type=code", "response_type=token", "unsupported_response_type"),
        ("nonce=n", "prompt=create", "prompt=create is not supported"),
    ] {
        let (is_good, found) = checked(&installation, &good.replace(from, to));
        assert!(found.iter().any(|(_, text)| text.contains(said)), "{to}: {found:?}");
        assert_eq!(is_good, said.starts_with("not granted"), "{to}: {found:?}");
    }
    assert!(!checked(&installation, "https://boards.example/").0);
    let plain = done(&installation, &["app", "check", "boards"]);
    assert!(plain.contains("nothing is wrong with application `boards`"), "{plain}");
}

#[test]
fn a_preview_says_what_a_persons_tokens_would_hold() {
    let installation = company();
    let shown = document(&installation, &["app", "preview", "boards", "--user", LOGIN, "--json"]);
    assert_eq!(shown["allowed"], true);
    assert_eq!(shown["scope"], "openid profile email offline_access roles");
    assert_eq!(shown["id_token"]["number"], "10042");
    assert_eq!(shown["id_token"]["acr"], "urn:yaopai:acr:password");
    assert_eq!(shown["id_token"]["sub"], shown["userinfo"]["sub"]);
    assert_eq!(shown["userinfo"]["preferred_username"], LOGIN);
    assert_eq!(shown["access_token"]["roles"], json!(["employee", "it-admin"]));
    assert!(shown["access_token"].get("cost").is_none(), "nobody has that attribute");
    let some = ["app", "preview", "boards", "--user", LOGIN, "--scope", "openid phone", "--json"];
    let some = document(&installation, &some);
    assert_eq!((&some["not_granted"], some["userinfo"].get("name")), (&json!(["phone"]), None));
    let text = done(&installation, &["app", "preview", "boards", "--user", LOGIN]);
    assert!(text.contains("policy lets them in  yes") && text.contains("\"number\": \"10042\""), "{text}");
    let nobody = installation.run(&["app", "preview", "boards", "--user", "nobody"]);
    assert!(String::from_utf8_lossy(&nobody.stderr).contains("nobody has the login name `nobody`"));
}

#[test]
fn presets_say_what_is_known_and_what_is_not() {
    let installation = Installation::new();
    let list = done(&installation, &["app", "presets"]);
    for (name, state) in [("grafana", "documented"), ("seeyon", "unconfirmed"), ("weaver-ecology9", "documented")] {
        assert!(list.lines().any(|line| line.starts_with(name) && line.contains(state)), "{list}");
    }
    assert!(!list.to_lowercase().contains("saml") && !list.contains("CAS"), "only what works");
    let added = done(&installation, &["app", "add", "git", "--preset", "gitlab", "--url", "https://git.example/"]);
    assert!(added.contains("https://git.example/users/auth/openid_connect/callback"), "{added}");
    assert!(added.contains(&format!("issuer: \"http://127.0.0.1:{}\"", installation.port)), "{added}");
    assert!(
        added.contains("identifier: \"git\"") && !added.contains('{'.to_string().as_str().repeat(2).as_str()),
        "{added}"
    );
    for (args, said) in [
        (&["app", "add", "x", "--preset", "nothing"][..], "there is no preset `nothing`"),
        (&["app", "add", "x", "--preset", "grafana"], "needs the address of Grafana: give it as url"),
        (&["app", "add", "x", "--preset", "hesi", "--url", "https://h.example"], "nobody knows the redirect URI"),
    ] {
        let output = installation.run(args);
        let error = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && error.contains(said), "{error}");
    }
}

#[test]
fn a_refusal_of_a_redirect_uri_tells_the_log_everything_and_the_page_little() {
    let installation = company();
    let running = installation.start();
    let page = |uri: &str| {
        let uri: String = url::form_urlencoded::byte_serialize(uri.as_bytes()).collect();
        let path = format!("/oauth2/authorize?client_id=boards&response_type=code&redirect_uri={uri}");
        get(installation.port, &path).unwrap()
    };
    let near = page("https://boards.example/login/generic_oauth/");
    assert!(near.contains("only in the slash at its end"), "{near}");
    assert!(!near.contains("boards.example"), "neither what was sent nor what is registered is on the page");
    let id = near.lines().find_map(|line| line.strip_prefix("x-request-id: ")).unwrap().trim().to_owned();
    let log = running.log();
    let line = log.lines().find(|line| line.contains(&id) && line.contains("a redirect URI is not registered"));
    let line = line.unwrap_or_else(|| panic!("{log}"));
    assert!(line.contains("https://boards.example/login/generic_oauth") && line.contains("trailing slash"), "{line}");
    // An address on another host, or at another path, is told nothing.
    for far in
        ["https://evil.example/login/generic_oauth", "https://boards.example/other", "https://evil.example/\r\nx"]
    {
        let page = page(far);
        assert!(!page.contains("differs") && !page.contains("boards.example"), "{page}");
    }
    assert!(running.log().lines().all(|line| line != "x"), "a line break of outside begins no line of the log");
}
