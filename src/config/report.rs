//! `[mail]` and `[[report]]`: who is told what came of a sync, by mail or webhook, when, in which languages.

use std::path::PathBuf;

use serde::Deserialize;
use url::Url;

use super::SecretRef;
use crate::text::Language;

/// How the connection to the mail server is protected.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum MailTls {
    /// TLS from the first byte (port 465).
    #[default]
    Implicit,
    /// STARTTLS, required (port 587).
    Starttls,
    /// None: for a server on this very machine.
    None,
}

/// `[mail]`: the server that sends reports.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct MailConfig {
    /// Host name; its certificate must be for it.
    pub host: String,
    /// Port; by `tls` when missing.
    pub port: Option<u16>,
    /// How the connection is protected.
    #[serde(default)]
    pub tls: MailTls,
    /// PEM file of certification authorities that are trusted besides the system's.
    pub ca_file: Option<PathBuf>,
    /// Who signs in; nobody when missing.
    pub user: Option<String>,
    /// With which password.
    pub password: Option<SecretRef>,
    /// Sender: `Yaopai <yaopai@example.com>`.
    pub from: String,
}

/// When a report is sent.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReportOn {
    /// After a run that was held or failed.
    #[default]
    Trouble,
    /// After every run that applied something, was held, or failed.
    EachRun,
    /// At the times of `schedule`, about what happened since the time before.
    Schedule,
}

/// `[[report]]`.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ReportConfig {
    /// Name, unique.
    pub name: String,
    /// Sources it is about; all when empty.
    #[serde(default)]
    pub sources: Vec<String>,
    /// When it is sent.
    #[serde(default)]
    pub on: ReportOn,
    /// Cron expression (five fields), for `on = "schedule"`.
    pub schedule: Option<String>,
    /// Zone of the schedule.
    #[serde(default = "default_zone")]
    pub time_zone: chrono_tz::Tz,
    /// Languages, one below the other.
    #[serde(default = "default_languages")]
    pub languages: Vec<Language>,
    /// Mail addresses.
    #[serde(default)]
    pub mail_to: Vec<String>,
    /// Address that is posted to: https, or http on loopback.
    pub webhook: Option<Url>,
    /// Secret of the webhook's signature (`webhook-signature`, HMAC-SHA-256).
    pub webhook_secret: Option<SecretRef>,
}

fn default_zone() -> chrono_tz::Tz {
    chrono_tz::Asia::Shanghai
}

fn default_languages() -> Vec<Language> {
    vec![Language::Zh, Language::En]
}

impl MailConfig {
    /// The port.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port.unwrap_or(match self.tls {
            MailTls::Implicit => 465,
            MailTls::Starttls => 587,
            MailTls::None => 25,
        })
    }

    pub(super) fn check(&self, problems: &mut Vec<String>) {
        let is_local = matches!(self.host.as_str(), "localhost" | "127.0.0.1" | "::1");
        if self.tls == MailTls::None && !is_local {
            problems
                .push("mail.tls is `none`: only for a server on this machine; use `implicit` or `starttls`".to_owned());
        }
        if self.user.is_some() != self.password.is_some() {
            problems.push("mail: user and password belong together".to_owned());
        }
    }
}

impl ReportConfig {
    pub(super) fn check(&self, has_mail: bool, sources: &[&str], problems: &mut Vec<String>) {
        let name = &self.name;
        if self.mail_to.is_empty() && self.webhook.is_none() {
            problems.push(format!("report `{name}` goes to nobody: write mail_to or webhook"));
        }
        if !self.mail_to.is_empty() && !has_mail {
            problems.push(format!("report `{name}` is to be mailed: say in [mail] by which server"));
        }
        if self.webhook.is_some() && self.webhook_secret.is_none() {
            problems.push(format!("report `{name}`: webhook_secret is missing: the receiver must know that it is us"));
        }
        if self.languages.is_empty() {
            problems.push(format!("report `{name}`: languages is empty: write \"zh-CN\", \"en\" or both"));
        }
        for source in self.sources.iter().filter(|source| !sources.contains(&source.as_str())) {
            problems.push(format!("report `{name}`: there is no source `{source}`"));
        }
        match (&self.schedule, self.on) {
            (None, ReportOn::Schedule) => problems.push(format!("report `{name}`: on = \"schedule\" needs a schedule")),
            (Some(expression), _) => {
                if let Err(error) = expression.parse::<croner::Cron>() {
                    problems.push(format!("report `{name}`: schedule `{expression}` is no cron expression: {error}"));
                }
            }
            (None, _) => {}
        }
    }
}
