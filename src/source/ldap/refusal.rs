//! What Active Directory adds to a refused bind: `80090308: LdapErr: DSID-…, comment: AcceptSecurityContext error, data
//! 532, v4563`. The number behind `data` is a Windows error code in hexadecimal ([MS-ERREF] section 2.2).

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
    /// 701: the account has expired.
    AccountExpired,
    /// 773: right, and to be changed before the first use.
    MustChange,
    /// 775: locked after too many wrong passwords.
    Locked,
}

impl Refusal {
    /// Reads the text of a result; none when it is not one of these.
    pub fn of(result: &LdapResult) -> Option<Self> {
        if result.rc != 49 {
            return None;
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
            "701" => Self::AccountExpired,
            "773" => Self::MustChange,
            "775" => Self::Locked,
            _ => return None,
        })
    }

    /// The number, as the server writes it.
    pub const fn data(self) -> &'static str {
        match self {
            Self::NoSuchUser => "525",
            Self::WrongPassword => "52e",
            Self::NotFromHere => "531",
            Self::NotNow => "530",
            Self::PasswordExpired => "532",
            Self::Disabled => "533",
            Self::AccountExpired => "701",
            Self::MustChange => "773",
            Self::Locked => "775",
        }
    }

    /// What it means for the service account, with the remedy.
    pub fn meaning(self) -> Fault {
        Fault::new(&format!("refusal-{}", self.data()))
    }
}

#[cfg(test)]
mod tests {
    use ldap3::LdapResult;

    use super::Refusal;

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
}
