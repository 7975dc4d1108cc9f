//! `yaopai app` beside a broker that runs: what is changed counts without a restart, and secrets are shown once.

#![expect(clippy::indexing_slicing, reason = "a JSON value that lacks a key gives null")]

use serde_json::{Value, json};

use super::faults::refused;
use super::{ask, document, done, field, misused, nowhere_in, soon, token};
use crate::process::Installation;

/// A service made on the command line; gives its secret.
fn service(installation: &Installation, id: &str) -> String {
    let made = document(installation, &["app", "add", id, "--grant", "client_credentials", "--json"]);
    assert_eq!(made["client_id"], id);
    made["client_secret"].as_str().unwrap().to_owned()
}

/// OAUTH-053, WEB-057
#[test]
fn a_secret_is_shown_once_and_kept_nowhere() {
    let installation = Installation::new();
    let broker = installation.start();
    let (port, arguments) = (installation.port, ["--grant", "client_credentials", "--scope", "report:read"]);
    assert_eq!(token(port, ("reports", "a-secret-of-nobody")).0, 401);
    let made = done(&installation, &[&["app", "add", "reports", "--name", "报表"], &arguments[..]].concat());
    assert_eq!(field(&made, "name"), "报表");
    assert!(made.contains("The secret is not shown again"), "{made}");
    let first = field(&made, "client_secret").to_owned();
    assert!(first.len() >= 32, "{first}");
    let (_, issued) = soon(|| token(port, ("reports", &first)), |(status, _)| *status == 200);
    assert_eq!(issued["scope"], "report:read");

    let rotated = done(&installation, &["app", "rotate-secret", "reports"]);
    let second = field(&rotated, "client_secret").to_owned();
    assert_ne!(first, second);
    soon(|| token(port, ("reports", &first)), |(status, answer)| *status == 401 && answer["error"] == "invalid_client");
    assert_eq!(token(port, ("reports", &second)).0, 200);
    let third = document(&installation, &["app", "rotate-secret", "reports", "--json"]);
    let third = third["client_secret"].as_str().unwrap();
    soon(|| token(port, ("reports", third)), |(status, _)| *status == 200);

    let access = issued["access_token"].as_str().unwrap();
    let secrets = [&first, &second, third, access];
    let export = done(&installation, &["audit", "export"]);
    for text in [
        done(&installation, &["app", "show", "reports"]),
        done(&installation, &["app", "show", "reports", "--json"]),
        done(&installation, &["app", "list", "--json"]),
        done(&installation, &["audit", "list", "--json"]),
        export.clone(),
        broker.log(),
    ] {
        assert!(secrets.iter().all(|secret| !text.contains(*secret)), "{text}");
        assert!(!text.contains("secret_hash"), "{text}");
    }
    nowhere_in(&installation.path("data"), &secrets);
    let changes: Vec<Value> = export
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .filter(|row| row["subject"] == "app:reports" && row["action"] == "application_admin")
        .map(|row| serde_json::from_str::<Value>(row["details"].as_str().unwrap()).unwrap()["change"].clone())
        .collect();
    assert_eq!(changes, [json!("added"), json!("secret rotated"), json!("secret rotated")]);
}

/// What an application got dies with it, in a broker that runs.
#[test]
fn a_removed_application_is_gone_with_its_tokens() {
    let installation = Installation::new();
    let _broker = installation.start();
    let port = installation.port;
    let (secret, other) = (service(&installation, "reports"), service(&installation, "watcher"));
    let issued = soon(|| token(port, ("reports", &secret)), |(status, _)| *status == 200).1;
    let form = format!("token={}", issued["access_token"].as_str().unwrap());
    let introspect = || ask(port, "/oauth2/introspect", ("watcher", &other), &form).1;
    assert_eq!(introspect()["active"], true);
    let removed = done(&installation, &["app", "remove", "reports"]);
    assert!(removed.starts_with("application `reports` removed; "), "{removed}");
    soon(|| token(port, ("reports", &secret)), |(status, _)| *status == 401);
    assert_eq!(soon(introspect, |answer| answer["active"] == false), json!({ "active": false }));
    refused(&installation.run(&["app", "show", "reports"]), &["there is no application `reports`"]);
    let again = service(&installation, "reports");
    assert_ne!(again, secret);
    soon(|| token(port, ("reports", &again)), |(status, _)| *status == 200);
    assert_eq!(token(port, ("reports", &secret)).0, 401, "the secret of the one before");
    let removed = document(&installation, &["app", "remove", "reports", "--json"]);
    assert_eq!(removed["client_id"], "reports");
}

#[test]
fn applications_are_listed_and_shown() {
    let installation = Installation::new();
    assert_eq!(document(&installation, &["app", "list", "--json"]), json!([]));
    let add = [
        "app",
        "add",
        "oa",
        "--redirect-uri",
        "https://oa.example/cb",
        "--post-logout-redirect-uri",
        "https://oa.example/bye",
        "--launch-url",
        "https://oa.example/",
        "--description",
        "审批",
        "--audience",
        "https://api.example",
        "--algorithm",
        "RS256",
    ];
    done(&installation, &add);
    let native = ["app", "add", "phone", "--auth-method", "none", "--redirect-uri", "com.example.phone:/cb"];
    let made = done(&installation, &native);
    assert!(made.contains("A public application has no secret") && !made.contains("client_secret "), "{made}");
    let shown = done(&installation, &["app", "show", "oa"]);
    for (name, value) in [
        ("client_id", "oa"),
        ("auth_method", "client_secret_basic"),
        ("grants", "authorization_code refresh_token"),
        ("redirect_uris", "https://oa.example/cb"),
        ("after_logout", "https://oa.example/bye"),
        ("launch_url", "https://oa.example/"),
        ("audience", "https://api.example"),
        ("algorithm", "RS256"),
        ("pkce", "required"),
        ("origin", "made with `yaopai app add`"),
    ] {
        assert_eq!(field(&shown, name), value);
    }
    let listed = done(&installation, &["app", "list"]);
    assert!(listed.starts_with("ID ") && listed.lines().count() == 3, "{listed}");
    let shown = document(&installation, &["app", "show", "oa", "--json"]);
    assert_eq!(shown["settings"]["signing_algorithm"], "RS256");
    assert_eq!(shown["settings"]["description"], "审批");
}

/// OAUTH-002, OAUTH-005, OAUTH-006
#[test]
fn what_may_not_be_registered_is_refused_with_the_reason() {
    let installation = Installation::new();
    let add = |more: &[&str]| installation.run(&[&["app", "add", "oa"], more].concat());
    for (uri, why) in [
        ("http://example.com/cb", "is plain http"),
        ("https://*.example.com/cb", "holds a wildcard"),
        ("https://example.com/.*", "holds a wildcard"),
        ("https://example.com/cb#top", "holds a fragment"),
        ("https://example.com/a/../cb", "segments"),
        ("https://user@example.com/cb", "holds a user name"),
        ("javascript:alert(1)", "must begin with https://"),
        ("com.example.app:/cb", "only a native app"),
        ("/cb", "is no absolute URI"),
    ] {
        refused(&add(&["--redirect-uri", uri]), &["redirect URI", uri, why]);
        let after = ["--redirect-uri", "https://example.com/cb", "--post-logout-redirect-uri", uri];
        refused(&add(&after), &[uri, why]);
    }
    refused(&add(&[]), &["needs a redirect URI: --redirect-uri"]);
    refused(&installation.run(&["app", "add", "o a", "--redirect-uri", "https://example.com/cb"]), &["`o a` is no"]);
    refused(&add(&["--grant", "client_credentials", "--scope", "a b"]), &["`a b` is no scope"]);
    refused(&add(&["--grant", "client_credentials", "--auth-method", "none"]), &["public application"]);
    refused(
        &add(&["--redirect-uri", "https://example.com/cb", "--launch-url", "javascript:alert(1)"]),
        &["launch URL `javascript:alert(1)`", "https://"],
    );
    misused(&add(&["--grant", "password"]), &["password", "client_credentials"]);
    misused(&add(&["--auth-method", "trust"]), &["trust"]);
    misused(&add(&["--algorithm", "none"]), &["none"]);
    assert_eq!(document(&installation, &["app", "list", "--json"]), json!([]), "something was made");
}

#[test]
fn an_application_that_is_not_there_or_not_ours_to_change_is_named() {
    let installation = Installation::new();
    for command in ["show", "rotate-secret", "remove"] {
        let words = ["there is no application `nobody`: see `yaopai app list`"];
        refused(&installation.run(&["app", command, "nobody"]), &words);
    }
    done(&installation, &["app", "add", "phone", "--auth-method", "none", "--redirect-uri", "com.example.phone:/cb"]);
    refused(&installation.run(&["app", "rotate-secret", "phone"]), &["application `phone` has no secret"]);
    let twice = installation.run(&["app", "add", "phone", "--grant", "client_credentials"]);
    refused(&twice, &["there is an application `phone` already"]);
    let declared = "[[application]]\nid = \"oa\"\nsecret = { value = \"a-secret-of-the-test-that-is-long-enough\" }\n\
                    redirect_uris = [\"https://oa.example/cb\"]\n";
    installation.configure(&format!("{}\n{declared}", installation.smallest()));
    let _broker = installation.start();
    for command in ["rotate-secret", "remove"] {
        refused(&installation.run(&["app", command, "oa"]), &["application `oa` is declared in the configuration"]);
    }
    assert_eq!(field(&done(&installation, &["app", "show", "oa"]), "origin"), "declared in the configuration");
}

/// What a file may say.
const PAY: &str = r#"
name = "Pay"
auth_method = "client_secret_jwt"
redirect_uris = ["https://pay.example/cb"]
post_logout_redirect_uris = ["https://pay.example/bye"]
grant_types = ["authorization_code", "refresh_token"]
scopes = ["openid", "pay"]
audience = ["https://api.pay.example"]
signing_algorithm = "EdDSA"
access_token_lifetime = "90s"
[request]
resources = ["https://api.pay.example/"]
[request.authorization_details.payment]
actions = ["initiate"]
[identity]
consent = "once"
claims = { staff = "employee_number" }
[proof]
dpop_bound_access_tokens = true
[tokens]
format = "opaque"
[grants]
may_act = "desk"
[logout]
backchannel_logout_uri = "https://pay.example/logout"
"#;

/// Every key of a declared application can be given to one that is made at run time.
#[test]
fn an_application_is_made_as_a_file_describes_it() {
    let installation = Installation::new();
    let file = installation.path("pay.toml");
    std::fs::write(&file, PAY).unwrap();
    let path = file.to_str().unwrap();
    let made = document(&installation, &["app", "add", "pay", "--file", path, "--json"]);
    assert!(made["client_secret"].as_str().unwrap().len() >= 43, "{made}");
    let shown = document(&installation, &["app", "show", "pay", "--json"]);
    let settings = &shown["settings"];
    for (at, value) in [
        ("/audience/0", json!("https://api.pay.example")),
        ("/signing_algorithm", json!("EdDSA")),
        ("/access_token_seconds", json!(90)),
        ("/request/resources/0", json!("https://api.pay.example/")),
        ("/request/authorization_details/payment/actions/0", json!("initiate")),
        ("/identity/consent", json!("once")),
        ("/identity/claims/staff/from", json!("employee_number")),
        ("/proof/dpop_bound_access_tokens", json!(true)),
        ("/tokens/format", json!("opaque")),
        ("/grants/may_act", json!("desk")),
        ("/logout/backchannel_logout_uri", json!("https://pay.example/logout")),
    ] {
        assert_eq!(settings.pointer(at), Some(&value), "{at}: {shown}");
    }
    for (wrong, parts) in [
        ("nmae = \"x\"", ["pay.toml", "unknown field `nmae`"]),
        ("secret = { value = \"0123456789abcdef\" }", ["pay.toml", "a secret is made"]),
        ("id = \"other\"", ["pay.toml", "keep one"]),
        ("redirect_uris = [\"http://pay.example/cb\"]", ["redirect URI", "pay.example"]),
    ] {
        std::fs::write(&file, wrong).unwrap();
        refused(&installation.run(&["app", "add", "other-pay", "--file", path]), &parts);
    }
}

#[test]
fn what_the_command_line_says_goes_before_the_file() {
    let installation = Installation::new();
    let file = installation.path("pay.toml");
    let path = file.to_str().unwrap();
    std::fs::write(&file, PAY).unwrap();
    let more = ["--scope", "openid", "--set", "tokens.format=jwt", "--name", "Pay again", "--refresh-idle", "2h"];
    let more = [&["app", "add", "pay2", "--file", path], &more[..], &["--claim", "unit=department"]].concat();
    done(&installation, &more);
    let shown = document(&installation, &["app", "show", "pay2", "--json"]);
    assert_eq!((&shown["name"], &shown["settings"]["scopes"]), (&json!("Pay again"), &json!(["openid"])));
    assert_eq!(shown["settings"]["tokens"]["format"], "jwt");
    let claims = shown["settings"]["identity"]["claims"].as_object().unwrap();
    assert_eq!(claims.keys().collect::<Vec<_>>(), ["staff", "unit"]);
    let words = done(&installation, &["app", "show", "pay2"]);
    for (name, value) in [
        ("binding", "its tokens are bound to a key (DPoP)"),
        ("consent", "people are asked once, and again when it wants more"),
        ("claims", "staff (employee_number), unit (department)"),
        ("access_tokens", "JWT, for 90s"),
        ("refresh", "idle 2h, in all as for all ([oidc]); codes as for all ([oidc])"),
        ("acts_for", "`desk` alone may act for people with its tokens"),
        ("told_of_end", "by a logout token at https://pay.example/logout"),
        ("requests", "`code`; may name https://api.pay.example/; authorization details: payment"),
    ] {
        assert_eq!(field(&words, name), value, "{words}");
    }
}
