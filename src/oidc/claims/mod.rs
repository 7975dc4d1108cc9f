//! What an application is told of a person: by scope, by the `claims` parameter, by its own mapping.
//!
//! Three things decide what is told in a place (ID token, `UserInfo`, access token): the scopes that were granted (one
//! table says which claims they bring), single claims that were asked for and whose scope the application may have,
//! and the application's mapping, which goes before the standard claims. Nothing here reads the database for an
//! application that has none of it.

mod person;
mod request;
mod rules;
mod table;

use serde_json::{Map, Value, json};

use self::person::{Needs, Person};
pub(super) use self::request::ClaimsRequest;
use self::request::Wanted;
pub(super) use self::table::TABLE;
pub use self::table::scope_of;
use super::scopes;
use crate::broker::Broker;
use crate::model::{Application, ClaimPlace, ClaimRule, GrantDetails, RESERVED_CLAIMS, User, UserId};
use crate::store::{Known, StoreError, Tx};

/// What was granted, as far as claims are concerned.
#[derive(Clone, Copy, Debug)]
pub(super) struct Granted<'a> {
    pub app: &'a Application,
    /// Space separated.
    pub scope: &'a str,
    pub details: &'a GrantDetails,
}

impl Granted<'_> {
    /// Whether tokens can say nothing but roles.
    fn is_plain(&self) -> bool {
        self.app.settings.identity.claims.is_empty() && self.details.claims.is_none()
    }
}

/// One claim that is to be told.
enum Item<'a> {
    Standard(&'a str, Option<Wanted>),
    Mapped(&'a str, &'a ClaimRule),
}

/// The claims of one place, in the order in which later ones go before earlier ones.
struct List<'a>(Vec<Item<'a>>);

impl<'a> List<'a> {
    fn of(granted: Granted<'a>, place: ClaimPlace, asked: &'a ClaimsRequest) -> Self {
        let Granted { app, scope, .. } = granted;
        let mut items = Vec::new();
        // Descriptive claims come from `UserInfo` (OpenID Connect Core 1.0 section 5.4); roles are in tokens too.
        let by_scope = TABLE.iter().filter(|(claim, _)| place == ClaimPlace::UserInfo || *claim == "roles");
        items.extend(by_scope.filter(|(_, of)| scopes::has(scope, of)).map(|(claim, _)| Item::Standard(claim, None)));
        let single = match place {
            ClaimPlace::IdToken => Some(&asked.id_token),
            ClaimPlace::UserInfo => Some(&asked.userinfo),
            ClaimPlace::AccessToken => None,
        };
        let may = |claim: &str| scope_of(claim).is_some_and(|of| app.settings.scopes.iter().any(|own| own == of));
        for (claim, wanted) in single.into_iter().flatten().filter(|(claim, _)| may(claim)) {
            items.push(Item::Standard(claim, Some(wanted.clone())));
        }
        let rules = app.settings.identity.claims.iter().filter(|(name, rule)| {
            rule.is_for(place)
                && rule.scope.as_deref().is_none_or(|of| scopes::has(scope, of))
                && !RESERVED_CLAIMS.contains(&name.as_str())
        });
        items.extend(rules.map(|(name, rule)| Item::Mapped(name, rule)));
        Self(items)
    }

    fn needs(&self, needs: &mut Needs) {
        for item in &self.0 {
            match item {
                Item::Standard(claim, _) => needs.standard(claim),
                Item::Mapped(_, rule) => needs.rule(rule),
            }
        }
    }

    fn say(&self, person: &Person<'_>) -> Map<String, Value> {
        let mut said = Map::new();
        for item in &self.0 {
            let (name, value) = match item {
                Item::Standard(claim, wanted) => {
                    let value = table::value(person, claim);
                    (*claim, value.filter(|value| wanted.as_ref().is_none_or(|wanted| wanted.accepts(value))))
                }
                Item::Mapped(name, rule) => (*name, rules::value(person, rule)),
            };
            if let Some(value) = value {
                said.insert(name.to_owned(), value);
            }
        }
        said
    }
}

/// What tokens say of a person.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Told {
    pub id_token: Map<String, Value>,
    pub access_token: Map<String, Value>,
}

impl Told {
    fn roles(roles: &[String]) -> Self {
        let roles = Map::from_iter([("roles".to_owned(), json!(roles))]);
        Self { id_token: roles.clone(), access_token: roles }
    }
}

/// What ID token and access token say of a person. `user` is read only when something is to be told of them.
pub(super) async fn in_tokens(tx: &mut Tx, granted: Granted<'_>, user: UserId) -> Result<Told, StoreError> {
    if granted.is_plain() {
        // Nearly every application: roles or nothing.
        let has_roles = scopes::has(granted.scope, "roles");
        return Ok(if has_roles { Told::roles(&tx.claims().roles(user).await?) } else { Told::default() });
    }
    match tx.users().find(user).await? {
        Some(user) => in_tokens_at_length(tx, granted, &user).await,
        None => Ok(Told::default()),
    }
}

/// The same, of a person whose facts were read already.
pub(super) async fn in_tokens_of(broker: &Broker, granted: Granted<'_>, known: &Known) -> Result<Told, StoreError> {
    if granted.is_plain() {
        if !scopes::has(granted.scope, "roles") {
            return Ok(Told::default());
        }
        let roles = known.facts.iter().filter(|(kind, _)| matches!(kind.as_str(), "role" | "scoped"));
        let mut roles: Vec<String> = roles.map(|(_, code)| code.clone()).collect();
        roles.sort_unstable();
        return Ok(Told::roles(&roles));
    }
    in_tokens_at_length(&mut broker.db.read().await?, granted, &known.user).await
}

async fn in_tokens_at_length(tx: &mut Tx, granted: Granted<'_>, user: &User) -> Result<Told, StoreError> {
    let asked = ClaimsRequest::of(granted.details.claims.as_ref());
    let lists = [ClaimPlace::IdToken, ClaimPlace::AccessToken].map(|place| List::of(granted, place, &asked));
    let mut needs = Needs::default();
    for list in &lists {
        list.needs(&mut needs);
    }
    let person = Person::read(tx, user, needs).await?;
    let [id_token, access_token] = lists.map(|list| list.say(&person));
    Ok(Told { id_token, access_token })
}

/// What `UserInfo` says of a person, without `sub`.
pub(super) async fn at_userinfo(
    broker: &Broker,
    granted: Granted<'_>,
    user: &User,
) -> Result<Map<String, Value>, StoreError> {
    let asked = ClaimsRequest::of(granted.details.claims.as_ref());
    let list = List::of(granted, ClaimPlace::UserInfo, &asked);
    let mut needs = Needs::default();
    list.needs(&mut needs);
    let person = if needs == Needs::default() {
        Person::alone(user)
    } else {
        Person::read(&mut broker.db.read().await?, user, needs).await?
    };
    Ok(list.say(&person))
}
