//! Sign-in by bind (RFC 4513 section 5.1.3): a fresh connection, bound as the person, used for nothing else.

use std::path::Path;
use std::sync::Arc;

use ldap3::LdapResult;
use ldap3::controls::RawControl;
use tokio::task::JoinSet;
use url::Url;
use zeroize::Zeroizing;

use super::connect::{Connection, refuse_empty};
use super::refusal::Refusal;
use super::{answer, servers};
use crate::config::LdapConfig;
use crate::source::error::SourceError;

/// Password policy (draft-behera-ldap-password-policy, section 6).
const PASSWORD_POLICY: &str = "1.3.6.1.4.1.42.2.27.8.5.1";
/// "Password expired" of Netscape's heirs (389 Directory Server): sent with a success after a reset.
const NETSCAPE_EXPIRED: &str = "2.16.840.1.113730.3.4.4";

/// What the directory says about a password. Only [`PasswordAnswer::Right`] is a sign-in; what the others are is for the
/// audit log and for a page shown after the password was proved, never for somebody who may be guessing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PasswordAnswer {
    /// It is right, and nothing more is asked for.
    Right,
    /// It is wrong, or the entry is not there, or has no password. Empty and blank passwords are wrong without asking.
    Wrong,
    /// It is right and must be changed before it counts (after a reset, or in the grace logins after it expired).
    MustChange,
    /// It is right and expired; the directory does not let it in any more.
    Expired,
    /// The directory has locked the account.
    Locked,
    /// The directory has disabled the account (Active Directory says so whether the password is right or not).
    Disabled,
    /// The account has come to its end.
    AccountExpired,
    /// The account may not sign in at this hour or from this machine.
    NotAllowed,
}

/// Asks the directory whether `password` is the password of the entry `dn`.
///
/// # Errors
/// [`SourceError`] when the directory gave no verdict: unreachable, no trusted TLS, busy, a referral, SASL wanted, an
/// empty DN. That is no sign-in, and no failure of the person either.
pub async fn check_password(
    config: &LdapConfig,
    folder: &Path,
    dn: &str,
    password: &str,
) -> Result<PasswordAnswer, SourceError> {
    match refuse_empty(dn, password) {
        Err(SourceError::EmptyCredentials { what: "password" }) => return Ok(PasswordAnswer::Wrong),
        other => other?,
    }
    let (config, folder): (Arc<LdapConfig>, Arc<Path>) = (Arc::new(config.clone()), folder.into());
    let (dn, password) = (dn.to_owned(), Zeroizing::new(password.to_owned()));
    // The library may panic on the answer: in a task of its own that is an error like any other.
    let mut tasks = JoinSet::new();
    tasks.spawn(async move { bind(&config, &folder, &dn, &password).await });
    tasks.join_next().await.and_then(Result::ok).unwrap_or(Err(SourceError::Stopped))
}

async fn bind(config: &LdapConfig, folder: &Path, dn: &str, password: &str) -> Result<PasswordAnswer, SourceError> {
    let mut errors = Vec::new();
    for url in servers::in_order(config) {
        let answer = bind_at(config, url, folder, dn, password).await;
        let goes_on = servers::goes_on(url, &answer);
        match answer {
            Err(error) if goes_on => errors.push(error),
            decided => return decided,
        }
    }
    Err(servers::all_failed(errors))
}

async fn bind_at(
    config: &LdapConfig,
    url: &Url,
    folder: &Path,
    dn: &str,
    password: &str,
) -> Result<PasswordAnswer, SourceError> {
    let mut connection = Connection::open(config, url, folder).await?;
    let policy = RawControl { ctype: PASSWORD_POLICY.to_owned(), crit: false, val: None };
    let ldap = connection.ldap.with_timeout(connection.timeout).with_controls(policy);
    let result = match ldap.simple_bind(dn, password).await {
        Ok(result) => result,
        Err(error) => return Err(connection.broken(error, "binding", "").await),
    };
    let url = connection.url.clone();
    connection.close().await;
    verdict(&url, dn, &result)
}

fn verdict(url: &str, dn: &str, result: &LdapResult) -> Result<PasswordAnswer, SourceError> {
    if let Some(refusal) = Refusal::of(result) {
        return of_active_directory(refusal).ok_or_else(|| answer::bind_refused(url, dn, result));
    }
    let value = |oid: &str| result.ctrls.iter().find(|control| control.1.ctype == oid).map(|control| &control.1.val);
    let policy = value(PASSWORD_POLICY).and_then(Option::as_deref).map(Policy::parse).unwrap_or_default();
    match (result.rc, policy.error) {
        (0, None) if policy.is_in_grace || value(NETSCAPE_EXPIRED).is_some() => Ok(PasswordAnswer::MustChange),
        (0, None) => Ok(PasswordAnswer::Right),
        // changeAfterReset and passwordExpired beside a success; anything else there is no plain success either.
        (0, Some(_)) => Ok(PasswordAnswer::MustChange),
        (49, Some(0)) => Ok(PasswordAnswer::Expired),
        (49 | 53, Some(1)) | (19, _) => Ok(PasswordAnswer::Locked),
        // 389 Directory Server on `nsAccountLock`.
        (53, _) if result.text.contains("Account inactivated") => Ok(PasswordAnswer::Disabled),
        // invalidCredentials, noSuchObject, inappropriateAuthentication (the entry has no password).
        (49 | 32 | 48, _) => Ok(PasswordAnswer::Wrong),
        _ => Err(answer::bind_refused(url, dn, result)),
    }
}

/// Active Directory says more than yes and no. 532 and 773 come only when the password was right. None when it is no
/// verdict on the password.
const fn of_active_directory(refusal: Refusal) -> Option<PasswordAnswer> {
    Some(match refusal {
        Refusal::NoSuchUser | Refusal::WrongPassword => PasswordAnswer::Wrong,
        Refusal::MustChange => PasswordAnswer::MustChange,
        Refusal::PasswordExpired => PasswordAnswer::Expired,
        Refusal::Locked => PasswordAnswer::Locked,
        Refusal::Disabled => PasswordAnswer::Disabled,
        Refusal::AccountExpired => PasswordAnswer::AccountExpired,
        Refusal::NotNow | Refusal::NotFromHere | Refusal::TooManyGroups => PasswordAnswer::NotAllowed,
        Refusal::ChannelBinding | Refusal::Signing | Refusal::SaslInTls => return None,
    })
}

/// `PasswordPolicyResponseValue`.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Policy {
    /// 0 passwordExpired, 1 accountLocked, 2 changeAfterReset …
    error: Option<u8>,
    /// The password has expired and a few more logins are granted.
    is_in_grace: bool,
}

impl Policy {
    /// Reads the BER by hand: `SEQUENCE { [0] { [0] or [1] INTEGER }, [1] ENUMERATED }`, all lengths below 128.
    fn parse(ber: &[u8]) -> Self {
        let mut policy = Self::default();
        let [0x30, _, inner @ ..] = ber else { return policy };
        let mut rest = inner;
        while let [tag, length, after @ ..] = rest {
            let Some((value, next)) = after.split_at_checked(usize::from(*length)) else { return policy };
            match (tag, value) {
                (0xa0, [0x81, ..]) => policy.is_in_grace = true,
                (0x81, [code]) => policy.error = Some(*code),
                _ => {}
            }
            rest = next;
        }
        policy
    }
}

#[cfg(test)]
mod tests {
    use ldap3::LdapResult;
    use ldap3::controls::{Control, RawControl};

    use super::{NETSCAPE_EXPIRED, PASSWORD_POLICY, PasswordAnswer, verdict};

    fn result(rc: u32, control: Option<(&str, &[u8])>) -> LdapResult {
        let raw = |(oid, value): (&str, &[u8])| {
            Control(None, RawControl { ctype: oid.to_owned(), crit: false, val: Some(value.to_vec()) })
        };
        let ctrls = control.map(raw).into_iter().collect();
        LdapResult { rc, matched: String::new(), text: String::new(), refs: Vec::new(), ctrls }
    }

    /// LDAP-094
    #[test]
    fn only_a_success_without_conditions_is_right() {
        let policy = |value: &'static [u8]| Some((PASSWORD_POLICY, value));
        for (rc, control, answer) in [
            (0, None, PasswordAnswer::Right),
            (0, policy(b"\x30\x00"), PasswordAnswer::Right),
            // timeBeforeExpiration: still right.
            (0, policy(b"\x30\x05\xa0\x03\x80\x01\x05"), PasswordAnswer::Right),
            // graceAuthNsRemaining, changeAfterReset, a code nobody knows.
            (0, policy(b"\x30\x05\xa0\x03\x81\x01\x02"), PasswordAnswer::MustChange),
            (0, policy(b"\x30\x03\x81\x01\x02"), PasswordAnswer::MustChange),
            (0, policy(b"\x30\x03\x81\x01\x63"), PasswordAnswer::MustChange),
            (0, Some((NETSCAPE_EXPIRED, b"0".as_slice())), PasswordAnswer::MustChange),
            (49, None, PasswordAnswer::Wrong),
            (32, None, PasswordAnswer::Wrong),
            (48, None, PasswordAnswer::Wrong),
            (49, policy(b"\x30\x03\x81\x01\x00"), PasswordAnswer::Expired),
            (49, policy(b"\x30\x03\x81\x01\x01"), PasswordAnswer::Locked),
            (19, None, PasswordAnswer::Locked),
        ] {
            assert_eq!(verdict("ldap://x", "uid=a", &result(rc, control)).unwrap(), answer, "{rc} {control:?}");
        }
        for rc in [1, 8, 10, 14, 34, 51, 52, 53, 80] {
            assert!(verdict("ldap://x", "uid=a", &result(rc, None)).is_err(), "{rc}");
        }
    }

    /// LDAP-097
    #[test]
    fn what_active_directory_adds_is_understood() {
        for (data, answer) in [
            ("525", PasswordAnswer::Wrong),
            ("52e", PasswordAnswer::Wrong),
            ("530", PasswordAnswer::NotAllowed),
            ("531", PasswordAnswer::NotAllowed),
            ("532", PasswordAnswer::Expired),
            ("533", PasswordAnswer::Disabled),
            ("568", PasswordAnswer::NotAllowed),
            ("701", PasswordAnswer::AccountExpired),
            ("773", PasswordAnswer::MustChange),
            ("775", PasswordAnswer::Locked),
            ("9999", PasswordAnswer::Wrong),
        ] {
            let text =
                format!("80090308: LdapErr: DSID-0C090447, comment: AcceptSecurityContext error, data {data}, v1");
            let result = LdapResult { text, ..result(49, None) };
            assert_eq!(verdict("ldap://x", "CN=a", &result).unwrap(), answer, "{data}");
        }
        // Nothing is known about the password when the channel is refused.
        let text =
            "80090346: LdapErr: DSID-0C090569, comment: AcceptSecurityContext error, data 80090346, v4563".to_owned();
        let error = verdict("ldap://x", "CN=a", &LdapResult { text, ..result(49, None) }).unwrap_err();
        assert!(error.to_string().contains("channel"), "{error}");
    }
}
