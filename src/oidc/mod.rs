//! The OpenID provider: the rules of OAuth 2.0 and OpenID Connect, without HTTP.
//!
//! Where is what: `authorize` decides about an authorization request and `code` makes and redeems codes; `token` is the
//! token endpoint, with `refresh` beside it; `issue` writes tokens, `verify` reads them; `keys` keeps the signing keys;
//! `claims` knows what is told of a person and `subject` under
//! which `sub`; `applications` and `client` know who asks; `declare` and `register` bring applications into the database. How to add
//! a grant: a variant of [`crate::model::GrantType`], an arm in `token`, a file here, a line in `metadata`.

mod applications;
mod assurance;
mod authorize;
mod backchannel;
mod binding;
mod check;
mod ciba;
mod claims;
mod client;
mod client_document;
mod client_keys;
mod code;
mod consent;
mod declare;
mod decoupled;
mod deliver;
mod demand;
mod details;
mod device;
mod dpop;
mod encrypt;
mod exchange;
mod feed;
mod front_channel;
mod hint;
mod introspect;
mod issue;
mod jwt_bearer;
mod key_revoke;
mod key_schedule;
mod key_transfer;
mod keys;
mod lifetimes;
mod logout;
mod master;
mod metadata;
mod opaque;
pub mod outside;
mod par;
mod params;
mod ping;
mod preview;
mod purge;
mod refresh;
mod register;
mod registration;
mod replay;
mod request;
mod request_object;
mod resources;
mod response;
mod revoke;
mod scopes;
mod sector;
mod status_list;
mod subject;
mod test_login;
mod token;
mod userinfo;
mod userinfo_answer;
mod verified;
mod verify;

use std::net::IpAddr;
use std::sync::Arc;

use crate::broker::Broker;
use crate::model::{Session, User};

pub use applications::Applications;
pub use authorize::{Answer, AuthorizeError, PageFault, authorize};
pub use backchannel::GIVE_UP;
pub use binding::{Scheme, Use, asked_key, check_use};
pub use check::{Advice, Level, check_application, check_request};
pub use ciba::{BackchannelAnswer, BackchannelError, authorize_backchannel, decide_request, waiting_requests};
pub use claims::scope_of as scope_of_claim;
pub use client::{ClientCertificate, ClientError, authenticate};
pub use client_keys::{ClientKeyError, KeySet, client_keys, verify_by_application};
pub use consent::{Question, Reply, withdraw_consent};
pub use declare::{DeclareError, declare_applications, describe_application};
pub use decoupled::{Decided, Decider, WaitingRequest};
pub use deliver::tell_applications;
pub use device::{DeviceAnswer, DeviceLookup, authorize_device, decide_device, find_device};
pub use dpop::{DpopError, Shown, check_proof};
pub use feed::{FEED_SCOPE, Feed, FeedError, FeedEvent, Follower, REVOKED_EVENT};
pub use front_channel::front_channel;
pub use introspect::{About, IntrospectError, Introspection, introspect, introspect_signed};
pub use key_revoke::revoke_key;
pub use key_schedule::{KeyTimes, key_times, rotate_due};
pub use key_transfer::{NewKey, export_key, import_key};
pub use keys::{KeyError, KeyRing, list_keys, rotate};
pub use logout::{LogoutAnswer, Return, logout, return_address};
pub use master::{MasterChangeError, Sealed, adopt_master, rewrap};
pub use metadata::{Aliases, Endpoints, Metadata, metadata};
pub use par::{PushError, Pushed, push};
pub use params::{NotEncoded, Params};
pub use preview::{Preview, PreviewError, preview};
pub use purge::purge;
pub use register::{NewApplication, RegisterError, add_application, remove_application, rotate_secret};
pub use registration::{
    RegistrationFault, read_registration, register, registration_token, remove_registration, replace_registration,
};
pub use revoke::{RevokeError, revoke};
pub use scopes::{PERSONAL, is_scope};
pub use sector::{SectorError, check_sector};
pub use status_list::{STATUS_LISTS_PATH, StatusLists, TTL as STATUS_TTL, list_status_lists, status_list};
pub use subject::subject;
pub use test_login::{find_test_login, offer_test_login, run_test_login};
pub use token::{GrantError, TokenResponse, answer_token_request};
pub use userinfo::{UserInfoError, userinfo};
pub use userinfo_answer::{UserInfoAnswer, present_userinfo};
pub use verified::STALENESS;
pub use verify::{AccessToken, TokenError, verify_access_token};

/// What every operation of the provider needs.
#[derive(Clone, Copy, Debug)]
pub struct Provider<'a> {
    /// The broker's means.
    pub broker: &'a Broker,
    /// The signing keys.
    pub keys: &'a KeyRing,
    /// The applications.
    pub applications: &'a Applications,
    /// The status lists.
    pub status: &'a StatusLists,
}

/// Whose live session a browser has.
#[derive(Clone, PartialEq, Debug)]
pub enum Visitor {
    /// A person's.
    Person(Box<Session>, Box<User>),
    /// The recovery administrator's.
    Operator,
}

/// What a request shows to prove who sends it, beside its parameters.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Presented {
    /// The `Authorization` header.
    pub authorization: Option<String>,
    /// The `DPoP` headers and what they are about; none where there is no such header.
    pub dpop: Option<Box<Shown>>,
    /// The certificate that TLS proved.
    pub certificate: Option<Arc<ClientCertificate>>,
}

/// Where a request comes from.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Caller {
    /// Address, for throttling, policy and the audit log.
    pub address: IpAddr,
    /// Id of the request.
    pub request_id: String,
}
