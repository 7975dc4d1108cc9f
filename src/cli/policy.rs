//! `yaopai policy`: are the policies sound, and why is somebody let in or not.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context as _;
use serde_json::json;

use super::print;
use crate::access::{self, RoleRules};
use crate::broker::Broker;
use crate::config::Config;
use crate::model::Status;
use crate::policy::{
    Action, Context, Decision, Fault, Policies, PolicyError, Principal, Request, Resource, Standing, check_cases,
};
use crate::store::Tx;
use crate::text::{Language, fold};

/// Policies: check them, explain a decision.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Checks syntax, schema and cases; ends with 1 when anything is wrong.
    Check(CheckArgs),
    /// Says what policy answers, which policies determined it, and the facts they saw.
    Explain(Box<ExplainArgs>),
    /// Says who would gain or lose which role if the rules were others; nothing is written.
    Roles(super::what_if::Args),
    /// Lists who holds roles that do not go together; ends with 1 when somebody holds a pair that blocks.
    Sod(super::separation::Args),
}

/// Arguments of `policy check`.
#[derive(Debug, clap::Args)]
pub struct CheckArgs {
    /// The folder; that of the configuration when missing.
    #[arg(long)]
    folder: Option<PathBuf>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

/// Arguments of `policy explain`.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("who").required(true))]
pub struct ExplainArgs {
    /// A person, by login name.
    #[arg(long, group = "who")]
    user: Option<String>,
    /// A service, by client id.
    #[arg(long, group = "who")]
    application: Option<String>,
    /// A recovery administrator, by login name.
    #[arg(long, group = "who")]
    operator: Option<String>,
    /// `sign_in`, `call`, `exchange` or `administer`.
    #[arg(long)]
    action: Action,
    /// Such as `Application::"oa"`, `Route::"expense-api"`, `Console::"yaopai"`.
    #[arg(long)]
    resource: Resource,
    /// HTTP method of a call.
    #[arg(long)]
    method: Option<String>,
    /// Path of a call.
    #[arg(long)]
    path: Option<String>,
    /// A scope of the access token; may be given several times.
    #[arg(long = "scope")]
    scopes: Vec<String>,
    /// Client id that the access token was issued to, or that asks for an exchange.
    #[arg(long)]
    client: Option<String>,
    /// Who acts for them: `app:` and a client id.
    #[arg(long)]
    actor: Option<String>,
    /// Code of the department that the resource belongs to; a route's own when missing.
    #[arg(long)]
    department: Option<String>,
    /// Address of the caller.
    #[arg(long)]
    address: Option<IpAddr>,
    /// As JSON.
    #[arg(long)]
    json: bool,
}

pub(super) async fn run(config: &Path, command: Command, language: Language) -> anyhow::Result<ExitCode> {
    match command {
        Command::Check(args) => check(config, args),
        Command::Explain(args) => explain(&super::broker(config).await?, *args).await,
        Command::Roles(args) => super::what_if::run(&super::broker(config).await?, &args, language).await,
        Command::Sod(args) => super::separation::run(&super::broker(config).await?, &args, language).await,
    }
}

fn check(config: &Path, args: CheckArgs) -> anyhow::Result<ExitCode> {
    let folder = if let Some(folder) = args.folder {
        folder
    } else {
        let config = Config::load(config)?;
        config.resolve(&config.policies.folder)
    };
    // Role rules and pairs stand beside the policies.
    RoleRules::load(&folder)?;
    let (faults, cases, held) = match Policies::load(&folder) {
        Ok(policies) => {
            let report = check_cases(&folder, &policies)?;
            let held = report.results.iter().filter(|case| case.held).count();
            (report.faults, report.results.len(), held)
        }
        Err(PolicyError::Faults { faults, .. }) => (faults, 0, 0),
        Err(error) => return Err(error.into()),
    };
    if args.json {
        print(&format!("{:#}\n", json!({ "cases": cases, "held": held, "faults": faults })))?;
    } else {
        print(&check_text(&folder, &faults, cases, held))?;
    }
    Ok(if faults.is_empty() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn check_text(folder: &Path, faults: &[Fault], cases: usize, held: usize) -> String {
    let mut text = String::new();
    for fault in faults {
        let _ = writeln!(text, "{}", folder.join(fault.to_string()).display());
    }
    let verdict = if faults.is_empty() { "sound".to_owned() } else { format!("{} to put right", faults.len()) };
    let _ = writeln!(text, "policies in {}: {verdict}; {held} of {cases} cases hold", folder.display());
    text
}

async fn explain(broker: &Broker, args: ExplainArgs) -> anyhow::Result<ExitCode> {
    let mut tx = broker.db.read().await?;
    let (principal, note) = who(&mut tx, &args).await?;
    let note = match note {
        Some(note) => Some(note),
        None => missing(broker, &mut tx, &args.resource).await?,
    };
    let department = args.department.as_deref().or_else(|| match &args.resource {
        Resource::Route { name } => {
            broker.config.routes.iter().find(|route| route.name == *name)?.department.as_deref()
        }
        _ => None,
    });
    let departments = access::department_above(&mut tx, department).await?;
    drop(tx);
    let context = Context {
        departments,
        address: args.address,
        method: args.method,
        path: args.path,
        scopes: args.scopes.into_iter().collect(),
        client_id: args.client,
        actor: args.actor,
        ..Context::default()
    };
    let request = Request { principal, action: args.action, resource: args.resource, context };
    let mut decision = broker.policies.decide(&request);
    decision.allowed &= note.is_none();
    print(&if args.json {
        let policies = broker.policies.texts(&decision.policies);
        let answer = json!({ "decision": decision, "policies": policies, "asked": request, "note": note,
                             "version": broker.policies.version() });
        format!("{answer:#}\n")
    } else {
        explain_text(broker, &request, &decision, note.as_deref())
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Who is asked about, and why they get nothing whatever policy says.
async fn who(tx: &mut Tx, args: &ExplainArgs) -> anyhow::Result<(Principal, Option<String>)> {
    if let Some(login) = &args.user {
        let user = tx.users().find_by_login(&fold(login)).await?;
        let user = user.with_context(|| format!("there is nobody with the login name `{login}`"))?;
        let note = (user.status != Status::Active)
            .then(|| format!("{login} is {}: whatever policy says, they are let in nowhere", user.status));
        return Ok((access::principal(tx, &user).await?, note));
    }
    if let Some(id) = &args.application {
        let app = tx.applications().find(id).await?;
        let app = app.with_context(|| format!("there is no application `{id}`: see `yaopai app list`"))?;
        let note = (!app.enabled).then(|| format!("{id} is switched off: whatever policy says, it gets nothing"));
        return Ok((Principal::Application { id: app.id }, note));
    }
    let login = args.operator.as_deref().unwrap_or_default();
    let operator = tx.operators().find_by_login(&fold(login)).await?;
    let operator = operator.with_context(|| format!("there is no recovery administrator `{login}`"))?;
    Ok((Principal::Operator { login: operator.login }, None))
}

/// Says so when there is no such resource: a policy about everything would permit it, a misspelt one too.
async fn missing(broker: &Broker, tx: &mut Tx, resource: &Resource) -> anyhow::Result<Option<String>> {
    Ok(match resource {
        Resource::Application { id } => match tx.applications().find(id).await? {
            None => Some(format!("there is no application `{id}`: see `yaopai app list`")),
            Some(app) => {
                (!app.enabled).then(|| format!("{id} is switched off: whatever policy says, nobody is let in"))
            }
        },
        Resource::Route { name } => (!broker.config.routes.iter().any(|route| route.name == *name))
            .then(|| format!("there is no route `{name}` in the configuration")),
        Resource::Console => None,
    })
}

fn explain_text(broker: &Broker, request: &Request, decision: &Decision, note: Option<&str>) -> String {
    let mut text = String::new();
    let verdict = if decision.allowed { "allowed" } else { "denied" };
    let _ = writeln!(text, "{verdict}: {} on {}", request.action, request.resource);
    if let Some(note) = note {
        let _ = writeln!(text, "  {note}");
    }
    if decision.policies.is_empty() {
        let _ = writeln!(text, "\nno policy permits it, and what nothing permits is denied");
    }
    for policy in broker.policies.texts(&decision.policies) {
        let _ = writeln!(text, "\ndetermined by {} ({}:{})", policy.id, policy.file, policy.line);
        for line in policy.text.lines() {
            let _ = writeln!(text, "    {line}");
        }
    }
    for error in &decision.errors {
        let _ = writeln!(text, "\ncould not be evaluated: {error}");
    }
    let _ = writeln!(text, "\nfacts");
    for (name, value) in facts(request) {
        let _ = writeln!(text, "    {name:<16} {value}");
    }
    text
}

/// `expense-approver@QY-HD, clerk@QY-HN`.
fn scoped(standing: &Standing) -> String {
    let each = standing.scoped_roles.iter().flat_map(|(role, codes)| codes.iter().map(move |c| format!("{role}@{c}")));
    let all: Vec<String> = each.collect();
    if all.is_empty() { "none".to_owned() } else { all.join(", ") }
}

fn facts(request: &Request) -> Vec<(&'static str, String)> {
    let list = |values: &std::collections::BTreeSet<String>| {
        let values: Vec<&str> = values.iter().map(String::as_str).collect();
        if values.is_empty() { "none".to_owned() } else { values.join(", ") }
    };
    let mut facts = match &request.principal {
        Principal::User { id, login, employee_number, departments, position, groups, roles, standing } => vec![
            ("user", format!("{login} ({id})")),
            ("employee number", employee_number.clone().unwrap_or_else(|| "none".to_owned())),
            ("departments", list(departments)),
            ("position", position.clone().unwrap_or_else(|| "none".to_owned())),
            ("groups", list(groups)),
            ("roles", list(roles)),
            ("roles within", scoped(standing)),
            ("posts", list(&standing.posts)),
            ("heads", list(&standing.heads)),
            ("acts for", list(&standing.acts_for)),
        ],
        Principal::Application { id } => vec![("application", id.clone())],
        Principal::Operator { login } => vec![("operator", login.clone())],
    };
    let context = &request.context;
    if !context.departments.is_empty() {
        facts.push(("resource of", context.departments.join(" < ")));
    }
    let given = [
        ("address", context.address.map(|address| address.to_string())),
        ("method", context.method.clone()),
        ("path", context.path.clone()),
        ("client", context.client_id.clone()),
    ];
    facts.extend(given.into_iter().filter_map(|(name, value)| Some((name, value?))));
    if request.action == Action::Call {
        facts.push(("scopes", list(&context.scopes)));
    }
    facts
}
