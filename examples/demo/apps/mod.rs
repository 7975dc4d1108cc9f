//! The two sample applications and the integration API behind the gateway.
//!
//! Both applications are the same small web server: an OA (办公系统) and an expense system (报销系统), the latter with a
//! page of its own that calls the expense API through the gateway.

mod api;
mod expense;
mod pages;
pub mod relying_party;
mod visit;

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use axum::Router;
use axum::routing::{get, post};
use tokio::net::TcpListener;

pub use api::{CALLER, serve as serve_api};
use pages::Pages;
use relying_party::{Member, Pending, Registration, RelyingParty};

/// Which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// 办公系统.
    Oa,
    /// 报销系统.
    Expense,
}

/// A running sample application. Cheap to clone.
#[derive(Clone, Debug)]
struct Sample {
    kind: Kind,
    party: RelyingParty,
    pages: Arc<Pages>,
    gateway: String,
    broker: String,
    neighbour: String,
    members: Arc<Kept<Member>>,
    pending: Arc<Kept<Pending>>,
}

/// What an application keeps for a browser, by the random value of a cookie.
#[derive(Debug)]
struct Kept<T>(Mutex<HashMap<String, T>>);

impl<T> Default for Kept<T> {
    fn default() -> Self {
        Self(Mutex::new(HashMap::new()))
    }
}

impl<T> Kept<T> {
    fn put(&self, value: T) -> String {
        let key = openidconnect::CsrfToken::new_random().into_secret();
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.clone(), value);
        key
    }

    fn replace(&self, key: &str, value: T) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(key.to_owned(), value);
    }

    fn take(&self, key: &str) -> Option<T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(key)
    }

    fn get(&self, key: &str) -> Option<T>
    where
        T: Clone,
    {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }
}

impl Sample {
    fn session_cookie(&self) -> &'static str {
        match self.kind {
            Kind::Oa => "oa_session",
            Kind::Expense => "expense_session",
        }
    }

    fn pending_cookie(&self) -> &'static str {
        match self.kind {
            Kind::Oa => "oa_sign_in",
            Kind::Expense => "expense_sign_in",
        }
    }
}

/// Addresses that an application shows or calls.
#[derive(Clone, Debug)]
pub struct Neighbourhood {
    /// The gateway's address.
    pub gateway: String,
    /// The other application.
    pub neighbour: String,
}

/// Serves one sample application on `listener` for as long as the process lives.
pub fn serve(
    kind: Kind,
    listener: TcpListener,
    registration: Registration,
    around: Neighbourhood,
) -> anyhow::Result<()> {
    let sample = Sample {
        kind,
        broker: registration.issuer.clone(),
        party: RelyingParty::new(registration)?,
        pages: Arc::new(Pages::new()?),
        gateway: around.gateway,
        neighbour: around.neighbour,
        members: Arc::default(),
        pending: Arc::default(),
    };
    let mut router = Router::new()
        .route("/", get(visit::home))
        .route("/login", get(visit::begin))
        .route("/callback", get(visit::callback))
        .route("/logout", post(visit::logout))
        .route("/style.css", get(pages::style));
    if kind == Kind::Expense {
        router = router.route("/approve", post(expense::approve));
    }
    let router = router.with_state(sample);
    tokio::spawn(async move { axum::serve(listener, router).await });
    Ok(())
}
