//! The difference between what the source says and what is here: ordered changes, links as they will be, counts.
//!
//! Unchanged records are recognised by their digest alone; the rows are loaded only when something differs.

mod contributed;
mod dates;
mod departments;
mod draft;
mod groups;
mod patches;
mod pending;
mod people;
mod positions;
mod roles;
mod state;

use std::collections::HashSet;

use uuid::Uuid;

use crate::access::RoleRules;
use crate::config::{SourceConfig, crash_point};
use crate::model::{ChangeKind, GroupId, ObjectKind, PlannedLink, UserId};
use crate::random::Rng;
use crate::store::{StoreError, Tx};
use crate::text::fold;
use crate::time::Instant;

use super::link::{Links, REPLACED, is_named, resolve};
use super::merge::{Merge, Sharing};
use super::record::Mapped;
pub(super) use dates::draft as draft_of_dates;
pub(super) use draft::Draft;
pub(super) use patches::{MemberPatch, Partial};
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

/// Makes the draft of a plan. `part` is what a delta says beside its records; without it the records are everything.
pub(super) async fn draft(
    tx: &mut Tx,
    means: &Means<'_>,
    mut mapped: Mapped,
    links: Links,
    part: Option<Partial>,
) -> Result<Draft, StoreError> {
    resolve(&mut mapped, &links);
    let is_open = mapped.is_open;
    let mut draft = Draft::default();
    draft.take_counts(&mapped);
    let ids = pending::Ids::new(&links);
    let mut work = Work::new(means, mapped, &links, part, ids, &mut draft);
    let (renamed, said) = (draft.sum(), work.findings.len());
    if work.is_nothing() && !means.are_rules_new {
        draft.findings = work.findings;
        draft.is_settling = !is_open;
        return Ok(draft);
    }
    let (mut state, mut merge) = load(tx, means, &mut work, &links).await?;
    if means.rules.name_scopes() {
        // What a scope names is nowhere near the people whom a small plan touches.
        let rows = match means.sharing {
            Some(_) => tx.departments().list().await?,
            None => tx.departments().list_by_source(&means.config.name).await?,
        };
        for row in rows {
            state.departments.entry(row.id).or_insert(row);
        }
    }
    contributed::sign(&mut work, &state, &means.config.name, &merge);
    let expected = work.expected(renamed);
    let protected: HashSet<String> = means.config.guard.protected.iter().map(|login| fold(login)).collect();
    people::keep_protected(&mut work, &state, &protected, &merge);
    departments::diff(&mut work, &state, &mut draft);
    positions::diff(&mut work, &state, &mut draft);
    groups::diff(&mut work, &state, &mut draft);
    let mut future = people::diff(&mut work, &state, &protected, &mut merge, &mut draft);
    patches::unmanage(std::mem::take(&mut work.reports), &mut draft, &mut future);
    departments::drop_heads(&state, &mut draft);
    let members = groups::diff_members(&work, &state, &future, &mut draft);
    roles::diff(means, &state, &future, &members, &protected, &mut work.findings, &mut draft);
    if let Some(part) = &state.part {
        draft.roles_before = part.roles;
    }
    draft.finish();
    draft.is_settling = !is_open && draft.sum() == expected && work.findings.len() == said;
    draft.findings = work.findings;
    draft.is_shared |= merge.is_used || links.referred().next().is_some();
    draft.is_shared |= means.sharing.is_some() && are_roles_shared(&means.config.name, &state, &draft);
    draft.contributions = merge.planned();
    replace(&links, &mut draft);
    if !work.is_part {
        drop_same(&links, &mut draft);
    }
    crash_point("compared");
    Ok(draft)
}

/// What several sources say of the people whom a full plan touches; the state grows by what it then depends on.
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
    let people = work.own_people();
    let named = links.referred().filter(|((kind, _), _)| *kind == ObjectKind::User).map(|(_, id)| *id);
    let besides = people.iter().map(|id| id.0).chain(named);
    let besides: Vec<Uuid> = besides.filter(|id| !state.users.contains_key(&UserId(*id))).collect();
    state.widen(tx, &means.config.name, &besides).await?;
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

/// Links that stay what they are need no writing: of what is compared on every run, say. (Those of a part may have their
/// new names already.)
fn drop_same(links: &Links, draft: &mut Draft) {
    draft.links.retain(|planned| {
        let stored = links.find(planned.kind, &planned.external_id).filter(|link| !link.run_id.0.is_nil());
        planned.password.is_some()
            || stored.is_none_or(|link| {
                link.object_id != planned.object_id || link.digest != planned.digest || !is_named(link, &planned.dn)
            })
    });
}

/// What is here, as far as the plan touches it where that is little and the rest is not asked for; and what several
/// sources say of the people.
async fn load(tx: &mut Tx, means: &Means<'_>, work: &mut Work, links: &Links) -> Result<(State, Merge), StoreError> {
    let source = &means.config.name;
    if work.is_part {
        // Whoever returns has no memberships that would have to be compared.
        work.settled_groups.clear();
        let merge = Merge::load(tx, means.sharing, &work.own_people()).await?;
        // Whatever source they are of: people, groups and places are found by our own ids.
        let state = State::load_for(tx, source, work, means.sharing.map(|_| merge.named())).await?;
        return Ok((state, merge));
    }
    if !means.are_rules_new && means.sharing.is_none() && work.size() * SMALL < links.count() {
        let state = State::load_for(tx, source, work, None).await?;
        if !state.has_returning(work) {
            return Ok((state, Merge::default()));
        }
    }
    let mut state = State::load(tx, source).await?;
    let merge = others(tx, means, work, links, &mut state).await?;
    Ok((state, merge))
}

/// A plan is small when it looks at less than one in so many objects of the source.
const SMALL: usize = 8;

/// Kinds in the order of the report.
pub(super) const KINDS: [ObjectKind; 4] =
    [ObjectKind::Department, ObjectKind::Position, ObjectKind::Group, ObjectKind::User];
