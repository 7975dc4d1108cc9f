//! Distinguished names: parsed, printed and compared as RFC 4514 says.
//!
//! Two names are equal when their [`Dn::normalized`] forms are: attribute types by short name, values folded
//! ([`crate::text::fold`]), the parts of a multi-valued RDN sorted. The rule is stricter than a schema would be
//! nowhere and laxer only for attributes that distinguish case, which do not name people in practice.

mod parse;

use std::fmt;
use std::str::FromStr;

use crate::text::{fold, is_settled};

pub use parse::DnError;

/// A distinguished name: relative names from the entry up to the root. The empty name is the root.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Dn(pub Vec<Rdn>);

/// A relative name: usually one part, several in `cn=a+uid=b`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Rdn(pub Vec<Part>);

/// One `type=value`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Part {
    /// Attribute type in lower case; the short name where RFC 4514 section 3 lists one for the OID.
    pub kind: String,
    /// The value without escapes.
    pub value: PartValue,
}

/// The value of a part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub enum PartValue {
    /// Text.
    Text(String),
    /// BER that is no string (`#04…`), as it is.
    Ber(Vec<u8>),
}

impl Dn {
    /// Parses the text form.
    ///
    /// # Errors
    /// [`DnError`], which names the place.
    pub fn parse(text: &str) -> Result<Self, DnError> {
        parse::parse(text)
    }

    /// The name of the entry above; none for the root.
    #[must_use]
    pub fn parent(&self) -> Option<Self> {
        self.0.split_first().map(|(_, above)| Self(above.to_vec()))
    }

    /// The form that is compared: equal names have equal normalized forms.
    #[must_use]
    pub fn normalized(&self) -> Self {
        Self(self.0.iter().map(Rdn::normalized).collect())
    }

    /// The normalized form as text: a key for maps.
    #[must_use]
    pub fn key(&self) -> String {
        self.normalized().to_string()
    }

    /// The normalized form from the root down, as text (`dc=com,dc=example,ou=sales,uid=a`): a key like [`Dn::key`], and
    /// everything below a name begins with its path and a comma.
    #[must_use]
    pub fn path(&self) -> String {
        let mut path = String::new();
        for rdn in self.0.iter().rev() {
            if !path.is_empty() {
                path.push(',');
            }
            path.push_str(&rdn.normalized().to_string());
        }
        path
    }

    /// Whether this name is `base` or below it. Both must be normalized.
    #[must_use]
    pub fn is_within(&self, base: &Self) -> bool {
        self.0.ends_with(&base.0)
    }

    /// Value of the first part of the entry's own relative name.
    #[must_use]
    pub fn leaf(&self) -> Option<&str> {
        match &self.0.first()?.0.first()?.value {
            PartValue::Text(text) => Some(text),
            PartValue::Ber(_) => None,
        }
    }
}

/// Types by the names that [`Dn::path`] prints.
const SHORT: [&str; 9] = ["cn", "ou", "uid", "dc", "o", "l", "st", "c", "sn"];

/// [`Dn::path`] of a name as text. Most names of a directory have nothing to be taken apart, unescaped or folded.
///
/// # Errors
/// [`DnError`], which names the place.
pub fn path_of(text: &str) -> Result<String, DnError> {
    plain_path(text).map_or_else(|| Dn::parse(text).map(|dn| dn.path()), Ok)
}

fn plain_path(text: &str) -> Option<String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b',' | b'=');
    if !is_settled(text) || !text.bytes().all(|byte| !byte.is_ascii() || is_plain(byte)) {
        return None;
    }
    let mut path = String::with_capacity(text.len());
    for rdn in text.rsplit(',') {
        let (kind, value) = rdn.split_once('=')?;
        if value.is_empty() || value.contains('=') || !SHORT.iter().any(|short| kind.eq_ignore_ascii_case(short)) {
            return None;
        }
        if !path.is_empty() {
            path.push(',');
        }
        path.push_str(rdn);
    }
    path.make_ascii_lowercase();
    Some(path)
}

/// The path of the entry above that of [`Dn::path`]; none for the topmost.
#[must_use]
pub fn path_above(path: &str) -> Option<&str> {
    let mut rest = path;
    while let Some((above, _)) = rest.rsplit_once(',') {
        let escapes = above.len() - above.trim_end_matches('\\').len();
        if escapes % 2 == 0 {
            return Some(above);
        }
        rest = above;
    }
    None
}

impl Rdn {
    fn normalized(&self) -> Self {
        let mut parts: Vec<Part> = self.0.iter().map(Part::normalized).collect();
        parts.sort();
        parts.dedup();
        Self(parts)
    }
}

impl Part {
    fn normalized(&self) -> Self {
        let value = match &self.value {
            PartValue::Text(text) => PartValue::Text(fold(text)),
            PartValue::Ber(bytes) => PartValue::Ber(bytes.clone()),
        };
        Self { kind: self.kind.to_ascii_lowercase(), value }
    }
}

impl FromStr for Dn {
    type Err = DnError;
    fn from_str(text: &str) -> Result<Self, DnError> {
        Self::parse(text)
    }
}

impl fmt::Display for Dn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, rdn) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str(",")?;
            }
            rdn.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Rdn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, part) in self.0.iter().enumerate() {
            if n > 0 {
                f.write_str("+")?;
            }
            part.fmt(f)?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}=", self.kind)?;
        match &self.value {
            PartValue::Text(text) => escape(text, f),
            PartValue::Ber(bytes) => {
                f.write_str("#")?;
                bytes.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }
    }
}

/// RFC 4514 section 2.4.
fn escape(text: &str, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    let last = text.chars().count().saturating_sub(1);
    for (n, c) in text.chars().enumerate() {
        match c {
            '\0' => f.write_str("\\00")?,
            '"' | '+' | ',' | ';' | '<' | '>' | '\\' => write!(f, "\\{c}")?,
            '#' if n == 0 => f.write_str("\\#")?,
            ' ' if n == 0 || n == last => f.write_str("\\ ")?,
            c => write!(f, "{c}")?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Dn, Part, PartValue, Rdn, path_above, path_of};

    fn value() -> impl Strategy<Value = PartValue> {
        prop_oneof![
            8 => any::<String>().prop_map(PartValue::Text),
            4 => "[ #,+\"\\\\<>;=/a\u{0}张]{0,6}".prop_map(PartValue::Text),
            1 => proptest::collection::vec(any::<u8>(), 1..6).prop_map(|mut bytes| {
                bytes.insert(0, 0x04);
                PartValue::Ber(bytes)
            }),
        ]
    }

    fn dn() -> impl Strategy<Value = Dn> {
        let kind = prop_oneof!["x[a-z0-9-]{0,6}", "1\\.2\\.[1-9][0-9]{0,3}", Just("cn".to_owned())];
        let part = (kind, value()).prop_map(|(kind, value)| Part { kind, value });
        let rdn = proptest::collection::vec(part, 1..3).prop_map(Rdn);
        proptest::collection::vec(rdn, 0..5).prop_map(Dn)
    }

    proptest! {
        /// LDAP-053
        #[test]
        fn what_is_printed_parses_to_the_same(dn in dn()) {
            prop_assert_eq!(Dn::parse(&dn.to_string()).unwrap(), dn);
        }

        /// LDAP-054
        #[test]
        fn the_key_is_stable_and_blind_to_order_in_an_rdn(dn in dn()) {
            let mut other = dn.clone();
            other.0.iter_mut().for_each(|rdn| rdn.0.reverse());
            prop_assert_eq!(other.key(), dn.key());
            prop_assert_eq!(Dn::parse(&dn.key()).unwrap().key(), dn.key());
        }

        #[test]
        fn the_short_way_to_a_path_leads_to_the_same(text in "((CN|ou|x|2\\.5\\.4\\.3) ?=[A-Za-z张é \\\\#=+._-]{0,4},?){0,4}") {
            prop_assert_eq!(path_of(&text).ok(), Dn::parse(&text).ok().map(|dn| dn.path()));
        }

        #[test]
        fn a_path_goes_up_as_the_name_does(dn in dn()) {
            prop_assume!(!dn.0.is_empty());
            let above = dn.parent().map(|above| above.path()).filter(|above| !above.is_empty());
            prop_assert_eq!(path_above(&dn.path()).map(str::to_owned), above);
        }

        #[test]
        fn hostile_text_never_panics(text in any::<String>()) {
            let _ = Dn::parse(&text);
        }
    }

    /// LDAP-053
    #[test]
    fn the_examples_of_the_standard_are_read() {
        for (text, printed) in [
            ("UID=jsmith,DC=example,DC=net", "uid=jsmith,dc=example,dc=net"),
            ("OU=Sales+CN=J.  Smith,DC=example", "ou=Sales+cn=J.  Smith,dc=example"),
            (r#"CN=James \"Jim\" Smith\, III,DC=net"#, r#"cn=James \"Jim\" Smith\, III,dc=net"#),
            (r"CN=Before\0dAfter,DC=net", "cn=Before\rAfter,dc=net"),
            (r"CN=Lu\C4\8Di\C4\87", "cn=Lučić"),
            (r"cn=\ a\#b\20", r"cn=\ a#b\ "),
            (r"cn=\00", r"cn=\00"),
            ("1.3.6.1.4.1.1466.0=#04024869", "1.3.6.1.4.1.1466.0=#04024869"),
            ("cn=#0c03414243", "cn=ABC"),
            ("2.5.4.3=a=b/c", "cn=a=b/c"),
            ("", ""),
        ] {
            assert_eq!(Dn::parse(text).unwrap().to_string(), printed, "{text}");
        }
    }

    /// LDAP-054
    #[test]
    fn names_that_mean_the_same_have_one_key() {
        for (one, other) in [
            ("cn=a+uid=b,dc=x", "uid=b+cn=a,dc=x"),
            ("dc = x , DC=Example", "dc=x,dc=example"),
            ("2.5.4.11=Sales,dc=x", "ou=SALES,dc=X"),
            ("OID.2.5.4.3=a", "commonName=A"),
            ("cn=J.  Smith", "cn=j. smith"),
            (r"cn=\E5\BC\A0", "cn=张"),
        ] {
            assert_eq!(Dn::parse(one).unwrap().key(), Dn::parse(other).unwrap().key(), "{one} {other}");
        }
        assert_ne!(Dn::parse("cn=a,dc=x").unwrap().key(), Dn::parse(r"cn=a\,dc\=x").unwrap().key());
    }

    #[test]
    fn malformed_names_are_refused() {
        for bad in [
            "cn",
            "=a",
            "cn=a,",
            "cn=a,,dc=x",
            "cn=a;dc=x",
            r"cn=\zz",
            r"cn=\",
            "cn=a\"b",
            "cn=#0",
            "cn=<",
            "cn=#",
            r"cn=\FF",
            "c_n=a",
            "1.=a",
            "cn=a+",
        ] {
            assert!(Dn::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_name_below_a_base_is_told_from_one_that_only_looks_so() {
        let base = Dn::parse("DC=Example,dc=com").unwrap().normalized();
        let within = |text: &str| Dn::parse(text).unwrap().normalized().is_within(&base);
        assert!(within("dc=example,dc=com") && within("ou=a,dc=example, dc=COM"));
        assert!(!within(r"ou=a\,dc=example,dc=com") && !within("ou=a,dc=myexample,dc=com") && !within("dc=com"));
        assert_eq!(Dn::parse("ou=a,dc=x").unwrap().parent(), Some(Dn::parse("dc=x").unwrap()));
        assert_eq!(Dn::parse("CN=a+UID=B,OU=Sales\\, East,DC=x").unwrap().path(), "dc=x,ou=sales\\, east,cn=a+uid=b");
    }
}
