//! Reading a folder of policies: `schema.cedarschema` and `*.cedar`, validated strictly, indexed by what they are about.
//!
//! Every policy carries an `@id`, unique over all files: decisions and the audit log name policies by it. Templates are
//! refused: a policy says itself whom it is about.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::str::FromStr as _;

use cedar_policy::{Policy, PolicyId, PolicySet, Schema, ValidationMode, Validator};

use super::fault::{Fault, PolicyError};
use super::index::Index;
use crate::crypto::sha256_hex;

/// Name of the schema's file.
pub(super) const SCHEMA: &str = "schema.cedarschema";

/// One file of the folder, as read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct File {
    /// Name within the folder.
    pub(super) name: String,
    /// Its text.
    pub(super) text: String,
}

/// The text of the folder: schema and policies in the order of their names, with a digest over all of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Folder {
    /// Where.
    pub(super) path: String,
    /// The schema.
    pub(super) schema: File,
    /// `*.cedar`, by name.
    pub(super) policies: Vec<File>,
    /// SHA-256 over names and texts: the version of the policies.
    pub(super) digest: String,
}

impl Folder {
    /// Reads schema and policies.
    pub(super) fn read(path: &Path) -> Result<Self, PolicyError> {
        let schema = read_file(path, SCHEMA)?;
        let mut policies = Vec::new();
        for name in names(path, ".cedar")? {
            policies.push(read_file(path, &name)?);
        }
        let mut text = String::new();
        for file in std::iter::once(&schema).chain(&policies) {
            let _ = write!(text, "{}:{}:{}:{}", file.name.len(), file.name, file.text.len(), file.text);
        }
        Ok(Self { path: path.display().to_string(), schema, policies, digest: sha256_hex(text.as_bytes()) })
    }
}

/// Names of the folder's files that end in `ending`, sorted.
pub(super) fn names(folder: &Path, ending: &str) -> Result<Vec<String>, PolicyError> {
    let failed = |cause| PolicyError::Read { path: folder.display().to_string(), cause };
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name().to_string_lossy().into_owned();
        if name.ends_with(ending) && !name.starts_with('.') {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Reads one file of the folder.
pub(super) fn read_file(folder: &Path, name: &str) -> Result<File, PolicyError> {
    let path = folder.join(name);
    let text = std::fs::read_to_string(&path)
        .map_err(|cause| PolicyError::Read { path: path.display().to_string(), cause })?;
    Ok(File { name: name.to_owned(), text })
}

/// A policy of the set, with where it stands.
#[derive(Clone, Debug)]
pub(super) struct Known {
    /// File name.
    pub(super) file: String,
    /// Line of its `@id`.
    pub(super) line: usize,
    /// Its text.
    pub(super) text: String,
}

/// A set that parsed and validated.
#[derive(Clone, Debug)]
pub(super) struct Loaded {
    /// The policies by what they are about.
    pub(super) index: Index,
    /// Every policy by id.
    pub(super) known: BTreeMap<String, Known>,
    /// SHA-256 over everything that was read.
    pub(super) digest: String,
}

impl Loaded {
    /// Parses and validates what was read.
    pub(super) fn parse(folder: &Folder) -> Result<Self, PolicyError> {
        let mut faults = Vec::new();
        let loaded = parse(folder, &mut faults);
        match loaded {
            Some(loaded) if faults.is_empty() => Ok(loaded),
            _ => Err(PolicyError::Faults { folder: folder.path.clone(), faults }),
        }
    }
}

fn parse(folder: &Folder, faults: &mut Vec<Fault>) -> Option<Loaded> {
    let schema = parse_schema(&folder.schema, faults)?;
    if folder.policies.is_empty() {
        let remedy = "write policies into files such as access.cedar";
        faults.push(Fault::of_file("*.cedar", "there is no such file, so nothing would be allowed", remedy));
    }
    let validator = Validator::new(schema);
    let mut known = BTreeMap::new();
    let mut policies = Vec::new();
    for file in &folder.policies {
        let Some(set) = parse_file(file, faults) else { continue };
        for error in validator.validate(&set, ValidationMode::Strict).validation_errors() {
            faults.push(Fault::of_cedar(&file.name, &file.text, error, "compare it with schema.cedarschema"));
        }
        for policy in set.policies() {
            if let Some((id, place)) = identify(file, policy, &known, faults) {
                policies.push(policy.new_id(PolicyId::new(&id)));
                known.insert(id, place);
            }
        }
    }
    match Index::build(&policies) {
        Ok(index) => Some(Loaded { index, known, digest: folder.digest.clone() }),
        Err(message) => {
            faults.push(Fault::of_file("*.cedar", message, "report it with the policies"));
            None
        }
    }
}

fn parse_schema(file: &File, faults: &mut Vec<Fault>) -> Option<Schema> {
    match Schema::from_cedarschema_str(&file.text) {
        Ok((schema, _)) => Some(schema),
        Err(error) => {
            faults.push(Fault::of_cedar(&file.name, &file.text, &error, "correct the schema"));
            None
        }
    }
}

fn parse_file(file: &File, faults: &mut Vec<Fault>) -> Option<PolicySet> {
    let set = match PolicySet::from_str(&file.text) {
        Ok(set) => set,
        Err(errors) => {
            let all = errors.iter().map(|error| Fault::of_cedar(&file.name, &file.text, error, "correct the policy"));
            faults.extend(all);
            return None;
        }
    };
    if set.num_of_templates() > 0 {
        let offset = file.text.find("?principal").or_else(|| file.text.find("?resource")).unwrap_or(0);
        let remedy = "write the principal and the resource out";
        faults.push(Fault::at(&file.name, &file.text, offset, "templates are not supported", remedy));
    }
    Some(set)
}

/// The `@id` of a policy and its place; a fault where it has none or another policy has it.
fn identify(
    file: &File,
    policy: &Policy,
    known: &BTreeMap<String, Known>,
    faults: &mut Vec<Fault>,
) -> Option<(String, Known)> {
    let text = policy.to_cedar().unwrap_or_default();
    let Some(id) = policy.annotation("id").filter(|id| !id.trim().is_empty()) else {
        let offset = file.text.find(&text).unwrap_or(0);
        let remedy = "put @id(\"what-it-does\") before it";
        faults.push(Fault::at(&file.name, &file.text, offset, "a policy has no @id", remedy));
        return None;
    };
    let offset = offset_of_id(&file.text, id);
    if let Some(other) = known.get(id) {
        let message = format!("the @id `{id}` is taken by {}:{}", other.file, other.line);
        // The second of two in one file is the one to rename.
        let offset = if other.file == file.name { last_offset_of_id(&file.text, id) } else { offset };
        faults.push(Fault::at(&file.name, &file.text, offset, message, "give every policy an @id of its own"));
        return None;
    }
    let line = file.text.get(..offset).unwrap_or_default().matches('\n').count() + 1;
    Some((id.to_owned(), Known { file: file.name.clone(), line, text }))
}

fn offset_of_id(text: &str, id: &str) -> usize {
    text.find(&format!("@id(\"{id}\")")).unwrap_or(0)
}

fn last_offset_of_id(text: &str, id: &str) -> usize {
    text.rfind(&format!("@id(\"{id}\")")).unwrap_or(0)
}
