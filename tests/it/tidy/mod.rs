//! The rules of the house, checked: floors, sizes, who may name what, twins, locales, policies, documents.
//!
//! Each rule is a function from files to sentences that say what to do; a test calls it on the repository and another
//! on a bad sample, so that no rule can stop working unseen.

#![expect(clippy::indexing_slicing, reason = "a test that reaches past the end fails")]

mod documents;
mod floors;
mod locales;
mod migrations;
mod names;
mod policies;
mod shape;
mod snippets;
pub mod tree;

/// Fails with every problem of `rule` on a line of its own.
fn hold(rule: &str, problems: &[String]) {
    assert!(problems.is_empty(), "{rule}: {} to put right\n  {}\n", problems.len(), problems.join("\n  "));
}
