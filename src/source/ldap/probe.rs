//! What `yaopai doctor` asks an LDAP server: TLS and how long the certificates hold, the bind, pages, each base.

use std::path::Path;
use std::sync::Arc;

use ldap3::Scope;
use ldap3::controls::{MakeCritical as _, PagedResults, RawControl};
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::connect::Connection;
use super::search::{Search, page};
use super::{answer, tls};
use crate::config::LdapConfig;
use crate::source::check::{Finding, Level};
use crate::source::error::SourceError;
use crate::source::select::Selection;
use crate::time::Instant;

/// Certificates that end sooner than this are worth a warning: days.
const SOON: i64 = 30;

/// Tries everything that a read needs, and says what was found. Call it in a task of its own.
pub(in crate::source) async fn probe(
    config: Arc<LdapConfig>,
    folder: Arc<Path>,
    selections: Vec<Selection>,
    now: Instant,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Err(error) = steps(&config, &folder, &selections, now, &mut findings).await {
        findings.push(Finding::failed("directory", &error));
    }
    findings
}

async fn steps(
    config: &LdapConfig,
    folder: &Path,
    selections: &[Selection],
    now: Instant,
    findings: &mut Vec<Finding>,
) -> Result<(), SourceError> {
    if let Some(file) = &config.ca_file {
        let read = tls::ca_certificates(&folder.join(file));
        let certificates = read.map_err(|reason| SourceError::Tls { url: config.url.to_string(), reason })?;
        for certificate in &certificates {
            findings.push(lifetime(&format!("CA file {}", file.display()), certificate, now));
        }
    }
    let mut connection = Connection::open(config, folder).await?;
    match connection.ldap.get_peer_certificate().await {
        Ok(Some(certificate)) => findings.push(lifetime("server certificate", &certificate, now)),
        Ok(None) => findings.push(Finding {
            subject: "connection".to_owned(),
            level: Level::Warning,
            text: format!(
                "{} is reached in clear text (allow_plaintext): only for a server on this machine",
                config.url
            ),
        }),
        Err(error) => return Err(connection.broken(error, "asking for the certificate", "").await),
    }
    connection.bind_service(config, folder).await?;
    findings.push(Finding::good("bind", format!("{} lets `{}` in", config.url, config.bind_dn)));
    for selection in selections {
        findings.push(one_page(&mut connection, selection).await?);
    }
    connection.close().await;
    Ok(())
}

/// The first entry below the base: shows that the base is there, may be read, and that the server can page.
async fn one_page(connection: &mut Connection, selection: &Selection) -> Result<Finding, SourceError> {
    let base = selection.base.as_ref().map_or("", |base| base.text.as_str());
    let filter = selection.filter.to_string();
    let search =
        Search { base, scope: Scope::Subtree, filter: &filter, attributes: std::slice::from_ref(&selection.id) };
    let control: RawControl = PagedResults { size: 1, cookie: Vec::new() }.critical().into();
    let mut has_id = false;
    let mut look = |raw: crate::source::collect::Raw| has_id = raw.values.contains_key(&selection.id);
    let (result, entries) = page(connection, search, Some(control), &mut look).await?;
    if result.rc != 0 {
        return Err(answer::search_failed(base, &result));
    }
    let subject = format!("{:?}", selection.part).to_lowercase();
    Ok(match entries {
        0 => Finding {
            subject,
            level: Level::Warning,
            text: format!("nothing is found below `{base}` with `{filter}`; check base, filter and rights"),
        },
        _ if !has_id => Finding {
            subject,
            level: Level::Failed,
            text: format!(
                "entries below `{base}` show no `{}`, which is their stable id; grant the right to read it",
                selection.id
            ),
        },
        _ => Finding::good(&subject, format!("`{base}` can be read")),
    })
}

fn lifetime(what: &str, certificate: &[u8], now: Instant) -> Finding {
    let Ok((_, parsed)) = X509Certificate::from_der(certificate) else {
        let text = "the certificate cannot be read; replace it".to_owned();
        return Finding { subject: what.to_owned(), level: Level::Failed, text };
    };
    let days = (parsed.validity().not_after.timestamp() - now.timestamp()) / 86_400;
    let (level, text) = match days {
        ..0 => (Level::Failed, format!("expired {} days ago; renew it", -days)),
        0..SOON => (Level::Warning, format!("expires in {days} days; renew it now")),
        _ => (Level::Good, format!("valid for {days} more days")),
    };
    Finding { subject: what.to_owned(), level, text }
}
