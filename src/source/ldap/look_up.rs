//! Ids looked up in whole naming contexts, outside of base and filter: who is found there was moved out of scope, and is
//! not deleted.

use std::collections::HashMap;

use super::changes::{CHUNK, Reader, any_of, narrowed};
use super::kind::Kind;
use super::root::Root;
use super::servers;
use crate::config::DirectorySchema;
use crate::source::delta::Found;
use crate::source::dn::Dn;
use crate::source::error::SourceError;
use crate::source::select::{Base, Selection};
use crate::source::snapshot::Part;

use super::connect::Connection;
use super::search;

/// LDAP result 32: nothing is there.
const NO_SUCH_OBJECT: u32 = 32;

/// Where the ids are. Who is not in the answer is nowhere on this server, as far as the account may see.
pub(in crate::source) async fn look_up(
    reader: Reader,
    ids: Vec<String>,
    part: Part,
) -> Result<HashMap<String, Found>, SourceError> {
    let selections = reader.selections.iter().filter(|selection| selection.part == part);
    let mut found = HashMap::new();
    let mut connection = servers::service(&reader.config, &reader.folder).await?;
    let mut kind = Kind::learn(&mut connection, &reader.config, &reader.selections).await?;
    let root = Root::read(&mut connection).await?;
    for selection in selections {
        let contexts = contexts(&reader, &root, selection);
        connection.bases = contexts.iter().chain(&selection.base).map(Base::dn).collect();
        for chunk in ids.chunks(CHUNK) {
            for context in &contexts {
                let anywhere = any_of(&selection.id, chunk);
                let wide = Selection { base: Some(context.clone()), filter: anywhere, ..selection.clone() };
                for (id, dn) in names(&mut connection, &reader, &mut kind, &wide).await? {
                    found.entry(id).or_insert(Found { dn, is_in_scope: false });
                }
            }
            let covered = narrowed(selection, any_of(&selection.id, chunk));
            for (id, dn) in names(&mut connection, &reader, &mut kind, &covered).await? {
                found.insert(id, Found { dn, is_in_scope: true });
            }
        }
    }
    connection.close().await;
    Ok(found)
}

/// Where somebody may have been moved: the domain; elsewhere everything that the server holds, or as much of it as the
/// configuration names where it does not tell.
fn contexts(reader: &Reader, root: &Root, selection: &Selection) -> Vec<Base> {
    let names = match reader.config.schema {
        DirectorySchema::ActiveDirectory => root.all("defaultnamingcontext"),
        _ => root.all("namingcontexts"),
    };
    // OpenLDAP lists the name "" where it serves any.
    let mut found: Vec<Base> = names.iter().filter(|name| !name.is_empty()).filter_map(|name| Base::at(name)).collect();
    if found.is_empty() {
        found.extend(Base::at(&reader.config.base_dn).or_else(|| selection.base.clone()));
    }
    found
}

/// Id → name of what a search finds; a base that is not there holds nobody.
async fn names(
    connection: &mut Connection,
    reader: &Reader,
    kind: &mut Kind,
    selection: &Selection,
) -> Result<Vec<(String, String)>, SourceError> {
    let lean = Selection { wanted: std::collections::BTreeSet::new(), asked: &[], stamp: None, ..selection.clone() };
    let mut found = Vec::new();
    let read = search::all_pages(connection, &reader.config, &lean, |mut raw| {
        kind.shape(lean.part, &mut raw);
        let id = raw.values.get(&lean.id).and_then(|values| values.first());
        let id = id.and_then(|id| String::from_utf8(id.clone()).ok());
        if let (Some(id), Ok(dn)) = (id, String::from_utf8(std::mem::take(&mut raw.dn)))
            && Dn::parse(&dn).is_ok()
        {
            found.push((id.trim().to_owned(), dn));
        }
    })
    .await;
    match read {
        Err(SourceError::Result { code: NO_SUCH_OBJECT, .. }) | Ok(()) => Ok(found),
        Err(error) => Err(error),
    }
}
