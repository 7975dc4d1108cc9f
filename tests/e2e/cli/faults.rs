//! A start that cannot succeed: one line that names the place and the remedy, and an exit code that is not 0.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Output;

use crate::process::Installation;

/// Fails unless `output` is one line on standard error that holds every one of `words`, and the exit code is 1.
pub fn refused(output: &Output, words: &[&str]) {
    let text = String::from_utf8(output.stderr.clone()).unwrap();
    assert_eq!(output.status.code(), Some(1), "{text}");
    assert_eq!(text.lines().count(), 1, "more than one line:\n{text}");
    assert!(text.starts_with("yaopai: ") && !text.contains('\u{1b}'), "{text}");
    for word in words {
        assert!(text.contains(word), "`{word}` is not in: {text}");
    }
    assert!(output.stdout.is_empty());
}

/// `yaopai serve` with `text` as its configuration.
fn serve(text: impl Fn(&Installation) -> String) -> Output {
    let installation = Installation::new();
    installation.configure(&text(&installation));
    installation.run(&["serve"])
}

fn with(extra: &str) -> Output {
    serve(|installation| format!("{}\n{extra}", installation.smallest()))
}

#[test]
fn a_misspelt_key_is_named_with_its_line_and_the_right_word() {
    let misspelt = |from: &str, to: &str| serve(|installation| installation.smallest().replace(from, to));
    refused(
        &misspelt("listen", "lisetn"),
        &["yaopai.toml:3:1: unknown key `lisetn` in [server], did you mean `listen`?"],
    );
    refused(
        &misspelt("[policies]", "[polices]"),
        &["yaopai.toml:5:2: unknown key `polices`", "did you mean `policies`?"],
    );
    refused(&with("[session]\nidel = \"1h\""), &["unknown key `idel` in [session], did you mean `idle`?"]);
    refused(&misspelt("public_url", "# public_url"), &["yaopai.toml:1:1: the key `public_url` is missing in [server]"]);
    refused(&misspelt("\"127.0.0.1:", "\"127.0.0.1."), &["yaopai.toml:3:10: invalid socket address"]);
    refused(&misspelt("[server]", "[server"), &["yaopai.toml:1:"]);
}

#[test]
fn values_that_do_not_go_together_are_all_named() {
    let source = "[[source]]\nname = \"hr\"\nschedule = \"often\"\n[source.ldap]\nurl = \"ldap://127.0.0.1\"\n\
                  bind_dn = \"cn=reader\"\nbind_password = { value = \"x\" }\nbase_dn = \"dc=example\"\n[source.users]\n";
    refused(&with(source), &["source `hr`: schedule `often`", "clear text; use ldaps://, or starttls = true"]);
}

#[test]
fn a_missing_file_is_named() {
    let installation = Installation::new();
    refused(&installation.run(&["serve", "--config", "other.toml"]), &["`other.toml` cannot be read", "--config FILE"]);
    let certificate = "tls_cert_file = \"cert.pem\"\ntls_key_file = \"key.pem\"\n[policies]";
    let output = serve(|installation| installation.smallest().replace("[policies]", certificate));
    refused(&output, &["cert.pem", "must be PEM files"]);
    let policies = serve(|installation| installation.smallest().replace("/policies\"", "/policies-elsewhere\""));
    refused(&policies, &["policies-elsewhere", "policies.folder"]);
}

#[test]
fn a_port_in_use_is_named() {
    let installation = Installation::new();
    let _taken = std::net::TcpListener::bind(("127.0.0.1", installation.port)).unwrap();
    let address = format!("cannot listen on 127.0.0.1:{}", installation.port);
    refused(&installation.run(&["serve"]), &[&address, "set server.listen to another port"]);
}

/// Policies of one's own, to spoil.
pub fn copy_policies(ours: &Path, installation: &Installation) {
    std::fs::create_dir(installation.path("policies")).unwrap();
    for file in std::fs::read_dir(ours).unwrap() {
        let file = file.unwrap();
        std::fs::copy(file.path(), installation.path("policies").join(file.file_name())).unwrap();
    }
    installation.configure(&installation.smallest().replace(&*ours.to_string_lossy(), "policies"));
}

#[test]
fn a_policy_that_does_not_parse_is_named_with_its_line() {
    let installation = Installation::new();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    copy_policies(&ours, &installation);
    drop(installation.start());
    let policy = installation.path("policies/access.cedar");
    let lines = std::fs::read_to_string(&policy).unwrap().lines().count();
    std::fs::write(&policy, std::fs::read_to_string(&policy).unwrap() + "permit (principal action, resource);\n")
        .unwrap();
    refused(&installation.run(&["serve"]), &[&format!("access.cedar:{}:", lines + 1), "correct the policy"]);
}

#[test]
fn a_role_rule_that_does_not_parse_is_named_with_its_line() {
    let installation = Installation::new();
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("policies");
    copy_policies(&ours, &installation);
    let rules = "# who is what\n\n[[rule]]\nid = \"all\"\nrool = \"employee\"\n";
    std::fs::write(installation.path("policies/roles.toml"), rules).unwrap();
    refused(&installation.run(&["serve"]), &["roles.toml:5:1: unknown key `rool` in [[rule]], did you mean `role`?"]);
}

#[test]
fn a_weak_or_open_master_key_is_refused() {
    let installation = Installation::new();
    std::fs::create_dir(installation.path("data")).unwrap();
    let key = installation.path("data/master.key");
    let write = |text: &str, mode: u32| {
        std::fs::write(&key, text).unwrap();
        std::fs::set_permissions(&key, std::fs::Permissions::from_mode(mode)).unwrap();
    };
    write("changeme\n", 0o600);
    refused(&installation.run(&["serve"]), &["data/master.key` is weak or known", "remove the file"]);
    write("AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=", 0o600);
    refused(&installation.run(&["serve"]), &["weak or known"]);
    write("9Qk1h2o6u0Vt3l8cXbY7mZ5rWqE4sD1fG0hJ2kL3xCs=", 0o640);
    refused(&installation.run(&["serve"]), &["can be read by others: chmod 600 it"]);
}

#[test]
fn a_database_that_cannot_be_used_is_named() {
    refused(
        &with("[database]\nurl = \"mysql://localhost/x\""),
        &["database.url: `mysql://localhost/x` is not a database URL"],
    );
    refused(&with("[database]\nurl = \"sqlite://yaopai.toml\""), &["database.url"]);
    let nobody = format!("[database]\nurl = \"postgres://yaopai@127.0.0.1:{}/x\"", crate::process::free_port());
    refused(&with(&nobody), &["database.url: the database cannot be opened; is it running"]);
    let password = "[database]\nurl = \"postgres://yaopai@127.0.0.1/x\"\npassword = { file = \"nowhere\" }";
    refused(&with(password), &["database.password", "nowhere", "cannot be read"]);
}

#[test]
fn an_environment_variable_that_is_not_usable_is_named() {
    let installation = Installation::new();
    let output = installation.command(&["serve"]).env("YAOPAI_LISTEN", "everywhere").output().unwrap();
    refused(&output, &["YAOPAI_LISTEN (`everywhere`)", "invalid socket address"]);
}
