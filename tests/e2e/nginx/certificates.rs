//! A real nginx with `deploy/nginx/mtls.conf`: it ends TLS and passes the certificate of the application on.

use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use serde_json::Value;
use yaopai::crypto::sha256;

use super::Nginx;
use crate::process::Installation;

type Authority = CertifiedIssuer<'static, KeyPair>;

fn authority() -> Authority {
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

/// Certificate and key, PEM, and the certificate as DER.
fn issue(authority: &Authority, name: &str) -> (String, String, Vec<u8>) {
    let key = KeyPair::generate().unwrap();
    let made = CertificateParams::new(vec![name.to_owned()]).unwrap().signed_by(&key, authority).unwrap();
    (made.pem(), key.serialize_pem(), made.der().to_vec())
}

/// A client that trusts `ca` and shows a certificate.
fn client(ca: &str, own: Option<&(String, String, Vec<u8>)>) -> reqwest::Client {
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let ca = reqwest::Certificate::from_pem(ca.as_bytes()).unwrap();
    let mut builder = reqwest::Client::builder().no_proxy().tls_certs_only([ca]);
    if let Some((certificate, key, _)) = own {
        builder = builder.identity(reqwest::Identity::from_pem(format!("{certificate}{key}").as_bytes()).unwrap());
    }
    builder.build().unwrap()
}

/// OAUTH-070, OAUTH-072, OAUTH-073, OAUTH-074
#[test]
fn nginx_passes_certificates_on_and_forged_headers_not() {
    let authority = authority();
    let installation = Installation::new();
    std::fs::write(installation.path("clients-ca.pem"), authority.pem()).unwrap();
    let port = crate::process::free_port();
    let trusting =
        installation.smallest().replace("\n\n[policies]", "\ntrusted_proxies = [\"127.0.0.1/32\"]\n\n[policies]");
    installation.configure(&format!(
        "{trusting}\n[mtls]\npublic_url = \"https://localhost:{port}\"\nheader = \"client-cert\"\nca_file = \"clients-ca.pem\"\n\
         \n[[application]]\nid = \"ledger\"\nauth_method = \"tls_client_auth\"\ngrant_types = [\"client_credentials\"]\n\
         scopes = [\"openid\", \"report:read\"]\n[application.proof]\ntls_client_auth_san_dns = \"ledger.example\"\n\
         tls_client_certificate_bound_access_tokens = true\n"
    ));
    let _running = installation.start();
    let server = issue(&authority, "localhost");
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("mtls.pem"), &server.0).unwrap();
    std::fs::write(folder.path().join("mtls.key"), &server.1).unwrap();
    let example = Path::new(env!("CARGO_MANIFEST_DIR")).join("deploy/nginx/mtls.conf");
    let example = std::fs::read_to_string(example).unwrap();
    let nginx = Nginx::of(folder, port, &example, &[("127.0.0.1:8080", installation.port), ("127.0.0.1:8444", port)]);
    let own = issue(&authority, "ledger.example");
    let other = issue(&authority, "other.example");
    let at = |path: &str| format!("https://localhost:{}{path}", nginx.port);
    let form = [("grant_type", "client_credentials"), ("client_id", "ledger"), ("scope", "report:read")];
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let ca = authority.pem();
        let ask = async |certificate: Option<&(String, String, Vec<u8>)>, forged: Option<&str>| {
            let mut request = client(&ca, certificate).post(at("/oauth2/token")).form(&form);
            if let Some(forged) = forged {
                request = request.header("client-cert", forged);
            }
            let answer = request.send().await.unwrap();
            (answer.status().as_u16(), answer.json::<Value>().await.unwrap())
        };
        let (status, body) = ask(Some(&own), None).await;
        assert_eq!(status, 200, "{body}");
        let token = body["access_token"].as_str().unwrap();
        let claims = URL_SAFE_NO_PAD.decode(token.split('.').nth(1).unwrap()).unwrap();
        let claims: Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["cnf"]["x5t#S256"], URL_SAFE_NO_PAD.encode(sha256(&own.2)));
        assert_eq!(ask(Some(&other), None).await.0, 401);
        assert_eq!(ask(None, None).await.0, 401);
        let forged = format!(":{}:", STANDARD.encode(&own.2));
        assert_eq!(ask(None, Some(&forged)).await.0, 401);
        assert_eq!(ask(Some(&other), Some(&forged)).await.0, 401);
        let used = async |certificate: Option<&(String, String, Vec<u8>)>| {
            client(&ca, certificate)
                .get(at("/oauth2/userinfo"))
                .bearer_auth(token)
                .send()
                .await
                .unwrap()
                .status()
                .as_u16()
        };
        // It speaks for no person; that is found out only where the certificate is the right one.
        assert_eq!((used(Some(&own)).await, used(Some(&other)).await, used(None).await), (403, 401, 401));
    });
}
