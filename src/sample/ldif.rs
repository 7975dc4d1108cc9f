//! The company as LDIF (RFC 2849): values that are not plain ASCII in base64, lines folded at 76 characters, a comment
//! above each entry so that people can read it. No version line, which `slapadd` would take for an entry.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::company::Company;
use super::records::{Record, Records};
use super::{LOGINS, PASSWORD};

/// Columns of a line.
const WIDTH: usize = 76;

/// Text that grows entry by entry.
pub(super) struct Writer(pub String);

pub(super) fn write(company: &Company) -> String {
    let mut out = Writer(String::with_capacity(company.people.len() * 900));
    out.comment("An invented company, written by `yaopai demo-company`. Nobody in it exists.");
    for login in &LOGINS {
        let text = format!(
            "Sample login {} ({}{}, {}): {}",
            login.login, login.family_name, login.given_name, login.title, login.purpose
        );
        out.comment(&text);
    }
    out.comment(&format!("Their password is {PASSWORD}; the others have none."));
    let records = Records::of(company);
    out.entry(&records.suffix());
    for at in company.preorder() {
        records.unit(at).iter().for_each(|record| out.entry(record));
    }
    for person in &company.people {
        out.entry(&records.person(person));
    }
    out.entry(&records.holder());
    for group in &company.groups {
        out.entry(&records.group(group));
    }
    out.0
}

impl Writer {
    pub fn comment(&mut self, text: &str) {
        self.0.push_str("# ");
        self.0.push_str(text);
        self.0.push('\n');
    }

    fn entry(&mut self, record: &Record<'_>) {
        self.0.push('\n');
        self.comment(&record.title);
        self.value("dn", &record.dn);
        for (name, value) in &record.values {
            self.value(name, value);
        }
    }

    pub fn value(&mut self, name: &str, value: &str) {
        let line =
            if is_safe(value) { format!("{name}: {value}") } else { format!("{name}:: {}", STANDARD.encode(value)) };
        // Everything is ASCII here, so that a byte is a column. Continued lines lose one to the blank.
        let mut rest = line.as_str();
        let mut width = WIDTH;
        while let Some((head, tail)) = rest.split_at_checked(width).filter(|(_, tail)| !tail.is_empty()) {
            self.0.push_str(head);
            self.0.push_str("\n ");
            rest = tail;
            width = WIDTH - 1;
        }
        self.0.push_str(rest);
        self.0.push('\n');
    }
}

/// SAFE-STRING, and no blank at the end.
fn is_safe(value: &str) -> bool {
    !value.starts_with([' ', ':', '<'])
        && !value.ends_with(' ')
        && value.bytes().all(|byte| matches!(byte, 0x20..=0x7e))
}
