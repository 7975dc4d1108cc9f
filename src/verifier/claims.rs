//! The claims of an access token, and what makes them good (RFC 9068 section 4).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::ClientError;
use crate::crypto::foreign::{self, ForeignError, Rules, Unverified};
use crate::model::{Confirmation, ProofAlgorithm};
use crate::time::Instant;

/// `typ` of access tokens (RFC 9068 section 2.1). An ID token is none.
pub const ACCESS_TYPES: &[&str] = &["at+jwt"];
/// Algorithms that count: never `none`, never a shared secret.
pub(super) const ALGORITHMS: &[ProofAlgorithm] = &[
    ProofAlgorithm::Es256,
    ProofAlgorithm::Es384,
    ProofAlgorithm::Rs256,
    ProofAlgorithm::Ps256,
    ProofAlgorithm::EdDsa,
];
/// Seconds that the issuer's clock may be ahead. An end is an end: nobody gets more life than was given.
pub(super) const LEEWAY: i64 = 60;

/// Why a token is refused.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// Not a token of the issuer: malformed, of another kind, unsigned, or signed by somebody else.
    #[error(transparent)]
    Token(#[from] ForeignError),
    /// A claim is missing or of the wrong type.
    #[error("a claim is missing or malformed")]
    Claims,
    /// Of another issuer.
    #[error("the token is of another issuer")]
    Issuer,
    /// Meant for somebody else.
    #[error("the token is meant for another service")]
    Audience,
    /// Past its end.
    #[error("the token has expired")]
    Expired,
    /// Not good yet.
    #[error("the token is not good yet")]
    Early,
    /// Bound to a key or certificate that the request does not show.
    #[error("the token is bound to a key that the request does not prove")]
    Binding,
    /// Revoked.
    #[error("the token was revoked")]
    Revoked,
    /// The issuer cannot be asked, so nothing is known of the token.
    #[error(transparent)]
    Issuing(#[from] ClientError),
}

/// One audience as a string, several as an array (RFC 7519 section 4.1.3).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Audience {
    /// A string.
    One(String),
    /// An array.
    Several(Vec<String>),
}

impl From<Vec<String>> for Audience {
    fn from(mut list: Vec<String>) -> Self {
        if list.len() == 1
            && let Some(one) = list.pop()
        {
            return Self::One(one);
        }
        Self::Several(list)
    }
}

impl From<Audience> for Vec<String> {
    fn from(audience: Audience) -> Self {
        match audience {
            Audience::One(one) => vec![one],
            Audience::Several(list) => list,
        }
    }
}

impl Audience {
    /// Whether it names `service`.
    #[must_use]
    pub fn names(&self, service: &str) -> bool {
        match self {
            Self::One(one) => one == service,
            Self::Several(several) => several.iter().any(|one| one == service),
        }
    }
}

/// `status` (Token Status List section 6.1).
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The token's place on a list.
    pub status_list: StatusReference,
}

/// A place on a status list.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct StatusReference {
    /// Where on the list.
    pub idx: u64,
    /// Where the list is.
    pub uri: String,
}

/// What a validator reads of an access token.
#[derive(Clone, PartialEq, Debug, Deserialize)]
pub struct Claims {
    /// Who issued it.
    pub iss: String,
    /// Whom it speaks for.
    pub sub: String,
    /// Whom it is meant for.
    pub aud: Audience,
    /// The application it was issued to.
    pub client_id: String,
    /// What it allows, space separated.
    #[serde(default)]
    pub scope: String,
    /// When it was issued, in seconds.
    pub iat: i64,
    /// When it ends, in seconds.
    pub exp: i64,
    /// Since when it is good, in seconds.
    pub nbf: Option<i64>,
    /// Its id.
    pub jti: String,
    /// The grant it rests on; none for an application in its own name.
    pub grant: Option<String>,
    /// The session it was issued from.
    pub sid: Option<String>,
    /// What it is bound to.
    pub cnf: Option<Confirmation>,
    /// Its place on a status list.
    pub status: Option<Status>,
}

/// What is expected of a token.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// The issuer, to the letter.
    pub issuer: &'a str,
    /// The service that judges; none where that is judged elsewhere.
    pub audience: Option<&'a str>,
}

/// Reads an access token without believing it.
pub(super) fn unverified(token: &str) -> Result<Unverified<'_>, ForeignError> {
    foreign::read(token, &Rules { algorithms: ALGORITHMS, types: ACCESS_TYPES })
}

/// Whether a token is of this issuer, and speaks for somebody. Everybody who judges tokens asks here.
///
/// # Errors
/// [`VerifyError::Issuer`], [`VerifyError::Claims`].
pub fn check_origin(iss: &str, sub: &str, issuer: &str) -> Result<(), VerifyError> {
    match () {
        () if iss != issuer => Err(VerifyError::Issuer),
        () if sub.is_empty() => Err(VerifyError::Claims),
        () => Ok(()),
    }
}

/// Whether a token with these times, in seconds, is good at `now`. Everybody who judges tokens asks here.
///
/// # Errors
/// [`VerifyError::Expired`], [`VerifyError::Early`].
pub fn check_times(iat: i64, exp: i64, nbf: Option<i64>, now: Instant) -> Result<(), VerifyError> {
    let now = now.timestamp();
    if now >= exp {
        return Err(VerifyError::Expired);
    }
    if iat > now + LEEWAY || nbf.is_some_and(|nbf| nbf > now + LEEWAY) { Err(VerifyError::Early) } else { Ok(()) }
}

impl Claims {
    /// Reads the claims of a token whose signature holds.
    ///
    /// # Errors
    /// [`VerifyError::Claims`].
    pub fn read(claims: Map<String, Value>) -> Result<Self, VerifyError> {
        serde_json::from_value(Value::Object(claims)).map_err(|_| VerifyError::Claims)
    }

    /// Whether the token is good at `now`, as far as it says itself.
    ///
    /// # Errors
    /// [`VerifyError`].
    pub fn judge(&self, expected: &Expected<'_>, now: Instant) -> Result<(), VerifyError> {
        check_origin(&self.iss, &self.sub, expected.issuer)?;
        if expected.audience.is_some_and(|service| !self.aud.names(service)) {
            return Err(VerifyError::Audience);
        }
        check_times(self.iat, self.exp, self.nbf, now)
    }

    /// Whether it allows `scope`.
    #[must_use]
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|one| one == scope)
    }
}

#[cfg(test)]
mod tests {
    use super::{VerifyError, check_times};
    use crate::time::Instant;

    /// GW-047: a clock that is a minute behind the issuer's takes its tokens, one that is more behind does not; ends are
    /// kept to the second, on both sides of 2038 too.
    #[test]
    fn clocks_differ_by_a_minute_at_the_most() {
        for now in [1_700_000_000, i64::from(i32::MAX), i64::from(i32::MAX) + 1, 4_102_444_800] {
            let judge = |iat: i64, exp: i64, nbf: Option<i64>| {
                check_times(now + iat, now + exp, nbf.map(|nbf| now + nbf), Instant::from_timestamp(now, 0).unwrap())
            };
            assert!(judge(0, 600, None).is_ok() && judge(60, 600, Some(60)).is_ok() && judge(-600, 1, None).is_ok());
            assert!(matches!(judge(61, 600, None), Err(VerifyError::Early)));
            assert!(matches!(judge(0, 600, Some(61)), Err(VerifyError::Early)));
            assert!(matches!(judge(-600, 0, None), Err(VerifyError::Expired)));
            assert!(matches!(judge(-600, -1, Some(-600)), Err(VerifyError::Expired)));
        }
    }
}
