//! What both ways of Active Directory need: how far a domain controller has counted and who it is, members by primary
//! group, what moved with everything below it.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use ldap3::Scope;

use super::standing::{Mark, Standing};
use super::whole::{CHUNK, any_of, narrowed};
use super::{Session, Stop};
use crate::source::delta::{DeltaRefusal, MemberChange};
use crate::source::error::SourceError;
use crate::source::filter::Filter;
use crate::source::generalized_time::seconds;
use crate::source::ldap::answer;
use crate::source::ldap::kind::{guid, sid};
use crate::source::ldap::search::{self, Search, page};
use crate::source::select::{Base, Selection};
use crate::source::snapshot::{Part, Snapshot};

/// Deleted objects are kept at least this long; whoever was away for longer may have missed some: seconds.
const TOMBSTONES: i64 = 60 * 86_400;
/// What may have people, groups and units below it.
const CONTAINERS: &[&str] = &["organizationalunit", "container", "builtindomain", "domaindns"];

impl Session<'_> {
    /// The naming context of the domain.
    pub(super) fn domain(&self) -> Result<String, Stop> {
        // Without one it is no domain controller, and the ways of one do not work.
        Ok(self.root.first("defaultnamingcontext").ok_or(DeltaRefusal::NotSupported)?.to_owned())
    }

    /// Who the domain controller is and how far it has counted. Taken before a read.
    pub(super) async fn mark(&mut self) -> Result<(String, Mark), Stop> {
        let name = self.root.first("dsservicename").ok_or(DeltaRefusal::NotSupported)?.to_owned();
        let usn = self.root.first("highestcommittedusn").and_then(|usn| usn.parse().ok());
        let usn = usn.ok_or(DeltaRefusal::NotSupported)?;
        let attributes = ["invocationId".to_owned()];
        let search = Search { base: &name, scope: Scope::Base, filter: "(objectClass=*)", attributes: &attributes };
        let mut found = None;
        let (result, _) = page(&mut self.connection, search, None, &mut |raw| found = Some(raw)).await?;
        if result.rc != 0 {
            return Err(answer::search_failed(&name, &result).into());
        }
        let bytes = found.and_then(|raw| raw.values.get("invocationid")?.first().cloned());
        let invocation = bytes.and_then(|bytes| guid(&bytes)).ok_or(DeltaRefusal::NotSupported)?;
        Ok((name, Mark { invocation, usn }))
    }

    /// Whether the domain controller is the one it was and has not been set back; whether deleted objects are still kept.
    pub(super) fn refuse_set_back(&self, standing: &Standing, name: &str, now: &Mark) -> Result<(), Stop> {
        if let Some(before) = standing.marks.get(name) {
            let server = self.connection.url.clone();
            if before.invocation != now.invocation {
                return Err(DeltaRefusal::Restored { server }.into());
            }
            if now.usn < before.usn {
                return Err(DeltaRefusal::RolledBack { server, was: before.usn, is: now.usn }.into());
            }
        }
        let time = |text: Option<&str>| text.and_then(seconds);
        if let (Some(then), Some(now)) = (time(standing.at.as_deref()), time(self.root.first("currenttime")))
            && now - then > TOMBSTONES
        {
            let said = format!("{} days have passed, deleted objects are kept for 60 at least", (now - then) / 86_400);
            return Err(DeltaRefusal::Expired { said }.into());
        }
        Ok(())
    }

    /// Stands at this mark now.
    pub(super) fn stand_at(&self, standing: &mut Standing, name: String, mark: Mark) {
        standing.marks.insert(name, mark);
        standing.at = self.root.first("currenttime").map(str::to_owned);
        standing.server.clone_from(&self.connection.url);
    }

    /// Learns who has one of these groups as primary group, as a full read has from reading the people first.
    pub(super) async fn learn_primary_members(&mut self, groups: &Selection) -> Result<(), SourceError> {
        let Some(people) = self.reader.selection(Part::Users) else { return Ok(()) };
        let lean =
            Selection { wanted: BTreeSet::from(["objectsid".to_owned()]), asked: &[], stamp: None, ..groups.clone() };
        let mut numbers = BTreeSet::new();
        search::all_pages(&mut self.connection, &self.reader.config, &lean, |raw| {
            let text = raw.values.get("objectsid").and_then(|values| values.first()).and_then(|bytes| sid(bytes));
            numbers.extend(text.and_then(|text| Some(text.rsplit_once('-')?.1.to_owned())));
        })
        .await?;
        if numbers.is_empty() {
            return Ok(());
        }
        let wanted = ["objectsid", "primarygroupid"].map(str::to_owned).into();
        let by_number = any_of("primarygroupid", &numbers);
        let having = Selection { wanted, asked: &[], stamp: None, ..narrowed(people, by_number) };
        let (connection, kind) = (&mut self.connection, &mut self.kind);
        search::all_pages(connection, &self.reader.config, &having, |mut raw| kind.shape(Part::Users, &mut raw)).await
    }

    /// Whoever was read is a member of their primary group, which does not list them. When a primary group changes, the
    /// list of the new one loses a name that stays a member.
    pub(super) async fn primary_memberships(
        &mut self,
        read: &Snapshot,
        members: Vec<MemberChange>,
    ) -> Result<Vec<MemberChange>, SourceError> {
        let mut all: BTreeMap<String, MemberChange> =
            members.into_iter().map(|change| (change.external_id.clone(), change)).collect();
        let Some(groups) = self.reader.selection(Part::Groups) else { return Ok(Vec::new()) };
        let ours: BTreeSet<&str> = read.users.iter().map(|user| user.dn.as_str()).collect();
        for (group, mut names) in self.kind.primary_members() {
            names.retain(|name| ours.contains(name.as_str()));
            if names.is_empty() {
                continue;
            }
            let of_group = narrowed(groups, Filter::Equal("objectsid".to_owned(), group.into_bytes()));
            for id in self.list(&of_group, None).await?.into_keys() {
                let empty = || MemberChange { external_id: id.clone(), added: Vec::new(), removed: Vec::new() };
                let change = all.entry(id.clone()).or_insert_with(empty);
                change.removed.retain(|name| !names.contains(name));
                change.added.extend(names.iter().cloned());
            }
        }
        let whole: BTreeSet<&str> = read.groups.iter().map(|group| group.external_id.as_str()).collect();
        Ok(all.into_values().filter(|change| !whole.contains(change.external_id.as_str())).collect())
    }

    /// Of ids that no search of the mapping returns, one that has entries below it: these are not sent again, so that
    /// they are in the base now, or no longer, without a word.
    pub(super) async fn moved_container(&mut self, ids: &[String]) -> Result<Option<String>, Stop> {
        let domain = self.domain()?;
        let Some(people) = self.reader.selection(Part::Users) else { return Ok(None) };
        let class = |name: &&str| Filter::Equal("objectclass".to_owned(), name.as_bytes().to_vec());
        let is_container = Filter::Or(CONTAINERS.iter().map(class).collect());
        for chunk in ids.chunks(CHUNK) {
            let filter = Filter::And(vec![is_container.clone(), any_of("objectguid", chunk)]);
            let all = Selection { base: Base::at(&domain), id: "objectguid".to_owned(), filter, ..people.clone() };
            if let Some((dn, _)) = self.list(&all, None).await?.into_values().next() {
                return Ok(Some(dn));
            }
        }
        Ok(None)
    }

    /// Only those groups that base and filter cover.
    pub(super) async fn groups_in_scope(
        &mut self,
        changes: HashMap<String, MemberChange>,
    ) -> Result<Vec<MemberChange>, SourceError> {
        let Some(groups) = self.reader.selection(Part::Groups) else { return Ok(Vec::new()) };
        let ids: Vec<String> = changes.keys().cloned().collect();
        let mut covered = BTreeSet::new();
        for chunk in ids.chunks(CHUNK) {
            covered.extend(self.list(&narrowed(groups, any_of(&groups.id, chunk)), None).await?.into_keys());
        }
        Ok(changes.into_values().filter(|change| covered.contains(&change.external_id)).collect())
    }
}
