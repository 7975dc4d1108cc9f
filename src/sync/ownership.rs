//! By an operator's hand: somebody is let in again within the grace period, and accounts get another owner.

use crate::audit::{self, Action, Event, Outcome};
use crate::broker::Broker;
use crate::config::SourceConfig;
use crate::model::{Change, ChangeKind, Document, ObjectKind, RunState, Status, User, UserId};

use super::diff::{ABSENT, OUT_OF_SCOPE, UNDONE};
use super::document::UserDocument;
use super::plan::{finish, write_report};
use super::report::RunReport;
use super::run::{begin, begin_any};
use super::{SyncError, source_config};

/// What a hand-over came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug, serde::Serialize)]
pub struct HandedOver {
    /// Accounts with a new owner.
    pub people: u64,
    /// Accounts that stay with the old one, because the new one does not know them.
    pub left: u64,
}

/// Lets somebody in again whom a sync locked out because the source no longer had them. They keep id, groups and roles;
/// the next run computes both anew, and does not lock them out again unless their entry returns and goes.
///
/// # Errors
/// [`SyncError::NotRestorable`] says why not.
pub async fn restore(broker: &Broker, user: UserId, by: &str) -> Result<(), SyncError> {
    let user = find(broker, user).await?;
    let begun = begin_any(broker, &user.source, by).await?;
    let result = let_in(broker, user, by, begun.report.clone()).await;
    begun.end(broker, result).await.map(drop)
}

async fn find(broker: &Broker, id: UserId) -> Result<User, SyncError> {
    let user = broker.db.read().await?.users().find(id).await?;
    user.ok_or_else(|| SyncError::NotRestorable { who: id.to_string(), why: "there is no such account".to_owned() })
}

/// Why somebody cannot be let in by hand; none when they can.
fn obstacle(user: &User) -> Option<&'static str> {
    match (user.status, user.status_reason.as_deref()) {
        (Status::Disabled, Some(ABSENT | OUT_OF_SCOPE | UNDONE)) => None,
        (Status::Active, _) => Some("the account is active"),
        (Status::Deleted, _) => Some(
            "the grace period is over and the account reduced; it comes back when the source returns the employee number",
        ),
        (Status::Disabled, Some("source_disabled")) => Some("the source locks the account out; let it in there"),
        (Status::Disabled, _) => Some("something other than a sync locked the account out"),
    }
}

async fn let_in(broker: &Broker, user: User, by: &str, mut report: RunReport) -> Result<RunReport, SyncError> {
    let refuse = |why: String| SyncError::NotRestorable { who: user.login.clone(), why };
    if let Some(why) = obstacle(&user) {
        return Err(refuse(why.to_owned()));
    }
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let holder = tx.users().find_by_login(&user.login_key).await?;
    if let Some(holder) = holder.filter(|holder| holder.status == Status::Active) {
        return Err(refuse(format!("the login name `{}` is {}'s now", user.login, holder.display_name)));
    }
    let state = tx.source_states().find(&user.source).await?;
    if !tx
        .source_states()
        .advance(&user.source, state.as_ref().map_or(0, |state| state.version), report.run_id, now)
        .await?
    {
        return Err(SyncError::Busy(user.source.clone()));
    }
    if let Some(state) = state {
        // Roles are asked anew for everybody by the next run.
        tx.source_states().describe(&user.source, &state.scope_digest, "", state.users_seen).await?;
    }
    let before = UserDocument::of(&user);
    let after = UserDocument { status: Status::Active, status_reason: None, ..before.clone() };
    let row = User { status: Status::Active, status_reason: None, disabled_at: None, updated_at: now, ..user.clone() };
    // The stored hash stays.
    tx.users().upsert(&[User { password_hash: None, ..row }]).await?;
    let change = Change {
        kind: ChangeKind::Enabled,
        object_kind: ObjectKind::User,
        object_id: user.id.0,
        before: Some(Document::of(&before)),
        after: Some(Document::of(&after)),
    };
    tx.change_log().append(&[change], report.run_id, now).await?;
    report.state = RunState::Applied;
    report.changes = 1;
    finish(&mut report, now);
    let details = serde_json::json!({ "run": report.run_id, "change": "restored", "was": user.status_reason });
    let event = Event::new(Action::Sync, Outcome::Success, by, format!("user:{}", user.id)).with(details);
    audit::append(&mut tx, now, &[event]).await?;
    write_report(&mut tx, &report).await?;
    tx.commit().await?;
    Ok(report)
}

/// Makes `to` the owner of the accounts of `from` that it knows too. `from` need not be configured any more: what it said
/// is forgotten then. Accounts that `to` does not know stay as they are.
///
/// # Errors
/// [`SyncError`]: nothing was handed over.
pub async fn hand_over(broker: &Broker, from: &str, to: &str, by: &str) -> Result<HandedOver, SyncError> {
    if !source_config(broker, to)?.creates() {
        return Err(SyncError::OnlyAdds(to.to_owned()));
    }
    let begun = begin(broker, to, by).await?;
    let result = give(broker, from, to, by, begun.report.clone()).await;
    let (report, handed) = match result {
        Ok((report, handed)) => (Ok(report), Some(handed)),
        Err(error) => (Err(error), None),
    };
    begun.end(broker, report).await?;
    Ok(handed.unwrap_or(HandedOver { people: 0, left: 0 }))
}

async fn give(
    broker: &Broker,
    from: &str,
    to: &str,
    by: &str,
    mut report: RunReport,
) -> Result<(RunReport, HandedOver), SyncError> {
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let versions = tx.source_states().versions().await?;
    for (name, version) in versions.iter().filter(|(name, _)| name == from || name == to) {
        if !tx.source_states().advance(name, *version, report.run_id, now).await? {
            return Err(SyncError::Busy(name.clone()));
        }
    }
    let people = tx.users().shared_with(from, to).await?;
    let ids: Vec<UserId> = people.iter().map(|user| user.id).collect();
    let changes: Vec<Change> = people
        .iter()
        .map(|user| {
            let document = UserDocument::of(user);
            let owned =
                |source: &str| Document::of(&UserDocument { source: Some(source.to_owned()), ..document.clone() });
            Change {
                kind: ChangeKind::Changed,
                object_kind: ObjectKind::User,
                object_id: user.id.0,
                before: Some(owned(from)),
                after: Some(owned(to)),
            }
        })
        .collect();
    tx.users().hand_over(&ids, to).await?;
    if broker.config.source(from).is_none() {
        // What it added to others goes as well.
        let added: Vec<UserId> = tx.contributions().people_of(from).await?.into_iter().map(|(id,)| id).collect();
        tx.contributions().withdraw(from, &added).await?;
        tx.links().forget_digests("", &added).await?;
    }
    // Both look at them again: one as the owner, one as somebody who adds.
    tx.links().forget_digests("", &ids).await?;
    tx.change_log().append(&changes, report.run_id, now).await?;
    let left = u64::try_from(tx.users().count_active(from).await?).unwrap_or(0);
    let handed = HandedOver { people: u64::try_from(ids.len()).unwrap_or(0), left };
    report.state = RunState::Applied;
    report.changes = handed.people;
    finish(&mut report, now);
    let details =
        serde_json::json!({ "run": report.run_id, "from": from, "to": to, "people": handed.people, "left": left });
    let event = Event::new(Action::Sync, Outcome::Success, by, format!("source:{to}")).with(details);
    audit::append(&mut tx, now, &[event]).await?;
    write_report(&mut tx, &report).await?;
    tx.commit().await?;
    Ok((report, handed))
}

/// The configuration of a source; the error says it when one that is gone owns people still.
pub(super) async fn configured<'a>(broker: &'a Broker, name: &str) -> Result<&'a SourceConfig, SyncError> {
    let unknown = match source_config(broker, name) {
        Ok(config) => return Ok(config),
        Err(unknown) => unknown,
    };
    let people = broker.db.read().await?.users().count_active(name).await?;
    Err(if people > 0 { SyncError::Orphaned { name: name.to_owned(), people } } else { unknown })
}
