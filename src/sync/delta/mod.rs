//! Increments: what changed at a source since its position, planned, guarded and applied like any other plan, at a cost
//! that follows what changed.
//!
//! `step` decides what is due: an increment, or a full run where an increment cannot do; `reach` finds out which of what
//! is stored a delta is about; `carry` is what a plan writes beside its changes; `follow` keeps a source up to date.
//!
//! An increment never knows less than it acts on: an entry that can only be judged with others (a name that two have, a
//! person who returns) is left to a full run, which follows by itself. The others take effect at once.

mod carry;
mod conflicts;
mod follow;
mod known;
mod left_out;
mod newcomers;
mod reach;
mod step;

pub(super) use carry::{Carry, Note, is_believable};
pub use follow::{can_follow, keep_up};
pub(super) use reach::reach;
pub use step::{Increment, Waiting, increment, take_delta};
