//! The difference between what the source says and what is here: ordered changes, links as they will be, counts.
//!
//! Unchanged records are recognised by their digest alone; the rows are loaded only when something differs.

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

use crate::access::RoleRules;
use crate::config::SourceConfig;
use crate::model::ObjectKind;
use crate::random::Rng;
use crate::store::{StoreError, Tx};
use crate::text::fold;
use crate::time::Instant;

use super::link::{Links, resolve};
use super::record::Mapped;
pub(super) use dates::draft as draft_of_dates;
pub(super) use draft::Draft;
use pending::Work;
pub(super) use people::UNDONE;
pub(super) use state::State;

/// What a plan is made with.
pub(super) struct Means<'a> {
    pub config: &'a SourceConfig,
    pub rules: &'a RoleRules,
    /// Whether the role rules differ from those of the last apply.
    pub are_rules_new: bool,
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
    let mut draft = Draft::default();
    draft.take_counts(&mapped);
    let ids = pending::Ids::new(&links);
    let mut work = Work::new(means, mapped, &links, ids, &mut draft);
    let (expected, said) = (work.expected(), work.findings.len());
    if work.is_nothing() && !means.are_rules_new {
        draft.findings = work.findings;
        draft.is_settling = true;
        return Ok((draft, None));
    }
    let state = State::load(tx, &means.config.name).await?;
    let protected: HashSet<String> = means.config.guard.protected.iter().map(|login| fold(login)).collect();
    departments::diff(&mut work, &state, &mut draft);
    positions::diff(&mut work, &state, &mut draft);
    groups::diff(&mut work, &state, &mut draft);
    let future = people::diff(&mut work, &state, &protected, &mut draft);
    departments::drop_heads(&state, &mut draft);
    let members = groups::diff_members(&work, &state, &future, &mut draft);
    roles::diff(means, &state, &future, &members, &protected, &mut work.findings, &mut draft);
    draft.finish();
    draft.is_settling = draft.sum() == expected && work.findings.len() == said;
    draft.findings = work.findings;
    Ok((draft, Some(state)))
}

/// Kinds in the order of the report.
pub(super) const KINDS: [ObjectKind; 4] =
    [ObjectKind::Department, ObjectKind::Position, ObjectKind::Group, ObjectKind::User];
