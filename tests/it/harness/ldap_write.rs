//! Writes to the directories of the tests, as their administrators do.

use std::io::Write as _;
use std::path::Path;
use std::process::{Command, Stdio};

/// Carries out change records (RFC 2849; a record without `changetype` adds).
pub fn change(url: &str, dn: &str, password: &str, ca_file: Option<&Path>, ldif: &str) {
    let mut command = Command::new("ldapmodify");
    command.args(["-a", "-x", "-H", url, "-D", dn, "-w", password]);
    if let Some(file) = ca_file {
        command.env("LDAPTLS_CACERT", file);
    }
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(ldif.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "ldapmodify: {}\n{ldif}", String::from_utf8_lossy(&output.stderr));
}
