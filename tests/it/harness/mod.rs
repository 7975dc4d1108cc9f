//! The harness: boots the broker in process on a fresh database, with a fixed clock and a seeded generator.
//!
//! `both!` makes two tests of one body, on SQLite and on PostgreSQL. Time moves only by `app.clock().advance(…)`.

mod browser;
pub mod certificates;
pub mod cutting;
pub mod ds389;
pub mod https;
mod keys;
pub mod ldap_write;
mod leftover;
#[cfg(feature = "kerberos")]
pub mod opening;
pub mod own_postgres;
mod people;
mod postgres;
pub mod prove;
pub mod samba;
pub mod samba_domain;
pub mod scripted_ldap;
pub mod slapd;
pub mod smtp;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tempfile::TempDir;
use tokio_util::sync::CancellationToken;
use yaopai::audit::Recorder;
use yaopai::broker::Broker;
use yaopai::config::Config;
use yaopai::crypto::MasterKey;
use yaopai::http::{self, routes, server};
use yaopai::net::Outgoing;
use yaopai::oidc::{KeyRing, declare_applications};
use yaopai::policy::Policies;
use yaopai::random::Rng;
use yaopai::store::{Db, Reads};
use yaopai::time::Clock;

pub use browser::{Browser, Form, Page};
pub use people::{PASSWORD, build, person, save};

/// Which database a test runs on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Sqlite,
    Postgres,
}

/// Two tests of one body: `both!(name, |kind| async move { … })`.
#[macro_export]
macro_rules! both {
    ($(#[$meta:meta])* $name:ident, $body:expr) => {
        $(#[$meta])*
        mod $name {
            use super::*;
            use $crate::harness::Kind;

            async fn body(kind: Kind) {
                let body = $body;
                body(kind).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn sqlite() {
                body(Kind::Sqlite).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn postgres() {
                body(Kind::Postgres).await;
            }
        }
    };
}

/// URL of a fresh database, for a process of its own to open as well.
pub async fn database_url(kind: Kind, folder: &std::path::Path) -> String {
    match kind {
        Kind::Sqlite => format!("sqlite://{}", folder.join("test.db").display()),
        Kind::Postgres => postgres::fresh_database().await,
    }
}

/// A fresh, migrated database; the folder lives as long as the test.
pub async fn database(kind: Kind, folder: &std::path::Path) -> Db {
    let url = database_url(kind, folder).await;
    let db = Db::open(&url, 4).await.unwrap();
    db.migrate().await.unwrap();
    db
}

/// The means of a broker on a fresh database, at a time that stands still.
pub async fn broker(kind: Kind, folder: &std::path::Path, config: Config) -> Broker {
    let db = database(kind, folder).await;
    let clock = Clock::fixed("2026-11-22T01:00:00Z".parse().unwrap());
    let config = Arc::new(config);
    Broker {
        audit: Recorder::new(db.clone(), clock.clone()),
        net: Outgoing::new(config.clone()),
        policies: Policies::load(&policies()).unwrap(),
        reads: Reads::new(&db),
        db,
        clock,
        rng: Rng::system(),
        master: Arc::new(MasterKey::from_bytes([42; 32])),
        config,
    }
}

/// A running broker.
pub struct App {
    /// Its means.
    pub broker: Broker,
    /// Where it is reached, without a trailing slash; also its issuer.
    pub url: String,
    /// Its folder: configuration, key, SQLite file.
    pub folder: TempDir,
    stop: CancellationToken,
}

impl App {
    /// A broker with the smallest configuration.
    pub async fn start(kind: Kind) -> Self {
        Self::with_config(kind, "").await
    }

    /// A broker whose configuration is `[server]` and `extra`.
    pub async fn with_config(kind: Kind, extra: &str) -> Self {
        Self::with_server(kind, "", extra).await
    }

    /// A broker with further keys of `[server]`, and `extra`.
    pub async fn with_server(kind: Kind, server: &str, extra: &str) -> Self {
        Self::boot(kind, server, extra, Policies::load(&policies()).unwrap()).await
    }

    /// A broker with `extra` in its configuration and policies of its own.
    pub async fn with_policies(kind: Kind, extra: &str, policies: Policies) -> Self {
        Self::boot(kind, "", extra, policies).await
    }

    async fn boot(kind: Kind, server: &str, extra: &str, own: Policies) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let listener = server::bind(SocketAddr::from(([127, 0, 0, 1], 0))).unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let text = format!(
            "[server]\npublic_url = \"{url}\"\n{server}\n[policies]\nfolder = \"{}\"\n{extra}",
            policies().display()
        );
        let path = folder.path().join("yaopai.toml");
        std::fs::write(&path, &text).unwrap();
        let config = Config::parse(&path, &text, &[]).unwrap_or_else(|error| panic!("{error}"));
        let broker = Broker { policies: own, ..broker(kind, folder.path(), config).await };
        keys::plant(&broker).await;
        declare_applications(&broker).await.unwrap();
        let keys = KeyRing::open(&broker).await.unwrap();
        let stop = CancellationToken::new();
        let router = routes::router(http::App::new(broker.clone(), keys));
        let (config, stopping) = (broker.config.clone(), stop.clone());
        tokio::spawn(async move {
            server::serve(listener, router, &config.server, &config.folder, stopping).await.unwrap();
        });
        Self { broker, url, folder, stop }
    }

    /// The clock: it stands still until it is advanced.
    pub fn clock(&self) -> &Clock {
        &self.broker.clock
    }

    /// A browser of its own: cookies are kept, redirects are not followed.
    #[expect(clippy::unused_self, reason = "reads as what it is for: a browser of this broker")]
    pub fn browser(&self) -> reqwest::Client {
        client(true)
    }

    /// An absolute URL of one of its paths.
    pub fn at(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }
}

impl Drop for App {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

/// An HTTP client that follows no redirect.
pub fn client(cookies: bool) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    reqwest::Client::builder()
        .cookie_store(cookies)
        .redirect(reqwest::redirect::Policy::none())
        .no_proxy()
        .build()
        .unwrap()
}

/// The policies of the repository.
pub fn policies() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("policies")
}
