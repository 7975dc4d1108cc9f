//! Findings: made from a code and arguments, with an English sentence for machines that keep only one.

use crate::model::{FindingArguments, FindingCode, NewFinding};
use crate::text::{Language, finding_words};

/// A finding, with its English sentence.
pub(super) fn finding(
    code: FindingCode,
    (external_id, dn): (&str, &str),
    arguments: FindingArguments,
    quarantined: bool,
) -> NewFinding {
    let details = finding_words(code.as_str(), &arguments, Language::En).details;
    NewFinding {
        code: code.to_string(),
        external_id: external_id.to_owned(),
        dn: dn.to_owned(),
        arguments,
        details,
        quarantined,
    }
}

/// Arguments of a finding.
pub(super) fn arguments<const N: usize>(named: [(&str, String); N]) -> FindingArguments {
    named.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
}

#[cfg(test)]
mod tests {
    use super::{arguments, finding};
    use crate::model::FindingCode;
    use crate::text::{Language, finding_words};

    /// Every argument that any code has.
    const ALL: [&str; 12] =
        ["attribute", "size", "limit", "first", "key", "value", "count", "manager", "reason", "rule", "role", "entry"];

    #[test]
    fn every_code_is_said_in_both_languages() {
        let all = ALL.map(|name| (name, format!("«{name}»")));
        for code in FindingCode::ALL {
            let found = finding(*code, ("id", "dn"), arguments(all.clone()), false);
            let words = Language::ALL.iter().map(|language| finding_words(&found.code, &found.arguments, *language));
            let [zh, en] = words.collect::<Vec<_>>().try_into().unwrap();
            assert_eq!(en.details, found.details);
            for (one, other) in [(&zh.kind, &en.kind), (&zh.details, &en.details), (&zh.remedy, &en.remedy)] {
                assert_ne!(one, other, "{code}");
                for text in [one, other] {
                    assert!(!text.starts_with("finding-") && !text.contains("{$"), "{code}: {text}");
                }
                assert!(one.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{code}: {one}");
            }
        }
    }

    #[test]
    fn sentences_agree_with_their_numbers_and_reasons() {
        let say = |code, name: &str, value: &str, language| {
            let found = finding(code, ("id", "dn"), arguments([(name, value.to_owned())]), false);
            finding_words(&found.code, &found.arguments, language).details
        };
        let one = say(FindingCode::UnknownMember, "count", "1", Language::En);
        assert!(one.starts_with("One member names"), "{one}");
        assert!(say(FindingCode::UnknownMember, "count", "64", Language::Zh).contains("64"));
        let absent = say(FindingCode::ProtectedLogin, "reason", "absent", Language::En);
        assert_ne!(absent, say(FindingCode::ProtectedLogin, "reason", "disabled", Language::En));
    }
}
