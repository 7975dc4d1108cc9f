//! What a delta does not tell of those who are new: entries below a unit that was moved in are not sent again, and groups
//! that had listed a person before do not change when the person comes into scope. Both are looked up.

use super::Session;
use super::whole::narrowed;
use super::{MemberChange, Reader};
use crate::config::DirectorySchema;
use crate::source::dn::Dn;
use crate::source::error::SourceError;
use crate::source::filter::Filter;
use crate::source::select::{Base, Selection};
use crate::source::snapshot::{Part, Snapshot};

/// Whom nobody knew before.
#[derive(Debug, Default)]
pub(in crate::source) struct Newcomers {
    /// Names of people.
    pub users: Vec<String>,
    /// Names of departments.
    pub departments: Vec<String>,
}

/// What was found out about them.
#[derive(Debug, Default)]
pub(in crate::source) struct Settled {
    /// Entries below the new departments.
    pub below: Snapshot,
    /// Groups that list the new people.
    pub members: Vec<MemberChange>,
}

impl Reader {
    /// Looks at newcomers.
    pub async fn settle(self, newcomers: Newcomers) -> Result<Settled, SourceError> {
        let mut session = Session::open(&self).await?;
        let mut collector = session.collector();
        for dn in topmost(&newcomers.departments) {
            for selection in &self.selections {
                if let Some(below) = below(selection, dn) {
                    session.read_selection(&below, &mut collector).await?;
                }
            }
        }
        let below = collector.seal();
        let mut members = Vec::new();
        for dn in newcomers.users.iter().chain(below.users.iter().map(|user| &user.dn)) {
            session.groups_of(dn, &mut members).await?;
        }
        session.connection.close().await;
        Ok(Settled { below, members })
    }
}

impl Session<'_> {
    /// The groups that list this name.
    async fn groups_of(&mut self, dn: &str, members: &mut Vec<MemberChange>) -> Result<(), SourceError> {
        let reader = self.reader;
        let (Some(groups), Some(member)) = (reader.selection(Part::Groups), &reader.member) else { return Ok(()) };
        let lists = |name: &str| Filter::Equal(name.to_owned(), dn.as_bytes().to_vec());
        let mut any = vec![lists(member)];
        if reader.config.schema == DirectorySchema::Ds389 && member == "member" {
            any.push(lists("uniquemember"));
        }
        for external_id in self.list(&narrowed(groups, Filter::Or(any)), None).await?.into_keys() {
            members.push(MemberChange { external_id, added: vec![dn.to_owned()], removed: Vec::new() });
        }
        Ok(())
    }
}

/// The names that are below none of the others.
fn topmost(names: &[String]) -> Vec<&str> {
    let parsed: Vec<(&str, Dn)> =
        names.iter().filter_map(|name| Some((name.as_str(), Dn::parse(name).ok()?.normalized()))).collect();
    let is_below = |dn: &Dn| parsed.iter().any(|(_, other)| other != dn && dn.is_within(other));
    parsed.iter().filter(|(_, dn)| !is_below(dn)).map(|(name, _)| *name).collect()
}

/// The part of a search below this name; none when the search does not reach there.
fn below(selection: &Selection, dn: &str) -> Option<Selection> {
    let base = Base::at(dn)?;
    let reaches = selection.base.as_ref().is_some_and(|whole| whole.contains(&base.dn()));
    reaches.then(|| Selection { base: Some(base), ..selection.clone() })
}

#[cfg(test)]
mod tests {
    use super::topmost;

    #[test]
    fn a_unit_is_read_with_those_below_it() {
        let names = ["ou=b,ou=a,dc=x", "OU=A, dc=x", "ou=c,dc=x", "ou=d,ou=c,dc=x"].map(str::to_owned);
        assert_eq!(topmost(&names), ["OU=A, dc=x", "ou=c,dc=x"]);
    }
}
