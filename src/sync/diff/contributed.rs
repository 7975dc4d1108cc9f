//! People of other sources: what this one adds to them, and takes back.

use crate::model::{ChangeKind, FindingCode, Link, ObjectKind, Status, User, UserId};

use super::super::document::UserDocument;
use super::super::finding::{arguments, finding};
use super::super::link::{GONE, Pending};
use super::super::merge::Merge;
use super::super::record::UserRecord;
use super::pending::Work;
use super::people::{Future, steps};
use super::{Draft, State};

const KIND: ObjectKind = ObjectKind::User;

/// The links of people of other sources carry the precedence as well: when it changes they are looked at again.
pub(super) fn sign(work: &mut Work, state: &State, source: &str, merge: &Merge) {
    for item in &mut work.users {
        if state.users.get(&UserId(item.id)).is_some_and(|user| user.source != source) {
            item.digest = merge.digest(&item.digest);
        }
    }
}

/// Adds what the source says of a person whom another one owns. Only the owner locks out and lets in.
pub(super) fn contribute(
    item: &Pending<Box<UserRecord>>,
    own: &UserDocument,
    user: &User,
    merge: &mut Merge,
    work: &mut Work,
    draft: &mut Draft,
    future: &mut Future<'_>,
) {
    let record = &item.record;
    let who = (record.external_id.as_str(), record.dn.as_str());
    draft.is_shared = true;
    draft.owners.insert(user.id, user.source.clone());
    if user.status == Status::Deleted {
        // What was reduced stays so until the owner has the person back.
        draft.link(KIND, who.0, item.id, who.1, "");
        draft.count(KIND).unchanged += 1;
        return;
    }
    let is_shut = user.status == Status::Disabled && record.enabled;
    if is_shut {
        let value = record.employee_number.clone().unwrap_or_else(|| record.login.clone());
        work.findings.push(finding(FindingCode::JoinDisabled, who, arguments([("value", value)]), false));
    }
    // Looked at again on every run, so that the finding stays.
    draft.link(KIND, who.0, item.id, who.1, if is_shut { "" } else { &item.digest });
    let target = merge.contributed(user, own);
    if steps(user, &target, draft) {
        draft.count(KIND).changed += 1;
        future.touched.insert(user.id, target);
    } else {
        draft.count(KIND).unchanged += 1;
    }
}

/// Takes back what the source said of a person whom another one owns: nobody is locked out by it.
pub(super) fn withdraw(link: &Link, user: &User, merge: &mut Merge, draft: &mut Draft, future: &mut Future<'_>) {
    draft.link(KIND, &link.external_id, link.object_id, &link.dn, GONE);
    draft.is_shared = true;
    draft.owners.insert(user.id, user.source.clone());
    let target = merge.withdrawn(user);
    if steps(user, &target, draft) {
        future.touched.insert(user.id, target);
    }
}

/// The steps of a person whose owner changes: before them the former owner is named, so that an undo finds it.
pub(super) fn inherit(user: &User, target: &UserDocument, draft: &mut Draft) {
    let at = UserDocument { source: Some(user.source.clone()), ..UserDocument::of(user) };
    let named = UserDocument { source: target.source.clone(), ..UserDocument::of(user) };
    draft.push(ChangeKind::Changed, (KIND, user.id.0), Some(&at), Some(&named));
}
