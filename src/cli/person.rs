//! A person as text: who they are here, and why they have what they have.

use std::fmt::Write as _;

use chrono_tz::Tz;

use super::acting::days;
use crate::access::{Since, Why, WhyLine, WhyRole};
use crate::model::RunId;
use crate::sync::field_text;
use crate::text::{Language, padded, say};
use crate::time::Instant;

/// Columns of the names in front of the values.
const NAMES: usize = 17;

/// A person with everything that is said of them.
pub(super) struct Card<'a> {
    pub why: &'a Why,
    pub language: Language,
    pub zone: Tz,
}

/// `since 2026-12-01 02:00, run 01a2…`.
pub(super) fn since(language: Language, zone: Tz, at: Instant, run: Option<RunId>) -> String {
    let at = at.with_timezone(&zone).format("%Y-%m-%d %H:%M").to_string();
    match run {
        Some(run) => say(language, "why-since-run", &[("at", at.into()), ("run", run.to_string().into())]),
        None => say(language, "why-since", &[("at", at.into())]),
    }
}

/// A name and its value, where there is one.
fn line(text: &mut String, name: &str, value: Option<String>) {
    if let Some(value) = value.filter(|value| !value.is_empty()) {
        let _ = writeln!(text, "  {}{value}", padded(name, NAMES));
    }
}

impl Card<'_> {
    fn say(&self, key: &str, named: &[(&str, crate::text::Value<'_>)]) -> String {
        say(self.language, key, named)
    }

    /// `active`, `locked out (absent)`.
    fn status(&self) -> String {
        let user = &self.why.user;
        let status = self.say(&format!("user-status-{}", user.status), &[]);
        let Some(reason) = &user.status_reason else { return status };
        let words = self.say(&format!("user-reason-{reason}"), &[]);
        let words = if words.starts_with("user-reason-") { reason.clone() } else { words };
        self.say("user-status-why", &[("status", status.into()), ("why", words.into())])
    }

    fn since(&self, since: Option<&Since>) -> String {
        since.map(|of| self::since(self.language, self.zone, of.at, of.run_id)).unwrap_or_default()
    }

    /// `QY-HQ-FIN-2 报销组 < QY-HQ-FIN 财务部`, from the bottom up.
    fn departments(&self) -> String {
        let named = self.why.departments.iter().zip(&self.why.department_names);
        let all: Vec<String> =
            named.map(|(code, name)| if code == name { code.clone() } else { format!("{code} {name}") }).collect();
        all.join(" < ")
    }

    fn besides(&self, line: &WhyLine) -> (String, String) {
        let name = self.say(&format!("why-besides-{}", line.what), &[]);
        let position = line.position.as_ref().map(|position| format!(", {position}")).unwrap_or_default();
        let days = days(self.language, line.from, line.to);
        let days = if days.is_empty() { days } else { format!("  {days}") };
        let force = if line.in_force { String::new() } else { format!("  ({})", self.say("act-not-in-force", &[])) };
        (name, format!("{}{position}{days}{force}", line.value))
    }

    /// Attributes, department, groups, roles, status.
    pub fn show(&self) -> String {
        let (why, user) = (self.why, &self.why.user);
        let mut text = format!("{} {}\n", user.login, user.display_name);
        let field = |field: &str| field_text(field, self.language);
        let mut names: Vec<String> = why.roles.iter().map(WhyRole::shown).collect();
        names.dedup();
        let first = [
            (self.say("user-id", &[]), Some(user.id.to_string())),
            (field("status"), Some(self.status())),
            (self.say("user-since", &[]), Some(self.since(why.status_since.as_ref()))),
            (field("employee_number"), user.employee_number.clone()),
            (field("mail"), user.mail.clone()),
            (field("mobile"), user.mobile.clone()),
            (field("title"), user.title.clone()),
            (field("position_id"), why.position.clone()),
            (self.say("user-employed", &[]), Some(days(self.language, user.starts_on, user.ends_on))),
            (self.say("user-departments", &[]), Some(self.departments())),
            (field("manager_id"), why.manager.clone()),
            (field("cost_centre"), why.cost_centre.clone()),
            (field("legal_entity"), why.legal_entity.clone()),
            (self.say("person-groups", &[]), Some(why.groups.join(", "))),
            (self.say("user-roles", &[]), Some(names.join(", "))),
            (self.say("user-source", &[]), Some(user.source.clone())),
            (self.say("user-entry", &[]), why.link.as_ref().map(|link| link.dn.clone())),
        ];
        for (name, value) in first {
            line(&mut text, &name, value);
        }
        for beside in &why.organisation {
            let (name, value) = self.besides(beside);
            line(&mut text, &name, Some(value));
        }
        for (name, values) in &user.attributes.0 {
            line(&mut text, &field(&format!("attributes.{name}")), Some(values.join(", ")));
        }
        text
    }

    /// Which entry, rule and run gave what they have.
    pub fn reasons(&self) -> String {
        let (why, user) = (self.why, &self.why.user);
        let mut text = format!("{} {}: {}\n", user.login, user.display_name, self.status());
        line(&mut text, &field_text("status", self.language), Some(self.since(why.status_since.as_ref())));
        match &why.link {
            Some(link) => {
                let named = [("id", link.external_id.as_str().into()), ("source", link.source.as_str().into())];
                let run = self.say("why-run", &[("run", link.run_id.to_string().into())]);
                let value = format!("{}, {run}", self.say("why-entry", &named));
                line(&mut text, &self.say("user-entry", &[]), Some(value));
                line(&mut text, "", Some(link.dn.clone()));
            }
            None => line(&mut text, &self.say("user-entry", &[]), Some(self.say("why-no-entry", &[]))),
        }
        for link in why.entries.iter().filter(|link| why.link.as_ref() != Some(link)) {
            let named = [("id", link.external_id.as_str().into()), ("source", link.source.as_str().into())];
            let run = self.say("why-run", &[("run", link.run_id.to_string().into())]);
            line(&mut text, "", Some(format!("{}, {run}", self.say("why-adds", &named))));
        }
        let department = field_text("department_id", self.language);
        line(&mut text, &department, Some(self.departments()));
        line(&mut text, "", Some(self.since(why.department_since.as_ref())).filter(|_| !why.departments.is_empty()));
        for beside in &why.organisation {
            let (name, value) = self.besides(beside);
            line(&mut text, &name, Some(value));
        }
        for (field, source) in &why.masters {
            let from = self.say("why-from", &[("source", source.as_str().into())]);
            line(&mut text, &field_text(field, self.language), Some(from));
        }
        self.roles(&mut text);
        text
    }

    fn roles(&self, text: &mut String) {
        for role in &self.why.roles {
            let named = [("role", role.role.as_str().into()), ("rule", role.rule.as_str().into())];
            let within = match role.scope.as_str() {
                "" => String::new(),
                scope => format!(" · {}", self.say("why-within", &[("scope", scope.into())])),
            };
            let _ = writeln!(text, "  {}{within}", self.say("why-role", &named));
            if !role.acting_for.is_empty() {
                let _ =
                    writeln!(text, "    {}", self.say("why-acting", &[("whom", role.acting_for.join(", ").into())]));
            }
            let gone = || self.say("person-rule-gone", &[]);
            let _ = writeln!(text, "    {}", role.description.clone().unwrap_or_else(gone));
            let _ = writeln!(text, "    {}", self::since(self.language, self.zone, role.granted_at, role.run_id));
        }
        if self.why.roles.is_empty() {
            let _ = writeln!(text, "  {}", self.say("person-no-roles", &[]));
        }
    }
}
