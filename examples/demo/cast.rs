//! Who plays in the demonstration: people of the sample company.

use yaopai::sample::{self, SampleLogin};

pub use yaopai::sample::PASSWORD;

/// Somebody with a browser.
#[derive(Clone, Debug)]
pub struct Player {
    /// Login name.
    pub login: &'static str,
    /// Name as shown.
    pub name: String,
    /// Job title.
    pub title: &'static str,
}

impl From<SampleLogin> for Player {
    fn from(person: SampleLogin) -> Self {
        let name = format!("{}{}", person.family_name, person.given_name);
        Self { login: person.login, name, title: person.title }
    }
}

/// A clerk: signs in, and may not approve.
pub fn clerk() -> Player {
    sample::CLERK.into()
}

/// A head of department with the role `expense-approver`.
pub fn approver() -> Player {
    sample::APPROVER.into()
}

/// Somebody who leaves the company.
pub fn leaver() -> Player {
    sample::LEAVER.into()
}
