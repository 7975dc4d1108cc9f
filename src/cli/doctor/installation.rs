//! What lies on the disk: the configuration, the master key, secrets in files, policies.

use std::path::Path;

use super::finding::Finding;
use crate::access::RoleRules;
use crate::cli::master;
use crate::config::{Config, MasterKeySource, SecretRef};
use crate::policy::Policies;
use crate::random::Rng;

pub(super) fn configuration(path: &Path, config: &Config) -> Finding {
    let counted = |number: usize, what: &str| format!("{number} {what}{}", if number == 1 { "" } else { "s" });
    let message = format!(
        "{}: {}, {}, {}",
        path.display(),
        counted(config.sources.len(), "source"),
        counted(config.applications.len(), "application"),
        counted(config.routes.len(), "route"),
    );
    if config.sources.is_empty() {
        let remedy = "add a [[source]], so that people can sign in";
        return Finding::warning("configuration", message, remedy);
    }
    Finding::ok("configuration", message)
}

/// Every secret that the configuration takes from elsewhere, beside the master key.
pub(super) fn secrets(config: &Config) -> Vec<Finding> {
    let mut findings = Vec::new();
    let applications =
        config.applications.iter().filter_map(|app| Some((format!("application {}", app.id), app.secret.as_ref()?)));
    let unreadable = applications.filter_map(|(check, secret)| {
        let why = secret.read(&config.folder).err()?;
        Some(Finding::failed(&check, why, "put the secret there, or correct `secret` of this [[application]]"))
    });
    findings.extend(unreadable);
    if config.applications.iter().any(|app| matches!(app.secret, Some(SecretRef::Value(_)))) {
        let message = "an application's secret stands in the configuration file itself";
        findings.push(Finding::warning(
            "secrets",
            message,
            "write secret = { file = \"…\" } and keep that file to its owner",
        ));
    }
    findings
}

/// Only looks: the key is made by the first start, not by a doctor. A program is asked, because only so it is known that
/// the next start will work.
pub(super) async fn master_key(config: &Config) -> Finding {
    let source = match config.secrets.master_key(&config.folder) {
        Ok(source) => source,
        Err(error) => return Finding::failed("master key", error, "set the variable, or name another"),
    };
    if let MasterKeySource::File(path) = &source
        && !path.exists()
    {
        return Finding::warning(
            "master key",
            format!("`{}` is not there yet", path.display()),
            "`yaopai serve` makes it at its first start",
        );
    }
    let place = match &source {
        MasterKeySource::File(path) => format!("`{}`, for its owner only", path.display()),
        MasterKeySource::Env(name, _) => format!("from the environment variable `{name}`"),
        MasterKeySource::Command(command, _) => format!("from the program `{}`", command.join(" ")),
    };
    match master::load(config, &Rng::system()).await {
        Ok(_) => Finding::ok("master key", place),
        Err(error) => Finding::failed("master key", format!("{error:#}"), ""),
    }
}

/// Cedar policies and role rules.
pub(super) fn policies(config: &Config) -> Vec<Finding> {
    let folder = config.resolve(&config.policies.folder);
    let policies = match Policies::load(&folder) {
        Ok(_) => Finding::ok(
            "policies",
            format!("`{}` can be used; `yaopai policy check` runs their cases", folder.display()),
        ),
        Err(error) => Finding::failed("policies", error, ""),
    };
    let rules = match RoleRules::load(&folder) {
        Ok(_) => Finding::ok("role rules", "can be used"),
        Err(error) => Finding::failed("role rules", error, ""),
    };
    vec![policies, rules]
}
