//! `openid-client` with keys instead of secrets: a FAPI 2.0 application with `private_key_jwt` and DPoP, and a service
//! with a certificate at the listener that asks for one.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DistinguishedName, DnType, IsCa, KeyPair};
use serde_json::json;
use yaopai::crypto::{SigningKey, sha256};
use yaopai::model::Algorithm;

use super::{Kind, finish, installation, node};
use crate::process::free_port;

pub fn play(kind: Kind) {
    let redirect_uri = "https://rp.example/callback";
    let installation = installation(kind, redirect_uri);
    let (own, pkcs8) = SigningKey::generate(Algorithm::Es256).unwrap();
    let mut params = CertificateParams::default();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let issue = |name: &str| {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, name);
        (params.signed_by(&key, &authority).unwrap(), key.serialize_pem())
    };
    let (server, server_key) = issue("localhost");
    let (client, client_key) = issue("ledger.example");
    for (name, text) in [("ca.pem", authority.pem()), ("mtls.pem", server.pem()), ("mtls.key", server_key)] {
        std::fs::write(installation.path(name), text).unwrap();
    }
    let port = free_port();
    let text = std::fs::read_to_string(installation.path("yaopai.toml")).unwrap();
    let jwks = json!({ "keys": [own.public_jwk()] });
    installation.configure(&format!(
        "{text}\n[mtls]\npublic_url = \"https://localhost:{port}\"\nlisten = \"127.0.0.1:{port}\"\n\
         tls_cert_file = \"mtls.pem\"\ntls_key_file = \"mtls.key\"\nca_file = \"ca.pem\"\n\n\
         [[application]]\nid = \"keyed\"\nprofile = \"fapi2\"\nauth_method = \"private_key_jwt\"\n\
         redirect_uris = [\"{redirect_uri}\"]\n[application.proof]\njwks = '{jwks}'\ndpop_nonce = true\n\n\
         [[application]]\nid = \"certified\"\nauth_method = \"tls_client_auth\"\ngrant_types = [\"client_credentials\"]\n\
         scopes = [\"report:read\"]\n[application.proof]\ntls_client_auth_san_dns = \"ledger.example\"\n\
         tls_client_certificate_bound_access_tokens = true\n"
    ));
    let more = json!({
        "redirect_uri": redirect_uri,
        "key": STANDARD.encode(&*pkcs8),
        "kid": own.kid(),
        "tls_key": client_key,
        "tls_certificate": client.pem(),
        "tls_authority": authority.pem(),
        "thumbprint": URL_SAFE_NO_PAD.encode(sha256(client.der())),
    });
    finish(node("proof_client.mjs"), &installation, more);
}
