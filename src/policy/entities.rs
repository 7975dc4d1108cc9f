//! A request in Cedar's terms: the principal with its ancestors as parents, the resource, the context.
//!
//! Only the slice that the decision is about is built: the user, flattened to all departments above, all groups and all
//! roles. The whole directory never becomes entities.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::str::FromStr as _;
use std::sync::LazyLock;

use cedar_policy::{
    Context as CedarContext, Entities, Entity, EntityId, EntityTypeName, EntityUid, RestrictedExpression,
};
use moka::sync::Cache;

use super::{Action, Context, Principal, Request, Resource, Standing};

/// A request as Cedar takes it.
pub(super) struct Question {
    /// Who, what, to what, under which circumstances.
    pub(super) request: cedar_policy::Request,
    /// What is known of them.
    pub(super) entities: Entities,
    /// The resource.
    pub(super) resource: EntityUid,
}

impl Question {
    /// Translates `request`.
    pub(super) fn new(request: &Request) -> Result<Self, String> {
        let principal = principal(&request.principal, &request.context.departments)?;
        let resource = resource(&request.resource)?;
        let asked = cedar_policy::Request::new(
            principal.uid(),
            action(request.action)?,
            resource.clone(),
            context(&request.context)?,
            None,
        );
        let mut entities = vec![principal, Entity::new_no_attrs(resource.clone(), HashSet::new())];
        entities.extend(department(&request.context.departments)?);
        Ok(Self {
            request: asked.map_err(|error| error.to_string())?,
            entities: Entities::from_entities(entities, None).map_err(|error| error.to_string())?,
            resource,
        })
    }
}

/// Names of types, parsed once: Cedar's parser would take longer for them than all the rest of a decision.
static KINDS: LazyLock<HashMap<&'static str, EntityTypeName>> = LazyLock::new(|| {
    let kinds = [
        "Action",
        "Application",
        "Console",
        "Department",
        "Group",
        "Operator",
        "Position",
        "Role",
        "RoleHere",
        "Route",
        "ScopedRole",
        "User",
    ];
    kinds.into_iter().filter_map(|kind| Some((kind, EntityTypeName::from_str(kind).ok()?))).collect()
});

/// Addresses as Cedar writes them, of those who asked lately: it parses the name of the function each time.
static ADDRESSES: LazyLock<Cache<IpAddr, RestrictedExpression>> = LazyLock::new(|| Cache::new(1_000));

fn uid(kind: &'static str, id: &str) -> Result<EntityUid, String> {
    let kind = KINDS.get(kind).ok_or_else(|| format!("`{kind}` is no type of ours"))?;
    Ok(EntityUid::from_type_name_and_id(kind.clone(), EntityId::new(id)))
}

fn action(action: Action) -> Result<EntityUid, String> {
    uid("Action", action.as_str())
}

fn resource(resource: &Resource) -> Result<EntityUid, String> {
    match resource {
        Resource::Application { id } => uid("Application", id),
        Resource::Route { name } => uid("Route", name),
        Resource::Console => uid("Console", "yaopai"),
    }
}

/// The department of what is asked about, within all above it.
fn department(codes: &[String]) -> Result<Option<Entity>, String> {
    let Some((own, above)) = codes.split_first() else { return Ok(None) };
    let above = above.iter().map(|code| uid("Department", code)).collect::<Result<_, _>>()?;
    Ok(Some(Entity::new_no_attrs(uid("Department", own)?, above)))
}

/// What a person is besides, as attributes and parents.
fn standing(
    standing: &Standing,
    attributes: &mut HashMap<String, RestrictedExpression>,
    parents: &mut HashSet<EntityUid>,
) -> Result<(), String> {
    let heads = standing.heads.iter().map(|code| Ok(RestrictedExpression::new_entity_uid(uid("Department", code)?)));
    let heads: Vec<RestrictedExpression> = heads.collect::<Result<_, String>>()?;
    attributes.insert("heads".to_owned(), RestrictedExpression::new_set(heads));
    let acts_for = standing.acts_for.iter().map(|login| RestrictedExpression::new_string(login.clone()));
    attributes.insert("acts_for".to_owned(), RestrictedExpression::new_set(acts_for));
    for code in &standing.posts {
        parents.insert(uid("Position", code)?);
    }
    for (role, scopes) in &standing.scoped_roles {
        for scope in scopes {
            parents.insert(uid("ScopedRole", &format!("{role}@{scope}"))?);
        }
    }
    Ok(())
}

fn principal(principal: &Principal, here: &[String]) -> Result<Entity, String> {
    let text = |value: &str| RestrictedExpression::new_string(value.to_owned());
    let mut attributes = HashMap::new();
    let mut parents = HashSet::new();
    let uid_of = match principal {
        Principal::User { id, login, employee_number, departments, position, groups, roles, standing: besides } => {
            attributes.insert("login".to_owned(), text(login));
            if let Some(number) = employee_number {
                attributes.insert("employee_number".to_owned(), text(number));
            }
            let positions = position.iter();
            for (kind, ids) in [("Department", departments), ("Group", groups), ("Role", roles)] {
                for id in ids {
                    parents.insert(uid(kind, id)?);
                }
            }
            for code in positions {
                parents.insert(uid("Position", code)?);
            }
            standing(besides, &mut attributes, &mut parents)?;
            for role in roles.iter().chain(besides.scoped_roles.keys()).filter(|role| principal.has_role(role, here)) {
                parents.insert(uid("RoleHere", role)?);
            }
            uid("User", id)?
        }
        Principal::Application { id } => uid("Application", id)?,
        Principal::Operator { login } => {
            attributes.insert("login".to_owned(), text(login));
            uid("Operator", login)?
        }
    };
    Entity::new(uid_of, attributes, parents).map_err(|error| error.to_string())
}

fn context(context: &Context) -> Result<CedarContext, String> {
    let text = |value: &String| RestrictedExpression::new_string(value.clone());
    let mut pairs = vec![
        ("scopes".to_owned(), RestrictedExpression::new_set(context.scopes.iter().map(text))),
        ("amr".to_owned(), RestrictedExpression::new_set(context.amr.iter().map(text))),
    ];
    if let Some(address) = context.address {
        let address = address.to_canonical();
        let written = ADDRESSES.get_with(address, || RestrictedExpression::new_ip(address.to_string()));
        pairs.push(("address".to_owned(), written));
    }
    for (name, value) in [
        ("method", &context.method),
        ("path", &context.path),
        ("client_id", &context.client_id),
        ("actor", &context.actor),
    ] {
        if let Some(value) = value {
            pairs.push((name.to_owned(), text(value)));
        }
    }
    if let Some(code) = context.departments.first() {
        pairs.push(("department".to_owned(), RestrictedExpression::new_entity_uid(uid("Department", code)?)));
    }
    if let Some(details) = &context.authorization_details {
        let sets =
            details.sets().map(|(name, set)| (name.to_owned(), RestrictedExpression::new_set(set.iter().map(text))));
        let record = RestrictedExpression::new_record(sets).map_err(|error| error.to_string())?;
        pairs.push(("authorization_details".to_owned(), record));
    }
    CedarContext::from_pairs(pairs).map_err(|error| error.to_string())
}
