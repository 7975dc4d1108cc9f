//! Cases: what a set of policies is meant to answer, in `NAME.cases.toml` beside `NAME.cedar`.
//!
//! Every policy file has cases, and every policy decides at least one of them: a policy that no case reaches is a fault.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::path::Path;

use serde::{Deserialize, Serialize};
use toml::Spanned;

use super::fault::{Fault, PolicyError};
use super::load::{File, names, read_file};
use super::{Action, Context, Details, Policies, Principal, Request, Resource, Standing};

/// One case, run.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub struct CaseResult {
    /// File name.
    pub file: String,
    /// Name of the case.
    pub name: String,
    /// Whether the answer was the expected one.
    pub held: bool,
    /// The policies that determined the answer.
    pub policies: Vec<String>,
}

/// Every case of a folder, run.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
pub struct CaseReport {
    /// In the order of the files.
    pub results: Vec<CaseResult>,
    /// What did not hold, and what is missing.
    pub faults: Vec<Fault>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    #[serde(default)]
    case: Vec<Spanned<Case>>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    user: Option<String>,
    application: Option<String>,
    operator: Option<String>,
    employee_number: Option<String>,
    position: Option<String>,
    #[serde(default)]
    departments: BTreeSet<String>,
    #[serde(default)]
    groups: BTreeSet<String>,
    #[serde(default)]
    roles: BTreeSet<String>,
    /// Positions of concurrent assignments.
    #[serde(default)]
    posts: BTreeSet<String>,
    #[serde(default)]
    heads: BTreeSet<String>,
    #[serde(default)]
    acts_for: BTreeSet<String>,
    /// `{ expense-approver = ["QY-HD"] }`.
    #[serde(default)]
    scoped_roles: BTreeMap<String, BTreeSet<String>>,
    action: Action,
    resource: String,
    #[serde(default)]
    context: Circumstances,
    expect: Expected,
    /// The policies that must determine the answer; not looked at when missing.
    policies: Option<BTreeSet<String>>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Circumstances {
    address: Option<IpAddr>,
    method: Option<String>,
    path: Option<String>,
    scopes: BTreeSet<String>,
    client_id: Option<String>,
    actor: Option<String>,
    amr: BTreeSet<String>,
    /// The department of what is asked about, then those above it.
    departments: Vec<String>,
    authorization_details: Option<Box<Details>>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Expected {
    Allow,
    Deny,
}

/// Runs the cases in `folder` on `policies`.
///
/// # Errors
/// [`PolicyError::Read`]; what does not hold is in the report.
pub fn check_cases(folder: &Path, policies: &Policies) -> Result<CaseReport, PolicyError> {
    let mut report = CaseReport::default();
    let mut reached = BTreeSet::new();
    let files = names(folder, ".cases.toml")?;
    for name in &files {
        let file = read_file(folder, name)?;
        run_file(&file, policies, &mut report, &mut reached);
    }
    let known = policies.ids();
    for cedar in known.iter().map(|(_, file)| file).collect::<BTreeSet<_>>() {
        let wanted = format!("{}.cases.toml", cedar.trim_end_matches(".cedar"));
        if !files.contains(&wanted) {
            report.faults.push(Fault::of_file(cedar, "the file has no cases", format!("write `{wanted}` beside it")));
        }
    }
    for (id, file) in known.iter().filter(|(id, _)| !reached.contains(id)) {
        let remedy = "add a case in which it permits or forbids";
        report.faults.push(Fault::of_file(file, format!("the policy `{id}` decides no case"), remedy));
    }
    Ok(report)
}

fn run_file(file: &File, policies: &Policies, report: &mut CaseReport, reached: &mut BTreeSet<String>) {
    let cases: CaseFile = match toml::from_str(&file.text) {
        Ok(cases) => cases,
        Err(error) => {
            let offset = error.span().map_or(0, |span| span.start);
            let message = error.message().to_owned();
            report.faults.push(Fault::at(&file.name, &file.text, offset, message, "correct the case"));
            return;
        }
    };
    if cases.case.is_empty() {
        report.faults.push(Fault::of_file(&file.name, "there is no [[case]] in it", "write at least one"));
    }
    for spanned in cases.case {
        let (start, case) = (spanned.span().start, spanned.into_inner());
        let fault = |message: String, remedy: &str| Fault::at(&file.name, &file.text, start, message, remedy);
        let name = case.name.clone();
        let (expect, wanted) = (case.expect, case.policies.clone());
        let request = match case.request() {
            Ok(request) => request,
            Err(problem) => {
                report.faults.push(fault(format!("case `{name}`: {problem}"), "correct the case"));
                continue;
            }
        };
        let decision = policies.decide(&request);
        reached.extend(decision.policies.iter().cloned());
        let by = decision.policies.iter().cloned().collect::<BTreeSet<_>>();
        let answered = decision.allowed == (expect == Expected::Allow);
        let held = answered && wanted.as_ref().is_none_or(|wanted| *wanted == by);
        if !held {
            let is = if decision.allowed { "allowed" } else { "denied" };
            let by = if by.is_empty() { "no policy".to_owned() } else { by.into_iter().collect::<Vec<_>>().join(", ") };
            let errors = decision.errors.join("; ");
            let errors = if errors.is_empty() { errors } else { format!(" ({errors})") };
            let message = format!("case `{name}`: the answer is {is}, by {by}{errors}");
            report.faults.push(fault(message, "correct the policy, or the case if the answer is right"));
        }
        report.results.push(CaseResult { file: file.name.clone(), name, held, policies: decision.policies });
    }
}

impl Case {
    fn request(self) -> Result<Request, String> {
        let principal = match (self.user, self.application, self.operator) {
            (Some(login), None, None) => Principal::User {
                id: login.clone(),
                login,
                employee_number: self.employee_number,
                departments: self.departments,
                position: self.position,
                groups: self.groups,
                roles: self.roles,
                standing: Standing {
                    posts: self.posts,
                    heads: self.heads,
                    acts_for: self.acts_for,
                    scoped_roles: self.scoped_roles,
                },
            },
            (None, Some(id), None) => Principal::Application { id },
            (None, None, Some(login)) => Principal::Operator { login },
            _ => return Err("name exactly one of user, application and operator".to_owned()),
        };
        let resource: Resource = self.resource.parse()?;
        let context = Context {
            address: self.context.address,
            method: self.context.method,
            path: self.context.path,
            scopes: self.context.scopes,
            client_id: self.context.client_id,
            actor: self.context.actor,
            amr: self.context.amr,
            departments: self.context.departments,
            authorization_details: self.context.authorization_details,
        };
        Ok(Request { principal, action: self.action, resource, context })
    }
}
