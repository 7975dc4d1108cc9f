//! Who plays in the demonstration: three people of the sample company.

/// Somebody of `deploy/demo/company.ldif`.
#[derive(Clone, Copy, Debug)]
pub struct Player {
    /// Login name.
    pub login: &'static str,
    /// Name as shown.
    pub name: &'static str,
}

/// An ordinary clerk, who leaves the company at the end.
pub const CLERK: Player = Player { login: "wang.fang", name: "王芳" };

/// Somebody with the role `expense-approver`.
pub const APPROVER: Player = Player { login: "liu.qiang", name: "刘强" };

/// The password of everybody in the sample company.
pub const PASSWORD: &str = "yaopai-demo";
