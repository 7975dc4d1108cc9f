//! In what manner a run looked at its source, and how long leavers could still get in: sentences for people.

use crate::model::RunKind;
use crate::text::{Args, Language, message};

use super::report::{FullReason, RunReport};

/// Whether it was a full run, and why; what is left to one that follows. A sentence each; none of a full run that was meant.
#[must_use]
pub fn manner_text(report: &RunReport, language: Language) -> Vec<String> {
    let mut all = Vec::new();
    if report.kind != RunKind::Full {
        all.push(say(language, &format!("sync-kind-{}", report.kind), &[]));
    }
    if let Some(reason) = report.because {
        let mut text = why(reason, language);
        if let Some(refused) = &report.refused {
            text = format!("{text} ({})", refused.words(language));
        }
        all.push(say(language, "sync-full-because", &[("reason", text)]));
    }
    for reason in &report.full_follows {
        all.push(say(language, "sync-full-follows", &[("reason", why(*reason, language))]));
    }
    all
}

/// From the change at the source to the lock-out.
#[must_use]
pub fn lockout_text(report: &RunReport, language: Language) -> Option<String> {
    let times = report.lockout?;
    let seconds = |millis: i64| format!("{}.{}", millis / 1_000, millis % 1_000 / 100);
    let args = [
        ("people", times.people.to_string()),
        ("timed", times.timed.to_string()),
        ("longest", seconds(times.max_ms)),
        ("median", seconds(times.median_ms)),
    ];
    Some(say(language, "sync-lockout", &args))
}

fn why(reason: FullReason, language: Language) -> String {
    say(language, &format!("sync-full-{reason}"), &[])
}

/// A message with its arguments.
pub(super) fn say(language: Language, key: &str, args: &[(&str, String)]) -> String {
    let mut all = Args::new();
    for (name, value) in args {
        all.set(*name, value.clone());
    }
    message(language, key, &all)
}

#[cfg(test)]
mod tests {
    use super::{lockout_text, manner_text};
    use crate::model::{RunId, RunKind};
    use crate::sync::{FullReason, LockoutTimes, RunReport};
    use crate::text::Language;

    #[test]
    fn every_reason_is_said_in_both_languages() {
        let mut report = RunReport::new(RunId(uuid::Uuid::nil()), "hr", "cli", crate::time::Instant::default());
        assert!(manner_text(&report, Language::En).is_empty());
        assert_eq!(lockout_text(&report, Language::En), None);
        report.because = Some(FullReason::NoPosition);
        report.full_follows = FullReason::ALL.to_vec();
        report.lockout = Some(LockoutTimes { people: 3, timed: 2, max_ms: 4_250, median_ms: 900 });
        for kind in [RunKind::Incremental, RunKind::Live] {
            report.kind = kind;
            for language in Language::ALL {
                let lines = manner_text(&report, language);
                assert_eq!(lines.len(), 2 + FullReason::ALL.len());
                let time = lockout_text(&report, language).unwrap();
                assert!(time.contains("4.2") && time.contains("0.9"), "{time}");
                for line in lines.iter().chain([&time]) {
                    let is_chinese = line.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c));
                    assert_eq!(is_chinese, language == Language::Zh, "{line}");
                    assert!(!line.contains("sync-") && !line.contains('$'), "{line}");
                }
            }
        }
    }
}
