//! An invented Chinese company, the same for the same seed: for the demonstration, the tests and the measurements.
//!
//! `company` decides who works where, `names` what they are called, `records` what their entries hold, `ldif` writes it
//! down (RFC 2849) so that both Yaopai and `slapadd` load it; `course` lets time pass, `changes` says what it changed. Nobody in it exists: the domain is reserved (RFC 2606), eleven-digit mobile numbers
//! beginning with 140 are not given out.

mod changes;
mod company;
mod course;
mod ldif;
mod names;
mod records;
mod units;

use crate::random::Rng;

pub use course::Course;

/// The fewest people that fill the sample logins and their departments.
pub const MIN_PEOPLE: usize = 20;
/// Root of the sample directory.
pub const SUFFIX: &str = "dc=example,dc=com";
/// DN of the company, above all departments and people.
pub const COMPANY: &str = "ou=青屿集团,dc=example,dc=com";
/// DN above all groups.
pub const GROUPS: &str = "ou=groups,dc=example,dc=com";
/// Password of the five sample logins. It is written in the documentation: never sync this company in production.
pub const PASSWORD: &str = "Yaopai-demo-2026";

/// A person of the sample company who can sign in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SampleLogin {
    /// Login name.
    pub login: &'static str,
    /// Family name.
    pub family_name: &'static str,
    /// Given name.
    pub given_name: &'static str,
    /// Job title, which is also the position.
    pub title: &'static str,
    /// Code of the department.
    pub department: &'static str,
    /// What the person is there to show.
    pub purpose: &'static str,
}

/// A clerk who hands in and books expenses.
pub const CLERK: SampleLogin = SampleLogin {
    login: "li.fang",
    family_name: "李",
    given_name: "芳",
    title: "报销专员",
    department: "QY-HQ-FIN-2",
    purpose: "finance clerk",
};
/// The head of a department, member of `expense-approvers` through a nested group.
pub const APPROVER: SampleLogin = SampleLogin {
    login: "wang.jianguo",
    family_name: "王",
    given_name: "建国",
    title: "部门经理",
    department: "QY-HD-SAL",
    purpose: "expense approver",
};
/// A person of human resources.
pub const HR: SampleLogin = SampleLogin {
    login: "chen.jing",
    family_name: "陈",
    given_name: "静",
    title: "人事专员",
    department: "QY-HQ-HR",
    purpose: "human resources",
};
/// An administrator of systems.
pub const ADMIN: SampleLogin = SampleLogin {
    login: "zhao.lei",
    family_name: "赵",
    given_name: "磊",
    title: "系统管理员",
    department: "QY-HQ-IT-1",
    purpose: "administrator",
};
/// A person who is going to leave.
pub const LEAVER: SampleLogin = SampleLogin {
    login: "liu.yang",
    family_name: "刘",
    given_name: "洋",
    title: "销售代表",
    department: "QY-HD-SAL-1",
    purpose: "leaves during the demonstration",
};
/// Everybody who has a password.
pub const LOGINS: [SampleLogin; 5] = [CLERK, APPROVER, HR, ADMIN, LEAVER];

/// The company as LDIF content records: the suffix, departments (above before below), people, groups. At least
/// [`MIN_PEOPLE`]; the same text for the same arguments.
#[must_use]
pub fn ldif(people: usize, seed: u64) -> String {
    ldif::write(&company::Company::invent(people.max(MIN_PEOPLE), &Rng::seeded(seed)))
}
