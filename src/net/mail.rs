//! Mail: one message to the configured server (RFC 5321), over TLS unless the server is on this machine.

use std::time::Duration;

use lettre::message::header::ContentType;
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Certificate, Tls, TlsParameters};
use lettre::{AsyncSmtpTransport, AsyncTransport as _, Message, Tokio1Executor};

use crate::config::{Config, MailConfig, MailTls};

/// How long one message may take.
const LIMIT: Duration = Duration::from_secs(30);

/// A message.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Mail {
    /// Part of its `Message-ID`, by which a receiver knows a repetition.
    pub id: String,
    /// Addresses.
    pub to: Vec<String>,
    /// Subject.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

/// A message that was not taken. Never holds the password.
#[derive(Debug, thiserror::Error)]
pub enum MailError {
    /// No `[mail]`.
    #[error("no mail server is configured; say in [mail] which")]
    NotConfigured,
    /// An address or another part of the message cannot be used.
    #[error("the mail cannot be written: {0}")]
    Message(String),
    /// CA file or password cannot be read.
    #[error("mail: {0}")]
    Settings(String),
    /// The server does not take it.
    #[error("the mail server `{host}` does not take the mail: {cause}")]
    Refused {
        /// Which server.
        host: String,
        /// What it says.
        cause: String,
    },
}

/// Sends a message.
///
/// # Errors
/// [`MailError`].
pub async fn send_mail(config: &Config, mail: &Mail) -> Result<(), MailError> {
    let settings = config.mail.as_ref().ok_or(MailError::NotConfigured)?;
    let message = message(settings, mail)?;
    let transport = transport(config, settings)?;
    let refused = |cause: String| MailError::Refused { host: settings.host.clone(), cause };
    match tokio::time::timeout(LIMIT, transport.send(message)).await {
        Ok(Ok(_)) => Ok(()),
        Ok(Err(error)) => Err(refused(error.to_string())),
        Err(_) => Err(refused(format!("no answer within {} seconds", LIMIT.as_secs()))),
    }
}

fn message(settings: &MailConfig, mail: &Mail) -> Result<Message, MailError> {
    let wrong = |what: &str, error: &dyn std::fmt::Display| MailError::Message(format!("{what}: {error}"));
    let from = settings.from.parse().map_err(|error| wrong("mail.from", &error))?;
    let mut builder = Message::builder()
        .from(from)
        .subject(mail.subject.clone())
        .message_id(Some(format!("<{}@yaopai>", mail.id)))
        .header(ContentType::TEXT_PLAIN);
    for address in &mail.to {
        builder = builder.to(address.parse().map_err(|error| wrong(address, &error))?);
    }
    builder.body(mail.text.clone()).map_err(|error| wrong("body", &error))
}

fn transport(config: &Config, settings: &MailConfig) -> Result<AsyncSmtpTransport<Tokio1Executor>, MailError> {
    let tls = match settings.tls {
        MailTls::None => Tls::None,
        MailTls::Implicit => Tls::Wrapper(parameters(config, settings)?),
        MailTls::Starttls => Tls::Required(parameters(config, settings)?),
    };
    let mut builder = AsyncSmtpTransport::<Tokio1Executor>::builder_dangerous(&settings.host)
        .port(settings.port())
        .tls(tls)
        .timeout(Some(LIMIT));
    if let (Some(user), Some(password)) = (&settings.user, &settings.password) {
        let password =
            password.read(&config.folder).map_err(|why| MailError::Settings(format!("mail.password: {why}")))?;
        builder = builder.credentials(Credentials::new(user.clone(), password.to_string()));
    }
    Ok(builder.build())
}

fn parameters(config: &Config, settings: &MailConfig) -> Result<TlsParameters, MailError> {
    let wrong = |error: &dyn std::fmt::Display| MailError::Settings(format!("mail.ca_file: {error}"));
    let mut builder = TlsParameters::builder(settings.host.clone());
    if let Some(file) = &settings.ca_file {
        let pem = std::fs::read(config.resolve(file)).map_err(|error| wrong(&error))?;
        for certificate in Certificate::from_pem(&pem).map(|one| vec![one]).map_err(|error| wrong(&error))? {
            builder = builder.add_root_certificate(certificate);
        }
    }
    builder.build().map_err(|error| wrong(&error))
}
