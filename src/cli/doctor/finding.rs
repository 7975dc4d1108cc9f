//! What was found, as a line for people and as an object for programs.

use std::fmt::{Display, Write as _};

use serde::Serialize;

/// How it stands with one thing.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// As it should be.
    Ok,
    /// Works, but somebody should look.
    Warning,
    /// Does not work.
    Failed,
}

impl State {
    fn word(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Warning => "warning",
            Self::Failed => "failed",
        }
    }
}

/// One thing that was looked at.
#[derive(Clone, PartialEq, Eq, Debug, Serialize)]
pub(super) struct Finding {
    /// What was looked at.
    pub(super) check: String,
    /// How it stands.
    pub(super) state: State,
    /// What was seen, one line.
    pub(super) message: String,
    /// What to do; nothing when it is as it should be, or when the message says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) remedy: Option<String>,
}

impl Finding {
    /// Something as it should be.
    pub(super) fn ok(check: &str, message: impl Display) -> Self {
        Self { check: check.to_owned(), state: State::Ok, message: one_line(&message), remedy: None }
    }

    /// Something that works, with what to do about it.
    pub(super) fn warning(check: &str, message: impl Display, remedy: &str) -> Self {
        Self { state: State::Warning, remedy: remedy_of(remedy), ..Self::ok(check, message) }
    }

    /// Something that does not work, with what to do about it.
    pub(super) fn failed(check: &str, message: impl Display, remedy: &str) -> Self {
        Self { state: State::Failed, remedy: remedy_of(remedy), ..Self::ok(check, message) }
    }
}

fn remedy_of(text: &str) -> Option<String> {
    (!text.is_empty()).then(|| text.to_owned())
}

fn one_line(text: &impl Display) -> String {
    format!("{text:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}

/// `ok       database  …`, one line each; the remedy on a line of its own below.
pub(super) fn lines(findings: &[Finding]) -> String {
    let width = findings.iter().map(|finding| finding.check.chars().count()).max().unwrap_or_default();
    let mut text = String::new();
    for Finding { check, state, message, remedy } in findings {
        let _ = writeln!(text, "{:<7}  {check:<width$}  {message}", state.word());
        if let Some(remedy) = remedy {
            let _ = writeln!(text, "{:<7}  {:<width$}  -> {remedy}", "", "");
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::{Finding, lines};

    #[test]
    fn a_line_says_state_check_message_and_remedy() {
        let findings = [Finding::ok("clock", "right"), Finding::failed("database", "gone\n  away", "start it")];
        let expected = "ok       clock     right\nfailed   database  gone away\n                   -> start it\n";
        assert_eq!(lines(&findings), expected);
    }
}
