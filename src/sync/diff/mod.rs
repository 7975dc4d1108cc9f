//! The difference between what the source says and what is here: ordered changes, links as they will be, counts.
//!
//! Unchanged records are recognised by their digest alone; the rows are loaded only when something differs.

mod contributed;
mod dates;
mod departments;
mod draft;
mod groups;
mod pending;
mod people;
mod positions;
mod roles;
mod state;

use std::collections::HashSet;

use uuid::Uuid;

use crate::access::RoleRules;
use crate::config::SourceConfig;
use crate::model::{ChangeKind, GroupId, ObjectKind, PlannedLink, UserId};
use crate::random::Rng;
use crate::store::{StoreError, Tx};
use crate::text::fold;
use crate::time::Instant;

use super::link::{Links, REPLACED, resolve};
use super::merge::{Merge, Sharing};
use super::record::Mapped;
pub(super) use dates::draft as draft_of_dates;
pub(super) use draft::Draft;
use pending::Work;
pub(super) use people::{ABSENT, OUT_OF_SCOPE, UNDONE};
pub(super) use state::State;

/// What a plan is made with.
pub(super) struct Means<'a> {
    pub config: &'a SourceConfig,
    pub rules: &'a RoleRules,
    /// Whether the role rules differ from those of the last apply.
    pub are_rules_new: bool,
    /// What other sources have to do with it.
    pub sharing: Option<&'a Sharing>,
    pub rng: &'a Rng,
    pub now: Instant,
}

/// Makes the draft of a plan. The state comes back with it where it had to be loaded.
pub(super) async fn draft(
    tx: &mut Tx,
    means: &Means<'_>,
    mut mapped: Mapped,
    links: Links,
) -> Result<(Draft, Option<State>), StoreError> {
    resolve(&mut mapped, &links);
    let is_open = mapped.is_open;
    let mut draft = Draft::default();
    draft.take_counts(&mapped);
    let ids = pending::Ids::new(&links);
    let mut work = Work::new(means, mapped, &links, ids, &mut draft);
    let said = work.findings.len();
    if work.is_nothing() && !means.are_rules_new {
        draft.findings = work.findings;
        draft.is_settling = !is_open;
        return Ok((draft, None));
    }
    let mut state = State::load(tx, &means.config.name).await?;
    let mut merge = others(tx, means, &work, &links, &mut state).await?;
    contributed::sign(&mut work, &state, &means.config.name, &merge);
    let expected = work.expected();
    let protected: HashSet<String> = means.config.guard.protected.iter().map(|login| fold(login)).collect();
    departments::diff(&mut work, &state, &mut draft);
    positions::diff(&mut work, &state, &mut draft);
    groups::diff(&mut work, &state, &mut draft);
    let future = people::diff(&mut work, &state, &protected, &mut merge, &mut draft);
    departments::drop_heads(&state, &mut draft);
    let members = groups::diff_members(&work, &state, &future, &mut draft);
    roles::diff(means, &state, &future, &members, &protected, &mut work.findings, &mut draft);
    draft.finish();
    draft.is_settling = !is_open && draft.sum() == expected && work.findings.len() == said;
    draft.findings = work.findings;
    draft.is_shared |= merge.is_used || links.referred().next().is_some();
    draft.is_shared |= means.sharing.is_some() && are_roles_shared(&means.config.name, &state, &draft);
    draft.contributions = merge.planned();
    replace(&links, &mut draft);
    Ok((draft, Some(state)))
}

/// What several sources say of the people whom the plan touches; the state grows by what it then depends on.
async fn others(
    tx: &mut Tx,
    means: &Means<'_>,
    work: &Work,
    links: &Links,
    state: &mut State,
) -> Result<Merge, StoreError> {
    if means.sharing.is_none() {
        return Ok(Merge::default());
    }
    let known = work.users.iter().filter(|item| item.is_known).map(|item| item.id);
    let people: Vec<Uuid> = known.chain(work.absent_users.iter().map(|link| link.object_id)).collect();
    let named = links.referred().filter(|((kind, _), _)| *kind == ObjectKind::User).map(|(_, id)| *id);
    let besides: Vec<Uuid> =
        people.iter().copied().chain(named).filter(|id| !state.users.contains_key(&UserId(*id))).collect();
    state.widen(tx, &means.config.name, &besides).await?;
    let people: Vec<UserId> = people.into_iter().map(UserId).collect();
    Merge::load(tx, means.sharing, &people).await
}

/// Whether roles change for people of other sources, or for people in groups of other sources.
fn are_roles_shared(source: &str, state: &State, draft: &Draft) -> bool {
    let is_foreign = |id: &GroupId| state.groups.get(id).is_some_and(|group| group.source != source);
    let within = state.members.iter().filter(|member| is_foreign(&member.group_id)).map(|member| member.member_id);
    let within: HashSet<Uuid> = within.collect();
    draft.changes.iter().filter(|change| matches!(change.kind, ChangeKind::RoleGranted | ChangeKind::RoleRevoked)).any(
        |change| {
            let user = state.users.get(&UserId(change.object_id));
            within.contains(&change.object_id) || user.is_some_and(|user| user.source != source)
        },
    )
}

/// Links whose place others took go with the plan, and the people come back under new entries.
fn replace(links: &Links, draft: &mut Draft) {
    for (new, former) in links.replaced() {
        let is_taken = |link: &PlannedLink| link.kind == ObjectKind::User && link.external_id == *new;
        if draft.links.iter().any(is_taken) {
            draft.link(ObjectKind::User, &former.external_id, former.object_id, &former.dn, REPLACED);
            draft.rehired += 1;
        }
    }
}

/// Kinds in the order of the report.
pub(super) const KINDS: [ObjectKind; 4] =
    [ObjectKind::Department, ObjectKind::Position, ObjectKind::Group, ObjectKind::User];
