//! `yaopai serve`: starts the broker, serves until SIGINT or SIGTERM, then drains.

use std::net::TcpListener;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

use crate::access::watch_policies;
use crate::broker::Broker;
use crate::http::{App, gateway, routes, server};
use crate::jobs::{Job, Schedule, Standing, Work, on_one_node, run_jobs};
use crate::oidc::{KeyRing, declare_applications, tell_applications};
use crate::text::Language;
use crate::{login, oidc, sync};

/// Arguments of `serve`: none yet.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(config: &Path, _: Args, language: Language) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let settings = broker.config.clone();
    let listener = server::bind(settings.server.listen)?;
    let proxy = settings.gateway.listen.map(|listen| server::bind_of(listen, "gateway.listen")).transpose()?;
    let applications = settings.mtls.as_ref().and_then(|mtls| mtls.listen);
    let applications = applications.map(|listen| server::bind_of(listen, "mtls.listen")).transpose()?;
    server::certificate(&settings.server, &settings.folder).await?;
    declare_applications(&broker).await?;
    let keys = KeyRing::open(&broker).await?;
    let app = App::new(broker.clone(), keys.clone());
    app.ui.check()?;
    super::recovery::introduce(&app, language).await?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    let watching = tokio::spawn(watch_policies(broker.clone(), stop.clone()));
    let clearing = tokio::spawn(clear_away(broker.clone(), stop.clone()));
    let expiring = tokio::spawn(end_expired(broker.clone(), stop.clone()));
    let reporting = tokio::spawn(sync::tell(broker.clone(), stop.clone()));
    let (feed, stopping) = (app.feed.clone(), stop.clone());
    tokio::spawn(async move {
        stopping.cancelled().await;
        feed.close();
    });
    let telling = tell_applications(broker.clone(), app.keys.clone(), app.applications.clone(), stop.clone());
    let telling = tokio::spawn(telling);
    let jobs = run_jobs(broker.db.clone(), broker.clock.clone(), jobs(&broker, &keys)?, stop.clone());
    let jobs = tokio::spawn(jobs);
    let following = keep_up(&broker, &stop);
    let proxying = proxy.map(|proxy| tokio::spawn(serve_proxy(proxy, app.clone(), stop.clone())));
    let asking = applications.map(|listener| tokio::spawn(serve_applications(listener, app.clone(), stop.clone())));
    let served = server::serve(listener, routes::router(app), &settings.server, &settings.folder, stop.clone()).await;
    stop.cancel();
    if let Some(proxying) = proxying {
        proxying.await??;
    }
    if let Some(asking) = asking {
        asking.await??;
    }
    watching.await?;
    clearing.await?;
    expiring.await?;
    reporting.await?;
    telling.await?;
    jobs.await?;
    for following in following {
        following.await?;
    }
    // What calls under way recorded last is in the log before the database is closed.
    broker.audit.flush().await?;
    served?;
    broker.db.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
}

/// Serves the gateway's reverse proxy until `stop`. Fails the whole broker when it fails: half a broker is none.
async fn serve_proxy(listener: TcpListener, app: App, stop: CancellationToken) -> Result<(), server::ServeError> {
    let settings = app.broker.config.clone();
    let router = gateway::proxy_router(app);
    let served = server::serve(listener, router, &settings.server, &settings.folder, stop.clone()).await;
    stop.cancel();
    served
}

/// Serves applications with certificates until `stop`. Fails the whole broker when it fails.
async fn serve_applications(
    listener: TcpListener,
    app: App,
    stop: CancellationToken,
) -> Result<(), server::ServeError> {
    let settings = app.broker.config.clone();
    let Some(mtls) = &settings.mtls else { return Ok(()) };
    let router = routes::router(app);
    let both = (&settings.server, mtls);
    let served = server::serve_applications(listener, router, both, &settings.folder, stop.clone()).await;
    stop.cancel();
    served
}

/// What runs by itself: the sync of every source, the change of keys.
fn jobs(broker: &Broker, keys: &KeyRing) -> anyhow::Result<Vec<Job>> {
    let sources = broker.config.sources.iter();
    let mut jobs: Vec<Job> = sources
        .map(|source| {
            let (broker, name) = (broker.clone(), source.name.clone());
            let schedule = Schedule::new(&source.schedule, source.time_zone)?;
            let work = move || -> Work {
                let (broker, name) = (broker.clone(), name.clone());
                Box::pin(async move { nightly(&broker, &name).await })
            };
            Ok(Job { name: format!("sync:{}", source.name), schedule, work: Box::new(work) })
        })
        .collect::<anyhow::Result<_>>()?;
    for source in &broker.config.sources {
        let (owner, name) = (broker.clone(), source.name.clone());
        let work = move || -> Work {
            let (broker, name) = (owner.clone(), name.clone());
            Box::pin(async move { keep_dates(&broker, &name).await })
        };
        // Midnight is the first look of a day; what was missed or in the way is caught up with at the next.
        let schedule = Schedule::new("* * * * *", source.time_zone)?;
        jobs.push(Job { name: format!("dates:{}", source.name), schedule, work: Box::new(work) });
    }
    for source in broker.config.sources.iter().filter(|source| source.grace.delete_after.is_some()) {
        let (broker, name) = (broker.clone(), source.name.clone());
        let work = move || -> Work {
            let (broker, name) = (broker.clone(), name.clone());
            Box::pin(async move { delete_due(&broker, &name).await })
        };
        let schedule = Schedule::new(DELETE_AT, source.time_zone)?;
        jobs.push(Job { name: format!("grace:{}", source.name), schedule, work: Box::new(work) });
    }
    let (broker, keys) = (broker.clone(), keys.clone());
    let work = move || -> Work {
        let (broker, keys) = (broker.clone(), keys.clone());
        Box::pin(async move { change_keys(&broker, &keys).await })
    };
    jobs.push(Job {
        name: "keys".to_owned(),
        schedule: Schedule::new("* * * * *", chrono_tz::UTC)?,
        work: Box::new(work),
    });
    Ok(jobs)
}

/// When people whose grace period is over are deleted, in the zone of their source.
const DELETE_AT: &str = "30 4 * * *";

async fn delete_due(broker: &Broker, source: &str) {
    match sync::delete_due(broker, source, "schedule", false).await {
        Ok(report) if report.held.is_empty() => {
            tracing::info!(source, deleted = report.deleted, "people whose grace period was over are deleted");
        }
        Ok(report) => {
            tracing::warn!(source, held = ?report.held, "more people are due to be deleted than may be at once: `yaopai user delete-due`");
        }
        Err(error) => tracing::error!(source, %error, "people whose grace period is over could not be deleted"),
    }
}

/// Every source that can be is kept up to date between its full runs, by one node.
fn keep_up(broker: &Broker, stop: &CancellationToken) -> Vec<JoinHandle<()>> {
    let sources = broker.config.sources.iter().filter(|source| sync::can_follow(source));
    let standing = sources.map(|source| {
        let (own, name) = (broker.clone(), source.name.clone());
        let work = move |stop: CancellationToken| -> Work { Box::pin(sync::keep_up(own.clone(), name.clone(), stop)) };
        let standing = Standing { name: format!("follow:{}", source.name), work: Box::new(work) };
        let (db, clock, rng) = (broker.db.clone(), broker.clock.clone(), broker.rng.clone());
        tokio::spawn(on_one_node(db, clock, rng, standing, stop.clone()))
    });
    standing.collect()
}

/// Each minute one node looks whether keys are due.
async fn change_keys(broker: &Broker, keys: &KeyRing) {
    match keys.rotate_due(broker).await {
        Ok(rotated) if rotated.is_empty() => {}
        Ok(rotated) => tracing::info!(?rotated, "signing keys changed by schedule"),
        Err(error) => tracing::error!(%error, "signing keys could not be changed by schedule"),
    }
}

/// What begins or ends by its date.
async fn keep_dates(broker: &Broker, source: &str) {
    match sync::keep_dates(broker, source).await {
        Ok(None) => {}
        Ok(Some(report)) => {
            let (people, roles) = (report.users.changed, report.role_totals());
            tracing::info!(source, run = %report.run_id, people, ?roles, "dates have come into effect");
        }
        Err(sync::SyncError::Busy(_)) => tracing::debug!(source, "dates wait for the run under way"),
        Err(error) => tracing::error!(source, %error, "dates could not be brought into effect"),
    }
}

async fn nightly(broker: &Broker, source: &str) {
    match sync::run(broker, source, "schedule", &mut |_| {}).await {
        Ok(report) => {
            let (state, changes) = (report.state, report.changes);
            let held: Vec<&str> = report.held.iter().map(|reason| reason.code.as_str()).collect();
            tracing::info!(source, run = %report.run_id, %state, changes, ?held, "sync by schedule");
        }
        Err(error) => tracing::error!(source, %error, "sync by schedule failed; nothing was changed"),
    }
}

async fn stop_on_signal(stop: CancellationToken) {
    let (Ok(mut terminate), Ok(mut interrupt)) = (signal(SignalKind::terminate()), signal(SignalKind::interrupt()))
    else {
        tracing::error!("signals cannot be watched; stop the broker with SIGKILL");
        return;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    tracing::info!("stopping: no new requests, finishing those under way");
    stop.cancel();
}

/// How often sessions that ran out are ended, so that applications hear of it.
const EXPIRE_EVERY: Duration = Duration::from_secs(15);

/// Ends sessions that ran out, until the stop. Every node does it: two at once only share the work.
async fn end_expired(broker: Broker, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(EXPIRE_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        match login::end_expired(&broker).await {
            Ok(0) => {}
            Ok(sessions) => tracing::info!(sessions, "sessions ran out"),
            Err(error) => tracing::error!(%error, "sessions that ran out could not be ended"),
        }
    }
}

/// How often what has expired is cleared away.
const CLEAR_EVERY: Duration = Duration::from_mins(10);

/// Clears away expired codes, tokens, grants, sessions and throttles until the stop. Every node does it: two at once only share the work.
async fn clear_away(broker: Broker, stop: CancellationToken) {
    let mut ticks = tokio::time::interval(CLEAR_EVERY);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = ticks.tick() => {}
        }
        for cleared in [oidc::purge(&broker).await, login::purge(&broker).await, sync::purge(&broker).await] {
            match cleared {
                Ok(0) => {}
                Ok(rows) => tracing::debug!(rows, "expired rows cleared away"),
                Err(error) => tracing::error!(%error, "expired rows could not be cleared away"),
            }
        }
    }
}
