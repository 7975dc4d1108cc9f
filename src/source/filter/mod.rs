//! Search filters (RFC 4515), so that an LDIF file is filtered with the same text as an LDAP server.
//!
//! Values match without case (as `caseIgnoreMatch` does, by [`crate::text::fold`]); names of entries match as
//! distinguished names. An attribute that an entry lacks matches nothing, so `(!(a=b))` holds for it. Extensible
//! matches (`:=`) are for servers only: an evaluator without a schema would answer them wrongly.

mod parse;

use std::collections::BTreeMap;
use std::fmt;

use super::dn::Dn;
use crate::text::fold;

pub use parse::FilterError;

/// Attribute (lower case, no options) → values.
pub(super) type Values = BTreeMap<String, Vec<Vec<u8>>>;

/// A search filter.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Filter {
    /// All hold; `(&)` is true (RFC 4526).
    And(Vec<Filter>),
    /// One holds; `(|)` is false (RFC 4526).
    Or(Vec<Filter>),
    /// It does not hold.
    Not(Box<Filter>),
    /// The attribute has a value.
    Present(String),
    /// A value equals (also `~=`).
    Equal(String, Vec<u8>),
    /// A value sorts at or after.
    AtLeast(String, Vec<u8>),
    /// A value sorts at or before.
    AtMost(String, Vec<u8>),
    /// A value is made of these pieces in this order.
    Substrings {
        /// The attribute.
        attribute: String,
        /// How it begins.
        initial: Option<Vec<u8>>,
        /// What follows, in order.
        any: Vec<Vec<u8>>,
        /// How it ends.
        last: Option<Vec<u8>>,
    },
    /// A match by a rule that only a server knows (`attribute:rule:=value`), as it is written.
    Extensible(String),
}

impl Filter {
    /// Parses the text form.
    ///
    /// # Errors
    /// [`FilterError`], which names the place.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        parse::parse(text)
    }

    /// The attributes that decide whether it matches, lower case.
    pub(super) fn attributes(&self, found: &mut std::collections::BTreeSet<String>) {
        match self {
            Self::And(all) | Self::Or(all) => all.iter().for_each(|filter| filter.attributes(found)),
            Self::Not(filter) => filter.attributes(found),
            Self::Present(name) | Self::Equal(name, _) | Self::AtLeast(name, _) | Self::AtMost(name, _) => {
                found.insert(base_name(name));
            }
            Self::Substrings { attribute, .. } => {
                found.insert(base_name(attribute));
            }
            // `attribute:rule:=value`, or `:rule:=value`, which names none.
            Self::Extensible(text) => {
                let name = text.split(':').next().unwrap_or_default();
                if !name.is_empty() {
                    found.insert(base_name(name));
                }
            }
        }
    }

    /// Whether it can be evaluated here: it has no extensible match.
    #[must_use]
    pub fn is_evaluable(&self) -> bool {
        match self {
            Self::And(filters) | Self::Or(filters) => filters.iter().all(Self::is_evaluable),
            Self::Not(filter) => filter.is_evaluable(),
            Self::Extensible(_) => false,
            _ => true,
        }
    }

    /// Whether an entry with these attributes is found.
    pub(super) fn matches(&self, values: &Values) -> bool {
        let any_value = |attribute: &str, test: &dyn Fn(&[u8]) -> bool| {
            values.get(&base_name(attribute)).is_some_and(|list| list.iter().any(|value| test(value)))
        };
        match self {
            Self::And(all) => all.iter().all(|filter| filter.matches(values)),
            Self::Or(some) => some.iter().any(|filter| filter.matches(values)),
            Self::Not(filter) => !filter.matches(values),
            Self::Present(attribute) => any_value(attribute, &|_| true),
            Self::Equal(attribute, wanted) => any_value(attribute, &|value| equal(value, wanted)),
            Self::AtLeast(attribute, bound) => any_value(attribute, &|value| order(value, bound).is_ge()),
            Self::AtMost(attribute, bound) => any_value(attribute, &|value| order(value, bound).is_le()),
            Self::Substrings { attribute, initial, any, last } => {
                any_value(attribute, &|value| contains(value, initial.as_deref(), any, last.as_deref()))
            }
            Self::Extensible(_) => false,
        }
    }
}

/// The attribute's name without options, in lower case.
pub(super) fn base_name(description: &str) -> String {
    description.split(';').next().unwrap_or_default().to_ascii_lowercase()
}

fn text(bytes: &[u8]) -> Option<String> {
    std::str::from_utf8(bytes).ok().map(fold)
}

fn equal(value: &[u8], wanted: &[u8]) -> bool {
    // Most values, such as object classes, are plain ASCII: no need to fold those.
    let is_plain = |bytes: &[u8]| bytes.iter().all(u8::is_ascii_graphic);
    if value.eq_ignore_ascii_case(wanted) {
        return true;
    }
    if is_plain(value) && is_plain(wanted) && !wanted.contains(&b'=') {
        return false;
    }
    match (std::str::from_utf8(value), std::str::from_utf8(wanted)) {
        (Ok(value), Ok(wanted)) => {
            fold(value) == fold(wanted)
                || wanted.contains('=')
                    && matches!((Dn::parse(value), Dn::parse(wanted)), (Ok(one), Ok(other)) if one.key() == other.key())
        }
        _ => false,
    }
}

/// Numbers by size, everything else by folded text.
fn order(value: &[u8], bound: &[u8]) -> std::cmp::Ordering {
    match (text(value), text(bound)) {
        (Some(value), Some(bound)) => match (value.parse::<i64>(), bound.parse::<i64>()) {
            (Ok(value), Ok(bound)) => value.cmp(&bound),
            _ => value.cmp(&bound),
        },
        _ => value.cmp(bound),
    }
}

/// Substrings are folded piece by piece without trimming, so that blanks inside a piece count.
fn contains(value: &[u8], initial: Option<&[u8]>, any: &[Vec<u8>], last: Option<&[u8]>) -> bool {
    let Some(value) = text(value) else { return false };
    let mut rest = value.as_str();
    if let Some(initial) = initial {
        match piece(initial).and_then(|piece| rest.strip_prefix(piece.as_str())) {
            Some(after) => rest = after,
            None => return false,
        }
    }
    if let Some(last) = last {
        match piece(last).and_then(|piece| rest.strip_suffix(piece.as_str())) {
            Some(before) => rest = before,
            None => return false,
        }
    }
    any.iter().all(|wanted| {
        let found = piece(wanted).and_then(|piece| rest.split_once(piece.as_str()).map(|(_, after)| after));
        found.is_some_and(|after| {
            rest = after;
            true
        })
    })
}

/// A piece of a substring match: folded, with the blank at either end that [`fold`] would trim.
fn piece(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    let folded = fold(text);
    let blank = |is: bool| if is && !folded.is_empty() { " " } else { "" };
    let (before, after) = (blank(text.starts_with(char::is_whitespace)), blank(text.ends_with(char::is_whitespace)));
    Some(format!("{before}{folded}{after}"))
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |f: &mut fmt::Formatter<'_>, sign: &str, filters: &[Self]| {
            write!(f, "({sign}")?;
            filters.iter().try_for_each(|filter| filter.fmt(f))?;
            f.write_str(")")
        };
        match self {
            Self::And(all) => list(f, "&", all),
            Self::Or(some) => list(f, "|", some),
            Self::Not(filter) => write!(f, "(!{filter})"),
            Self::Present(attribute) => write!(f, "({attribute}=*)"),
            Self::Equal(attribute, value) => write!(f, "({attribute}={})", Escaped(value)),
            Self::AtLeast(attribute, value) => write!(f, "({attribute}>={})", Escaped(value)),
            Self::AtMost(attribute, value) => write!(f, "({attribute}<={})", Escaped(value)),
            Self::Substrings { attribute, initial, any, last } => {
                write!(f, "({attribute}={}*", Escaped(initial.as_deref().unwrap_or_default()))?;
                any.iter().try_for_each(|piece| write!(f, "{}*", Escaped(piece)))?;
                write!(f, "{})", Escaped(last.as_deref().unwrap_or_default()))
            }
            Self::Extensible(text) => write!(f, "({text})"),
        }
    }
}

/// A value as RFC 4515 section 3 writes it: `*`, `(`, `)`, `\`, NUL and all that is not ASCII as `\xx`.
struct Escaped<'a>(&'a [u8]);

impl fmt::Display for Escaped<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| match byte {
            b'*' | b'(' | b')' | b'\\' | 0 | 0x7f.. => write!(f, "\\{byte:02x}"),
            byte => write!(f, "{}", char::from(*byte)),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Filter, Values};

    fn filters() -> impl Strategy<Value = Filter> {
        let bytes = || proptest::collection::vec(any::<u8>(), 0..6);
        let some = || proptest::collection::vec(any::<u8>(), 1..6);
        let name = || "[a-z][a-zA-Z0-9-]{0,5}(;[a-z]{1,3})?";
        let leaf = prop_oneof![
            name().prop_map(Filter::Present),
            (name(), bytes()).prop_map(|(name, value)| Filter::Equal(name, value)),
            (name(), bytes()).prop_map(|(name, value)| Filter::AtLeast(name, value)),
            (name(), bytes()).prop_map(|(name, value)| Filter::AtMost(name, value)),
            (name(), some(), proptest::collection::vec(some(), 0..3), proptest::option::of(some())).prop_map(
                |(attribute, initial, any, last)| Filter::Substrings { attribute, initial: Some(initial), any, last }
            ),
        ];
        leaf.prop_recursive(4, 24, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::And),
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Filter::Or),
                inner.prop_map(|filter| Filter::Not(Box::new(filter))),
            ]
        })
    }

    proptest! {
        /// LDAP-055
        #[test]
        fn what_is_printed_parses_to_the_same(filter in filters()) {
            prop_assert_eq!(Filter::parse(&filter.to_string()).unwrap(), filter);
        }

        #[test]
        fn hostile_text_never_panics(text in "[(&|!)=*a><~:\\\\ \u{0}张]{0,40}") {
            let _ = Filter::parse(&text);
        }
    }

    fn entry(pairs: &[(&str, &str)]) -> Values {
        let mut values = Values::new();
        for (name, value) in pairs {
            values.entry((*name).to_owned()).or_default().push(value.as_bytes().to_vec());
        }
        values
    }

    #[test]
    fn entries_are_found_as_a_server_would() {
        let entry = entry(&[
            ("objectclass", "inetOrgPerson"),
            ("objectclass", "top"),
            ("cn", "张 伟 (Wei)"),
            ("uid", "zhang.wei"),
            ("employeenumber", "0100"),
            ("manager", "uid=li.fang,ou=财务部,dc=example,dc=com"),
        ]);
        for (text, found) in [
            ("(objectClass=inetorgperson)", true),
            ("objectClass=*", true),
            ("(&(objectClass=top)(!(employeeType=left)))", true),
            ("(|(uid=nobody)(uid=ZHANG.WEI))", true),
            ("(&)", true),
            ("(|)", false),
            ("(employeeType=*)", false),
            ("(uid=zhang*)", true),
            ("(uid=*ang*wei)", true),
            ("(uid=*wei*ang*)", false),
            ("(uid=zhang.wei*zhang.wei)", false),
            (r"(cn=*\28wei\29)", true),
            (r"(cn=\e5\bc\a0 *)", true),
            (r"(uid=\2a)", false),
            ("(employeeNumber>=99)", true),
            ("(employeeNumber<=99)", false),
            ("(uid~=zhang.wei)", true),
            ("(manager=UID=li.fang, ou=财务部,DC=example,dc=com)", true),
            ("( & (uid=zhang.wei) (cn=*) )", true),
        ] {
            assert_eq!(Filter::parse(text).unwrap().matches(&entry), found, "{text}");
        }
    }

    #[test]
    fn extensible_matches_are_left_to_servers() {
        let text = "(&(uid=a)(userAccountControl:1.2.840.113556.1.4.803:=2))";
        let filter = Filter::parse(text).unwrap();
        assert!(!filter.is_evaluable() && filter.to_string() == text);
    }

    #[test]
    fn malformed_filters_are_refused() {
        let deep = format!("{}(a=b){}", "(!".repeat(200), ")".repeat(200));
        for bad in [
            "",
            "(",
            "()",
            "(uid=a",
            "(uid=a))",
            "(uid)",
            "(=a)",
            "(&(a=b)",
            "(uid=a(b)",
            r"(uid=\2)",
            "(:=a)",
            "(a=b)(c=d)",
            "(!)",
            "(!(a=b)(c=d))",
            deep.as_str(),
            "(a>=*)",
        ] {
            assert!(Filter::parse(bad).is_err(), "{bad}");
        }
    }
}
