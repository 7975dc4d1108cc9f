//! Delivering what is queued: to the mail server, to webhooks through the guarded client.

use chrono::Duration;
use serde_json::Value;

use crate::broker::Broker;
use crate::config::ReportConfig;
use crate::crypto::webhook_signature;
use crate::net::{Mail, send_mail};
use crate::store::ReportDelivery;

use super::super::SyncError;

/// How long a delivery is one caller's.
const LEASE: Duration = Duration::minutes(5);
/// How long it is tried.
const PATIENCE: Duration = Duration::days(1);
/// Deliveries taken at once.
const BATCH: i64 = 20;

/// Delivers what is due; tells how many arrived.
///
/// # Errors
/// When the database fails; what a receiver does not take is tried again.
pub async fn deliver_due(broker: &Broker) -> Result<u64, SyncError> {
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    let taken = tx.report_deliveries().take(now, now + LEASE, BATCH).await?;
    tx.commit().await?;
    let mut arrived = 0;
    for delivery in taken {
        let sent = match broker.config.reports.iter().find(|wish| wish.name == delivery.report) {
            Some(wish) => send(broker, wish, &delivery).await,
            None => Err("the report is no longer configured".to_owned()),
        };
        arrived += u64::from(sent.is_ok());
        finish(broker, &delivery, sent).await?;
    }
    Ok(arrived)
}

async fn finish(broker: &Broker, delivery: &ReportDelivery, sent: Result<(), String>) -> Result<(), SyncError> {
    let now = broker.clock.now();
    let mut tx = broker.db.write().await?;
    match sent {
        Ok(()) => tx.report_deliveries().finish(delivery.id, now, None).await?,
        Err(error) if now - delivery.created_at > PATIENCE => {
            tracing::error!(report = %delivery.report, channel = %delivery.channel, %error, "a report was given up after a day");
            tx.report_deliveries().finish(delivery.id, now, Some(&error)).await?;
        }
        Err(error) => {
            tracing::warn!(report = %delivery.report, channel = %delivery.channel, %error, "a report was not taken; it is tried again");
            let exponent = u32::try_from(delivery.attempts.clamp(1, 6)).unwrap_or(6);
            let wait = Duration::minutes(2_i64.pow(exponent - 1));
            tx.report_deliveries().put_back(delivery.id, now + wait, &error).await?;
        }
    }
    Ok(tx.commit().await?)
}

async fn send(broker: &Broker, wish: &ReportConfig, delivery: &ReportDelivery) -> Result<(), String> {
    match delivery.channel.as_str() {
        "mail" => mail(broker, wish, delivery).await,
        _ => post(broker, wish, delivery).await,
    }
}

async fn mail(broker: &Broker, wish: &ReportConfig, delivery: &ReportDelivery) -> Result<(), String> {
    let body = &delivery.body.0;
    let of = |language: &str| body.get("text").and_then(|texts| texts.get(language)?.as_str());
    let texts: Vec<&str> = wish.languages.iter().filter_map(|language| of(language.as_str())).collect();
    let mail = Mail {
        id: delivery.id.to_string(),
        to: wish.mail_to.clone(),
        subject: body.get("subject").and_then(Value::as_str).unwrap_or_default().to_owned(),
        text: texts.join("\n----\n\n"),
    };
    send_mail(&broker.config, &mail).await.map_err(|error| error.to_string())
}

async fn post(broker: &Broker, wish: &ReportConfig, delivery: &ReportDelivery) -> Result<(), String> {
    let (Some(url), Some(secret)) = (&wish.webhook, &wish.webhook_secret) else {
        return Err("the report has no webhook any more".to_owned());
    };
    let secret = secret.read(&broker.config.folder).map_err(|why| format!("webhook_secret: {why}"))?;
    let body = delivery.body.0.to_string().into_bytes();
    let (id, timestamp) = (delivery.id.to_string(), broker.clock.now().timestamp());
    let headers = [
        ("webhook-signature", webhook_signature(&secret, &id, timestamp, &body)),
        ("webhook-id", id),
        ("webhook-timestamp", timestamp.to_string()),
    ];
    let answer = broker.net.post_hook(url, body, &headers).await.map_err(|error| error.to_string())?;
    if (200..300).contains(&answer.status) { Ok(()) } else { Err(format!("the webhook answers {}", answer.status)) }
}
