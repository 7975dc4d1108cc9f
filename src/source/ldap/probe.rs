//! What `yaopai doctor` asks an LDAP server: TLS and how long the certificates hold, the bind, pages, each base.

use std::path::Path;
use std::sync::Arc;

use ldap3::Scope;
use ldap3::controls::{MakeCritical as _, PagedResults, RawControl};
use url::Url;
use x509_parser::prelude::{FromDer as _, X509Certificate};

use super::connect::Connection;
use super::kind::Kind;
use super::root::Root;
use super::search::{Search, page};
use super::{answer, servers, tls};
use crate::config::{BindMethod, DirectorySchema, LdapConfig};
use crate::source::check::{Finding, Level};
use crate::source::error::SourceError;
use crate::source::select::Selection;
use crate::time::Instant;

/// Controls that a reader can make use of.
const CONTROLS: &[(&str, &str)] = &[
    ("1.2.840.113556.1.4.319", "paged results"),
    ("1.3.6.1.4.1.4203.1.9.1.1", "syncrepl"),
    ("1.2.840.113556.1.4.841", "DirSync"),
    ("1.2.840.113556.1.4.417", "show deleted"),
    ("1.3.6.1.4.1.42.2.27.8.5.1", "password policy"),
];
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
        let url = || config.url.urls().iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
        let certificates = read.map_err(|reason| SourceError::Tls { url: url(), reason: reason.into() })?;
        for certificate in &certificates {
            findings.push(lifetime(&format!("CA file {}", file.display()), certificate, now));
        }
    }
    if let Some(kerberos) = config.kerberos() {
        findings.extend(keytab(&folder.join(&kerberos.keytab)));
    }
    // Each server is looked at: that the second one does not work is noticed before the first one fails.
    let mut errors = Vec::new();
    let mut first = None;
    for url in config.url.urls() {
        match server(config, url, folder, now, findings).await {
            Ok(connection) => first = first.or(Some(connection)),
            Err(error) if servers::is_the_servers_fault(&error) => errors.push(error),
            Err(error) => return Err(error),
        }
    }
    let Some(mut connection) = first else { return Err(servers::all_failed(errors)) };
    for error in errors {
        findings.push(Finding { level: Level::Warning, ..Finding::failed("server", &error) });
    }
    let kind = Kind::learn(&mut connection, config, selections).await?;
    findings.extend(about(&mut connection, config, &kind).await?);
    for selection in selections {
        findings.push(one_page(&mut connection, selection).await?);
    }
    connection.close().await;
    Ok(())
}

/// A keytab is a password: who reads it is the account.
fn keytab(path: &Path) -> Option<Finding> {
    use std::os::unix::fs::PermissionsExt as _;
    let (subject, path_shown) = ("keytab".to_owned(), path.display());
    match std::fs::metadata(path) {
        Err(error) => Some(Finding {
            subject,
            level: Level::Failed,
            text: format!("`{path_shown}` cannot be read: {error}; correct kerberos.keytab"),
        }),
        Ok(about) if about.permissions().mode() & 0o077 != 0 => Some(Finding {
            subject,
            level: Level::Warning,
            text: format!(
                "`{path_shown}` can be read by others, who can then be the account: chmod 600 `{path_shown}`"
            ),
        }),
        Ok(_) => None,
    }
}

/// One server: its certificate, and whether it lets the service account in.
async fn server(
    config: &LdapConfig,
    url: &Url,
    folder: &Path,
    now: Instant,
    findings: &mut Vec<Finding>,
) -> Result<Connection, SourceError> {
    let mut connection = match &config.bind {
        BindMethod::Kerberos(_) => Connection::service(config, url, folder).await?,
        BindMethod::Simple | BindMethod::External => Connection::open(config, url, folder).await?,
    };
    match connection.certificate().await? {
        Some(certificate) => findings.push(lifetime("server certificate", &certificate, now)),
        None => findings.push(Finding {
            subject: "connection".to_owned(),
            level: Level::Warning,
            text: if config.kerberos().is_some() {
                format!(
                    "{url} is sealed by Kerberos, but has no TLS: people whose password is checked by this server cannot \
                     sign in; use ldaps://, or starttls = true"
                )
            } else {
                format!("{url} is reached in clear text (allow_plaintext): only for a server on this machine")
            },
        }),
    }
    connection.bind_service(config, folder).await?;
    let who = match &config.bind {
        BindMethod::Simple => format!("`{}`", config.bind_dn),
        BindMethod::External => "the client certificate".to_owned(),
        BindMethod::Kerberos(kerberos) => format!("`{}`", kerberos.principal),
    };
    findings.push(Finding::good("bind", format!("{url} lets {who} in")));
    Ok(connection)
}

/// What the server says about itself, and whether that goes with the configuration.
async fn about(connection: &mut Connection, config: &LdapConfig, kind: &Kind) -> Result<Vec<Finding>, SourceError> {
    let root = Root::read(connection).await?;
    let can = |oid: &str, name: &str| root.has_control(oid).then(|| name.to_owned());
    let features: Vec<String> = CONTROLS.iter().filter_map(|(oid, name)| can(oid, name)).collect();
    let features = if features.is_empty() { "none that matter here".to_owned() } else { features.join(", ") };
    let text = format!("{}; controls: {features}", root.product());
    let mut findings = vec![Finding::good("server", text)];
    let is_ad = root.product().starts_with("Active Directory");
    if is_ad != (config.schema == DirectorySchema::ActiveDirectory) {
        let schema = if is_ad { "active-directory" } else { "openldap, 389 or generic" };
        findings.push(Finding {
            subject: "schema".to_owned(),
            level: Level::Failed,
            text: format!("source.ldap.schema is `{}`, but the server wants `{schema}`; correct it", config.schema),
        });
    }
    findings.extend(kind.check(connection, &root).await?);
    Ok(findings)
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
