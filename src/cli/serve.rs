//! `yaopai serve`: starts the broker, serves until SIGINT or SIGTERM, then drains.

use std::path::Path;
use std::process::ExitCode;

use tokio::signal::unix::{SignalKind, signal};
use tokio_util::sync::CancellationToken;

use crate::http::{App, routes, server};
use crate::oidc::{KeyRing, declare_applications};

/// Arguments of `serve`: none yet.
#[derive(Debug, clap::Args)]
pub struct Args {}

pub(super) async fn run(config: &Path, _: Args) -> anyhow::Result<ExitCode> {
    let broker = super::broker(config).await?;
    let settings = broker.config.clone();
    let listener = server::bind(settings.server.listen)?;
    server::certificate(&settings.server, &settings.folder).await?;
    declare_applications(&broker).await?;
    let keys = KeyRing::open(&broker).await?;
    let app = App::new(broker.clone(), keys);
    app.ui.check()?;
    super::recovery::introduce(&app).await?;
    let stop = CancellationToken::new();
    tokio::spawn(stop_on_signal(stop.clone()));
    server::serve(listener, routes::router(app), &settings.server, &settings.folder, stop).await?;
    broker.db.close().await;
    tracing::info!("stopped");
    Ok(ExitCode::SUCCESS)
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
