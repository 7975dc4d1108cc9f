//! Certificates of applications (RFC 8705), as a trusted proxy passes them on.

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use chrono::Duration;
use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use yaopai::crypto::{sha256, spki_thumbprint};

use super::{CONFIG, SPA, Scene, claims, redemption, signed_in};
use crate::both;
use crate::harness::certificates::{Authority, Certificate, self_signed};
use crate::harness::{App, Kind, person};

const METADATA: &str = "/.well-known/openid-configuration";

/// The public key of a certificate as a JWK set.
fn jwks(certificate: &Certificate) -> Value {
    use x509_parser::prelude::FromDer as _;
    let (_, parsed) = x509_parser::prelude::X509Certificate::from_der(&certificate.der).unwrap();
    assert!(spki_thumbprint(parsed.public_key()).is_some());
    let point = parsed.public_key().subject_public_key.data.to_vec();
    let part = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
    json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": part(&point[1..33]), "y": part(&point[33..]) }] })
}

/// An application whose certificate names it in this way.
fn named(id: &str, name: &str) -> String {
    format!(
        "[[application]]\nid = \"{id}\"\nauth_method = \"tls_client_auth\"\ngrant_types = [\"client_credentials\"]\n\
         scopes = [\"files:read\"]\n[application.proof]\n{name}\ntls_client_certificate_bound_access_tokens = true\n"
    )
}

struct Mtls {
    scene: Scene,
    authority: Authority,
    own: Certificate,
}

async fn scene(kind: Kind, proxies: &str) -> Mtls {
    let authority = Authority::new();
    let now = "2026-11-22T01:00:00Z".parse().unwrap();
    let own = self_signed("teller", now);
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("clients.pem");
    std::fs::write(&file, authority.pem()).unwrap();
    let config = format!(
        "{CONFIG}\n[mtls]\npublic_url = \"https://mtls.example\"\nheader = \"client-cert\"\nca_file = \"{}\"\n{}{}{}{}{}\
         [[application]]\nid = \"teller\"\nauth_method = \"self_signed_tls_client_auth\"\n\
         grant_types = [\"client_credentials\"]\nscopes = [\"files:read\"]\n[application.proof]\njwks = '{}'\n",
        file.display(),
        named("by-dn", "tls_client_auth_subject_dn = \"CN=billing, O=Corp\""),
        named("by-dns", "tls_client_auth_san_dns = \"billing.example\""),
        named("by-uri", "tls_client_auth_san_uri = \"spiffe://corp/billing\""),
        named("by-mail", "tls_client_auth_san_email = \"billing@corp.example\""),
        named("by-ip", "tls_client_auth_san_ip = \"192.0.2.7\""),
        jwks(&own)
    );
    let app = App::with_server(kind, proxies, &config).await;
    let user = person(&app.broker, "wang.fang", &["employee"]).await;
    let (session, browser) = signed_in(&app, &user).await;
    let mtls = Mtls { scene: Scene { app, user, session, browser }, authority, own };
    // The authority's file is read at the first certificate that needs it.
    mtls.token("by-dn", Some(&binary(&mtls.own))).await;
    drop(folder);
    mtls
}

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.1/32\"]";

/// RFC 9440.
fn binary(certificate: &Certificate) -> String {
    format!(":{}:", STANDARD.encode(&certificate.der))
}

/// What nginx passes on as `$ssl_client_escaped_cert`.
fn escaped(certificate: &Certificate) -> String {
    utf8_percent_encode(&certificate.pem, NON_ALPHANUMERIC).to_string()
}

impl Mtls {
    async fn token(&self, id: &str, certificate: Option<&str>) -> (u16, Value) {
        let form = [("grant_type", "client_credentials"), ("client_id", id)];
        let mut request = self.scene.app.browser().post(self.scene.app.at("/oauth2/token")).form(&form);
        if let Some(certificate) = certificate {
            request = request.header("client-cert", certificate);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    }
}

both!(
    /// OAUTH-070, OAUTH-072
    an_application_is_known_by_the_one_name_that_it_registered,
    |kind| async move {
        let mtls = scene(kind, TRUSTED).await;
        let now = mtls.scene.app.clock().now();
        let good = mtls.authority.issue("billing", now);
        for id in ["by-dn", "by-dns", "by-uri", "by-mail", "by-ip"] {
            for shown in [binary(&good), escaped(&good)] {
                let (status, body) = mtls.token(id, Some(&shown)).await;
                assert_eq!((status, body["token_type"].as_str()), (200, Some("Bearer")), "{id}: {body}");
                let bound = claims(&body["access_token"])["cnf"]["x5t#S256"].clone();
                assert_eq!(bound, URL_SAFE_NO_PAD.encode(sha256(&good.der)));
            }
            for (what, bad) in [
                ("another name", Some(mtls.authority.issue("other", now)).filter(|_| id != "by-ip")),
                ("another authority", Some(Authority::new().issue("billing", now))),
                ("no authority", Some(self_signed("billing", now))),
                ("expired", Some(mtls.authority.issue("billing", now - Duration::days(90)))),
                ("not yet", Some(mtls.authority.issue("billing", now + Duration::days(90)))),
            ] {
                let Some(bad) = bad else { continue };
                let (status, body) = mtls.token(id, Some(&binary(&bad))).await;
                assert_eq!((status, body["error"].as_str()), (401, Some("invalid_client")), "{id}: {what}");
            }
            assert_eq!(mtls.token(id, None).await.0, 401);
        }
    }
);

both!(
    /// OAUTH-071
    a_self_signed_certificate_is_known_by_its_registered_key,
    |kind| async move {
        let mtls = scene(kind, TRUSTED).await;
        let now = mtls.scene.app.clock().now();
        assert_eq!(mtls.token("teller", Some(&binary(&mtls.own))).await.0, 200);
        for bad in [self_signed("teller", now), mtls.authority.issue("teller", now)] {
            assert_eq!(mtls.token("teller", Some(&escaped(&bad))).await.0, 401);
        }
        let garbage = [":AAAA:", "x", ":", "::", "-----BEGIN%20CERTIFICATE-----"];
        for bad in garbage {
            assert_eq!(mtls.token("teller", Some(bad)).await.0, 401, "{bad}");
        }
    }
);

both!(
    /// OAUTH-073
    a_certificate_header_counts_from_a_trusted_proxy_only,
    |kind| async move {
        let mtls = scene(kind, "trusted_proxies = [\"192.0.2.0/24\"]").await;
        assert_eq!(mtls.token("teller", Some(&binary(&mtls.own))).await.0, 401);
        assert_eq!(mtls.token("teller", Some(&escaped(&mtls.own))).await.0, 401);
    }
);

both!(
    /// OAUTH-072
    a_bound_token_works_with_its_certificate_only,
    |kind| async move {
        let mtls = scene(kind, TRUSTED).await;
        let app = &mtls.scene.app;
        let good = mtls.authority.issue("billing", app.clock().now());
        let token = mtls.token("by-dns", Some(&binary(&good))).await.1["access_token"].as_str().unwrap().to_owned();
        let told = async |certificate: Option<&Certificate>, scheme: &str| {
            let mut request = app.browser().get(app.at("/oauth2/userinfo"));
            request = request.header("authorization", format!("{scheme} {token}"));
            if let Some(certificate) = certificate {
                request = request.header("client-cert", binary(certificate));
            }
            request.send().await.unwrap().status().as_u16()
        };
        // It speaks for no person: what is told of one is refused for that reason, after the certificate was accepted.
        assert_eq!(told(Some(&good), "Bearer").await, 403);
        assert_eq!(told(Some(&mtls.own), "Bearer").await, 401);
        assert_eq!(told(None, "Bearer").await, 401);
        assert_eq!(told(Some(&good), "DPoP").await, 401);
        // A public application's code flow is not hindered by a certificate that nobody asked for.
        let code = mtls.scene.code(SPA, &[]).await;
        assert_eq!(mtls.scene.post(SPA, "/oauth2/token", &redemption(SPA, &code)).await.0, 200);
    }
);

both!(
    /// OAUTH-074, OIDC-096
    discovery_tells_of_certificates_where_they_are_asked_for,
    |kind| async move {
        let document = async |app: &App| -> Value {
            app.browser().get(app.at(METADATA)).send().await.unwrap().json().await.unwrap()
        };
        let with = document(&scene(kind, TRUSTED).await.scene.app).await;
        let methods = |document: &Value| document["token_endpoint_auth_methods_supported"].to_string();
        assert!(methods(&with).contains("\"tls_client_auth\"") && methods(&with).contains("\"self_signed_tls_client_auth\""));
        assert_eq!(with["tls_client_certificate_bound_access_tokens"], true);
        for (name, address) in with["mtls_endpoint_aliases"].as_object().unwrap() {
            let path = url::Url::parse(with[name].as_str().unwrap()).unwrap().path().to_owned();
            assert_eq!(address.as_str().unwrap(), format!("https://mtls.example{path}"), "{name}");
        }
        let without = document(&App::start(kind).await).await;
        assert!(!methods(&without).contains("tls_client_auth") && without.get("mtls_endpoint_aliases").is_none());
        for document in [with, without] {
            for list in ["dpop_signing_alg_values_supported", "token_endpoint_auth_signing_alg_values_supported"] {
                assert_eq!(document[list], json!(["PS256", "ES256", "EdDSA"]), "{list}");
            }
        }
    }
);

#[test]
fn one_name_is_registered_and_the_place_of_certificates_is_said() {
    let refused = |names: &str, mtls: &str| {
        let text = format!(
            "[server]\npublic_url = 'http://localhost'\n{mtls}\n[[application]]\nid = 'a'\nauth_method = 'tls_client_auth'\n\
             [application.proof]\n{names}"
        );
        yaopai::config::Config::parse(std::path::Path::new("t.toml"), &text, &[]).unwrap_err().to_string()
    };
    let mtls = "[mtls]\npublic_url = 'https://m.example'\n";
    assert!(refused("", mtls).contains("exactly one tls_client_auth_* name, not 0"));
    let two = "tls_client_auth_san_dns = 'a.example'\ntls_client_auth_subject_dn = 'CN=a'";
    assert!(refused(two, mtls).contains("not 2"));
    assert!(refused("tls_client_auth_san_dns = 'a.example'", "").contains("say in [mtls] where"));
    assert!(refused("tls_client_auth_san_dns = 'a.example'", mtls).contains("nothing would show a certificate"));
}
