//! Small writes that many requests make at the same moment, all of them in one transaction.
//!
//! Each is decided by the database itself, in the statement that does it: what has been used, revoked or ended in the
//! meantime is left as it is, and its request is told so.

use std::collections::{BTreeSet, HashSet};

use super::{Param, StoreError, Tx};
use crate::model::{AuthorizationCode, Grant, RefreshToken, SessionId};
use crate::time::Instant;

/// A write of one request.
#[derive(Clone, Debug)]
pub enum Write {
    /// None: an event alone.
    Nothing,
    /// A refresh token is used, and replaced by `successor`.
    Refresh {
        /// Hash of the token.
        hash: String,
        /// The next one.
        successor: RefreshToken,
    },
    /// A person goes to an application: grant and code, noted with the session.
    Code {
        /// The grant.
        grant: Box<Grant>,
        /// The code.
        code: Box<AuthorizationCode>,
        /// The session.
        session: SessionId,
    },
    /// A code is redeemed.
    Redeem {
        /// Hash of the code.
        hash: String,
        /// The first refresh token of its grant.
        refresh: Option<RefreshToken>,
    },
}

impl Tx {
    /// Does what is still possible of `writes`; tells of each whether it was done.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn write_together(&mut self, writes: &[&Write], now: Instant) -> Result<Vec<bool>, StoreError> {
        let mut taken = self.take_refresh_tokens(writes, now).await?;
        let mut redeemed = self.take_codes(writes, now).await?;
        // Of two that show the same, the first has it.
        let done: Vec<bool> = writes
            .iter()
            .map(|write| match *write {
                Write::Nothing | Write::Code { .. } => true,
                Write::Refresh { hash, .. } => taken.remove(hash),
                Write::Redeem { hash, .. } => redeemed.remove(hash),
            })
            .collect();
        let made = || writes.iter().zip(&done).filter(|(_, is_done)| **is_done).map(|(write, _)| *write);
        self.insert_codes(made().filter_map(Write::as_code), now).await?;
        let tokens: Vec<&RefreshToken> = made().filter_map(Write::refresh_token).collect();
        self.refresh_tokens().insert_all(&tokens).await?;
        Ok(done)
    }

    async fn take_refresh_tokens(&mut self, writes: &[&Write], now: Instant) -> Result<HashSet<String>, StoreError> {
        let used = |write: &&'_ Write| if let Write::Refresh { hash, .. } = write { Some(hash.clone()) } else { None };
        let sql = "UPDATE refresh_tokens SET used_at = $1 WHERE used_at IS NULL AND expires_at > $1 \
                   AND EXISTS (SELECT 1 FROM grants g JOIN users u ON u.id = g.user_id \
                     WHERE g.id = refresh_tokens.grant_id AND g.revoked_at IS NULL AND g.expires_at > $1 \
                     AND u.status = 'active') AND token_hash";
        self.take(sql, writes.iter().filter_map(used).collect(), now, "RETURNING token_hash").await
    }

    async fn take_codes(&mut self, writes: &[&Write], now: Instant) -> Result<HashSet<String>, StoreError> {
        let used = |write: &&'_ Write| if let Write::Redeem { hash, .. } = write { Some(hash.clone()) } else { None };
        let sql = "UPDATE authorization_codes SET used_at = $1 WHERE used_at IS NULL AND expires_at > $1 \
                   AND EXISTS (SELECT 1 FROM grants g JOIN users u ON u.id = g.user_id \
                     WHERE g.id = authorization_codes.grant_id AND g.revoked_at IS NULL AND g.expires_at > $1 \
                     AND u.status = 'active') AND code_hash";
        self.take(sql, writes.iter().filter_map(used).collect(), now, "RETURNING code_hash").await
    }

    /// Uses what can still be used, in one order; tells what that was.
    async fn take(
        &mut self,
        sql: &'static str,
        hashes: BTreeSet<String>,
        now: Instant,
        returning: &'static str,
    ) -> Result<HashSet<String>, StoreError> {
        let list: Vec<&dyn Param> = hashes.iter().map(|hash| -> &dyn Param { hash }).collect();
        let taken: Vec<(String,)> = self.all_in(sql, &[&now], &list, returning).await?;
        Ok(taken.into_iter().map(|(hash,)| hash).collect())
    }

    async fn insert_codes(
        &mut self,
        made: impl Iterator<Item = (&Grant, &AuthorizationCode, SessionId)>,
        now: Instant,
    ) -> Result<(), StoreError> {
        let made: Vec<_> = made.collect();
        let grants: Vec<&Grant> = made.iter().map(|(grant, ..)| *grant).collect();
        self.grants().insert_all(&grants).await?;
        let codes: Vec<&AuthorizationCode> = made.iter().map(|(_, code, _)| *code).collect();
        self.authorization_codes().insert_all(&codes).await?;
        let reached: BTreeSet<(SessionId, &str)> =
            made.iter().map(|(grant, _, session)| (*session, grant.application_id.as_str())).collect();
        self.sessions().reached_all(&reached, now).await
    }
}

impl Write {
    fn as_code(&self) -> Option<(&Grant, &AuthorizationCode, SessionId)> {
        if let Self::Code { grant, code, session } = self { Some((grant, code, *session)) } else { None }
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        match self {
            Self::Refresh { successor, .. } => Some(successor),
            Self::Redeem { refresh, .. } => refresh.as_ref(),
            Self::Nothing | Self::Code { .. } => None,
        }
    }
}
