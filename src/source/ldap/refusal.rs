//! What Active Directory adds to a refused bind: `80090308: LdapErr: DSID-…, comment: AcceptSecurityContext error, data
//! 532, v4563`. The number behind `data` is a Windows error code in hexadecimal ([MS-ERREF] section 2.2). Refusals of the
//! channel rather than of the account say so in words, or begin with another number.

use ldap3::LdapResult;

use crate::text::Fault;

/// Why a bind was refused.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// 525: no such account.
    NoSuchUser,
    /// 52e: wrong password (or name).
    WrongPassword,
    /// 52f and 531 besides: the account may not sign in this way or from here.
    NotFromHere,
    /// 530: outside of the hours allowed.
    NotNow,
    /// 532: right, and expired.
    PasswordExpired,
    /// 533: disabled.
    Disabled,
    /// 568: in more groups than a sign-in can carry.
    TooManyGroups,
    /// 701: the account has expired.
    AccountExpired,
    /// 773: right, and to be changed before the first use.
    MustChange,
    /// 775: locked after too many wrong passwords.
    Locked,
    /// 80090346: the TLS connection is not the one that the server knows of, or is not bound to the sign-in at all.
    ChannelBinding,
    /// strongerAuthRequired: the server takes nothing that is neither signed nor inside of TLS.
    Signing,
    /// The server takes no Kerberos inside of TLS, or none that protects once more.
    SaslInTls,
}

impl Refusal {
    /// Reads the text of a result; none when it is not one of these.
    pub fn of(result: &LdapResult) -> Option<Self> {
        match result.rc {
            1 | 8 | 53 if says_sasl_in_tls(&result.text) => return Some(Self::SaslInTls),
            8 => return says_signing(&result.text).then_some(Self::Signing),
            49 => {}
            _ => return None,
        }
        if result.text.starts_with("80090346") {
            return Some(Self::ChannelBinding);
        }
        let (_, data) = result.text.rsplit_once("data ")?;
        let code = data.split(|c: char| !c.is_ascii_hexdigit()).next()?;
        Some(match code.to_ascii_lowercase().as_str() {
            "525" => Self::NoSuchUser,
            "52e" => Self::WrongPassword,
            "52f" | "531" => Self::NotFromHere,
            "530" => Self::NotNow,
            "532" => Self::PasswordExpired,
            "533" => Self::Disabled,
            "568" => Self::TooManyGroups,
            "80090346" => Self::ChannelBinding,
            "701" => Self::AccountExpired,
            "773" => Self::MustChange,
            "775" => Self::Locked,
            _ => return None,
        })
    }

    /// The number, as the server writes it; a word of ours where it writes none.
    pub const fn data(self) -> &'static str {
        match self {
            Self::NoSuchUser => "525",
            Self::WrongPassword => "52e",
            Self::NotFromHere => "531",
            Self::NotNow => "530",
            Self::PasswordExpired => "532",
            Self::Disabled => "533",
            Self::TooManyGroups => "568",
            Self::ChannelBinding => "80090346",
            Self::Signing => "signing",
            Self::SaslInTls => "sasl-in-tls",
            Self::AccountExpired => "701",
            Self::MustChange => "773",
            Self::Locked => "775",
        }
    }

    /// Whether it is about the connection, and says nothing about the account or its password.
    pub const fn is_of_the_channel(self) -> bool {
        matches!(self, Self::ChannelBinding | Self::Signing | Self::SaslInTls)
    }

    /// What it means for the service account, with the remedy.
    pub fn meaning(self) -> Fault {
        Fault::new(&format!("refusal-{}", self.data()))
    }
}

/// Active Directory: "The server requires binds to turn on integrity checking if SSL\TLS are not already active on the
/// connection". Samba: "`BindSimple`: Transport encryption required." and "SASL:[…]: Sign or Seal are required."
fn says_signing(text: &str) -> bool {
    ["integrity checking", "Transport encryption required", "Sign or Seal are required"]
        .iter()
        .any(|words| text.contains(words))
}

/// Active Directory: "Cannot start kerberos signing/sealing when using TLS/SSL". Samba: "… not allowed if TLS is used".
fn says_sasl_in_tls(text: &str) -> bool {
    text.contains("signing/sealing when using TLS") || text.contains("not allowed if TLS is used")
}

#[cfg(test)]
mod tests {
    use ldap3::LdapResult;

    use super::Refusal;
    use crate::text::Language;

    /// LDAP-097
    #[test]
    fn the_number_behind_data_says_why() {
        let of = |rc, text: &str| {
            let text = text.to_owned();
            Refusal::of(&LdapResult { rc, matched: String::new(), text, refs: Vec::new(), ctrls: Vec::new() })
        };
        for (data, refusal) in [
            ("525", Refusal::NoSuchUser),
            ("52e", Refusal::WrongPassword),
            ("530", Refusal::NotNow),
            ("531", Refusal::NotFromHere),
            ("532", Refusal::PasswordExpired),
            ("533", Refusal::Disabled),
            ("568", Refusal::TooManyGroups),
            ("701", Refusal::AccountExpired),
            ("773", Refusal::MustChange),
            ("775", Refusal::Locked),
        ] {
            let text =
                format!("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {data}, v4563\0");
            assert_eq!(of(49, &text), Some(refusal));
            assert_eq!(refusal.data(), data);
            assert_eq!(of(53, &text), None);
        }
        assert_eq!(of(49, "comment: AcceptSecurityContext error, data 9999, v1"), None);
        assert_eq!(of(49, ""), None);
    }

    /// LDAP-096, LDAP-097: the texts of Windows and of Samba.
    #[test]
    fn a_refused_channel_is_told_from_a_refused_account() {
        let windows = "00002028: LdapErr: DSID-0C090259, comment: The server requires binds to turn on integrity checking \
                       if SSL\\TLS are not already active on the connection, data 0, v4563";
        let in_tls =
            "00002029: LdapErr: DSID-0C0901FC, comment: Cannot start kerberos signing/sealing when using TLS/SSL";
        let bindings = "80090346: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data 80090346, v4563";
        for (rc, text, refusal, english, chinese) in [
            (8, "BindSimple: Transport encryption required.", Refusal::Signing, "ldaps://", "ldaps://"),
            (8, windows, Refusal::Signing, "ldaps://", "ldaps://"),
            (8, "SASL:[GSSAPI]: Sign or Seal are required.", Refusal::Signing, "starttls", "starttls"),
            (49, bindings, Refusal::ChannelBinding, "between", "之间"),
            (49, "80090346: LdapErr: DSID-0C090569", Refusal::ChannelBinding, "channel", "通道"),
            (1, "SASL:[GSSAPI]: Sign or seal are not allowed if TLS is used", Refusal::SaslInTls, "TLS", "TLS"),
            (
                8,
                "SASL:[GSSAPI]: not allowed if TLS is used.",
                Refusal::SaslInTls,
                "allow_sasl_over_tls",
                "allow_sasl_over_tls",
            ),
            (53, in_tls, Refusal::SaslInTls, "TLS", "TLS"),
        ] {
            let text = text.to_owned();
            let result = LdapResult { rc, matched: String::new(), text, refs: Vec::new(), ctrls: Vec::new() };
            assert_eq!(Refusal::of(&result), Some(refusal), "{}", result.text);
            assert!(refusal.is_of_the_channel());
            let (en, zh) = (refusal.meaning().words(Language::En), refusal.meaning().words(Language::Zh));
            assert!(en.contains(english) && zh.contains(chinese), "{en} / {zh}");
        }
    }

    /// LDAP-097: every number that is known has a sentence of its own in both languages.
    #[test]
    fn each_number_is_explained_in_both_languages() {
        let all = [
            Refusal::NoSuchUser,
            Refusal::WrongPassword,
            Refusal::NotNow,
            Refusal::NotFromHere,
            Refusal::PasswordExpired,
            Refusal::Disabled,
            Refusal::TooManyGroups,
            Refusal::AccountExpired,
            Refusal::MustChange,
            Refusal::Locked,
            Refusal::ChannelBinding,
            Refusal::Signing,
            Refusal::SaslInTls,
        ];
        let mut said = std::collections::BTreeSet::new();
        for refusal in all {
            for language in [Language::En, Language::Zh] {
                let words = refusal.meaning().words(language);
                assert!(!words.contains("fault-") && words.chars().count() > 5, "{words}");
                assert!(said.insert(words.clone()), "said twice: {words}");
            }
        }
    }
}
