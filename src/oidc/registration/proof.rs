//! How an application that registers itself proves itself, and what its tokens are bound to: keys (RFC 7591 section 2),
//! certificates (RFC 8705 sections 2.1.2 and 3.4), `DPoP` (RFC 9449 section 5.2).

use serde_json::Value;
use url::Url;

use super::document::{Reader, RegistrationFault};
use crate::crypto::read_key_set;
use crate::model::{AuthMethod, Profile, ProofAlgorithm, ProofSettings, check_jwks};

/// Bytes of a name in a certificate at the most.
const LONGEST_NAME: usize = 1_024;

impl Reader<'_> {
    /// Everything about proof, as a whole: what does not go together is refused.
    pub(super) fn proof(&mut self, method: AuthMethod) -> Result<ProofSettings, RegistrationFault> {
        let mut proof = self.keys()?;
        proof.signing_algorithm = self.algorithm(method)?;
        proof.tls_client_auth_subject_dn = self.name("tls_client_auth_subject_dn")?;
        proof.tls_client_auth_san_dns = self.name("tls_client_auth_san_dns")?;
        proof.tls_client_auth_san_uri = self.name("tls_client_auth_san_uri")?;
        proof.tls_client_auth_san_email = self.name("tls_client_auth_san_email")?;
        let address = self.name("tls_client_auth_san_ip")?.map(|text| text.parse()).transpose();
        proof.tls_client_auth_san_ip =
            address.map_err(|_| RegistrationFault::Metadata("tls_client_auth_san_ip is no address"))?;
        proof.dpop_bound_access_tokens = self.flag("dpop_bound_access_tokens")?;
        proof.tls_client_certificate_bound_access_tokens = self.flag("tls_client_certificate_bound_access_tokens")?;
        if proof.tls_client_certificate_bound_access_tokens && !self.has_mtls {
            return Err(RegistrationFault::Metadata("no certificates are asked for here, so no token is bound to one"));
        }
        if proof.problems(method, Profile::Standard).is_empty() {
            return Ok(proof);
        }
        Err(RegistrationFault::Metadata(match method {
            AuthMethod::PrivateKeyJwt | AuthMethod::SelfSignedTlsClientAuth => {
                "this token_endpoint_auth_method needs jwks or jwks_uri, and no tls_client_auth_* name"
            }
            AuthMethod::TlsClientAuth => "tls_client_auth needs exactly one tls_client_auth_* name",
            _ => "keys, names of certificates and bound tokens contradict each other or token_endpoint_auth_method",
        }))
    }

    fn keys(&mut self) -> Result<ProofSettings, RegistrationFault> {
        let jwks = self.sent.get("jwks").filter(|jwks| !jwks.is_null()).cloned();
        if jwks.is_some() && self.sent.get("jwks_uri").is_some_and(|uri| !uri.is_null()) {
            return Err(RegistrationFault::Metadata("give jwks or jwks_uri, not both"));
        }
        self.web_address("jwks_uri")?;
        let jwks_uri = self.document.get("jwks_uri").and_then(Value::as_str).and_then(|uri| Url::parse(uri).ok());
        if let Some(jwks) = &jwks {
            let is_usable = || read_key_set(jwks.to_string().as_bytes()).is_ok_and(|keys| !keys.is_empty());
            if !jwks.is_object() || check_jwks(jwks).is_err() || !is_usable() {
                return Err(RegistrationFault::Metadata("jwks is no set of public keys that can be used here"));
            }
            self.keep("jwks", jwks.clone());
        }
        Ok(ProofSettings { jwks, jwks_uri, ..ProofSettings::default() })
    }

    /// The one algorithm of its assertions, where it names one.
    fn algorithm(&mut self, method: AuthMethod) -> Result<Option<ProofAlgorithm>, RegistrationFault> {
        let Some(name) = self.text("token_endpoint_auth_signing_alg")? else { return Ok(None) };
        let known = ProofAlgorithm::of_header(&name).filter(|algorithm| ProofAlgorithm::ASYMMETRIC.contains(algorithm));
        match known {
            Some(algorithm) if method == AuthMethod::PrivateKeyJwt => Ok(Some(algorithm)),
            _ => Err(RegistrationFault::Metadata(
                "token_endpoint_auth_signing_alg goes with private_key_jwt, and is an algorithm with a key pair",
            )),
        }
    }

    fn name(&mut self, member: &str) -> Result<Option<String>, RegistrationFault> {
        let name = self.text(member)?;
        if name.as_ref().is_some_and(|name| name.is_empty() || name.len() > LONGEST_NAME) {
            return Err(RegistrationFault::Metadata("a tls_client_auth_* name is empty or too long"));
        }
        Ok(name)
    }

    fn flag(&mut self, member: &str) -> Result<bool, RegistrationFault> {
        match self.sent.get(member) {
            None | Some(Value::Null) => Ok(false),
            Some(Value::Bool(is_set)) => {
                self.keep(member, *is_set);
                Ok(*is_set)
            }
            Some(_) => Err(RegistrationFault::Metadata("a member that must be true or false is neither")),
        }
    }
}
