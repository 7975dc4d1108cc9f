//! `yaopai app show`: every setting of an application, in words.

use std::fmt::Write as _;

use crate::model::{
    Application, BackchannelMode, ClaimRule, ConsentRule, Encryption, Lifetime, Profile, SubjectType, TokenFormat,
};

/// What `[oidc]` decides.
const USUAL: &str = "as for all ([oidc])";

/// The application, one line for each thing that can be said of it.
pub(super) fn show(app: &Application) -> String {
    let settings = &app.settings;
    let origin = if app.declared { "declared in the configuration" } else { "made with `yaopai app add`" };
    let grants: Vec<&str> = settings.grant_types.iter().map(|grant| grant.as_str()).collect();
    let enabled = if app.enabled { "true" } else { "false: it gets nothing" };
    let mut text = String::new();
    for (name, value) in [
        ("client_id", app.id.clone()),
        ("name", app.name.clone()),
        ("description", settings.description.clone().unwrap_or_default()),
        ("launch_url", settings.launch_url.clone().unwrap_or_default()),
        ("origin", origin.to_owned()),
        ("enabled", enabled.to_owned()),
        ("profile", profile(settings.profile).to_owned()),
        ("auth_method", app.auth_method.to_string()),
        ("secrets", secrets(app)),
        ("proof", proof(app)),
        ("binding", binding(app).to_owned()),
        ("grants", grants.join(" ")),
        ("scopes", settings.scopes.join(" ")),
        ("redirect_uris", settings.redirect_uris.join(" ")),
        ("after_logout", settings.post_logout_redirect_uris.join(" ")),
        ("audience", settings.audience.join(" ")),
        ("algorithm", settings.signing_algorithm.clone().unwrap_or_default()),
        ("pkce", if settings.require_pkce { "required" } else { "optional" }.to_owned()),
        ("requests", requests(app)),
        ("consent", consent(app).to_owned()),
        ("policy", settings.identity.policy_uri.clone().unwrap_or_default()),
        ("terms", settings.identity.tos_uri.clone().unwrap_or_default()),
        ("subject", subject(app)),
        ("claims", claims(app)),
        ("access_tokens", access_tokens(app)),
        ("id_tokens", id_tokens(app)),
        ("userinfo", userinfo(app)),
        ("introspection", introspection(app)),
        ("refresh", refresh(app)),
        ("acts_for", acts_for(app)),
        ("ciba", ciba(app)),
        ("told_of_end", told_of_end(app)),
    ] {
        let value = if value.is_empty() { "-" } else { &value };
        let _ = writeln!(text, "{name:<14} {value}");
    }
    text
}

const fn profile(profile: Profile) -> &'static str {
    match profile {
        Profile::Standard => "standard: OAuth 2.1 and OpenID Connect",
        Profile::Fapi2 => "fapi2: pushed requests, keys instead of secrets, bound tokens",
    }
}

/// Which secrets are accepted, and since or until when.
pub(super) fn secrets(app: &Application) -> String {
    let Some(since) = app.secret_since else { return "-".to_owned() };
    let old = match (&app.old_secret_hash, app.old_secret_until) {
        (None, _) => String::new(),
        (Some(_), Some(until)) => format!("; the one before until {until}"),
        (Some(_), None) => "; the one before for as long as it is declared".to_owned(),
    };
    format!("one since {since}{old}")
}

fn proof(app: &Application) -> String {
    let proof = &app.settings.proof;
    let mut said = Vec::new();
    said.extend(proof.jwks.as_ref().map(|_| "keys that are registered".to_owned()));
    said.extend(proof.jwks_uri.as_ref().map(|uri| format!("keys at {uri}")));
    said.extend(proof.signing_algorithm.map(|algorithm| format!("assertions by {algorithm} only")));
    said.extend(proof.wide_audience.then(|| "assertions may name any endpoint".to_owned()));
    for (what, name) in [
        ("subject", proof.tls_client_auth_subject_dn.clone()),
        ("DNS name", proof.tls_client_auth_san_dns.clone()),
        ("URI", proof.tls_client_auth_san_uri.clone()),
        ("address", proof.tls_client_auth_san_ip.map(|address| address.to_string())),
        ("mail address", proof.tls_client_auth_san_email.clone()),
    ] {
        said.extend(name.map(|name| format!("a certificate with the {what} {name}")));
    }
    said.extend(proof.dpop_nonce.then(|| "proofs carry a nonce of ours".to_owned()));
    said.join("; ")
}

fn binding(app: &Application) -> &'static str {
    let proof = &app.settings.proof;
    match (proof.tls_client_certificate_bound_access_tokens, proof.dpop_bound_access_tokens) {
        (true, _) => "its tokens are bound to its certificate",
        (_, true) => "its tokens are bound to a key (DPoP)",
        _ if app.settings.profile == Profile::Fapi2 => {
            "its tokens are bound to a key or certificate, whichever it shows"
        }
        _ => "its tokens are bound to nothing, unless it shows a DPoP proof",
    }
}

fn requests(app: &Application) -> String {
    let request = &app.settings.request;
    let types: Vec<String> = request.response_types.iter().map(|kind| format!("`{kind}`")).collect();
    let mut said = vec![if types.is_empty() { "`code`".to_owned() } else { types.join(", ") }];
    said.extend(request.require_pushed_authorization_requests.then(|| "pushed ones only".to_owned()));
    said.extend(request.require_signed_request_object.then(|| "signed ones only".to_owned()));
    said.extend(request.request_object_signing_alg.map(|alg| format!("signed by {alg} only")));
    said.extend(request.merge_request_object.then(|| "parameters may stand beside an object".to_owned()));
    if !request.resources.is_empty() {
        said.push(format!("may name {}", request.resources.join(" ")));
    }
    if !request.authorization_details.is_empty() {
        let types: Vec<&str> = request.authorization_details.keys().map(String::as_str).collect();
        said.push(format!("authorization details: {}", types.join(" ")));
    }
    said.join("; ")
}

fn consent(app: &Application) -> &'static str {
    match app.settings.identity.consent {
        ConsentRule::Never => "people are not asked: the company has consented",
        ConsentRule::Once => "people are asked once, and again when it wants more",
        ConsentRule::Always => "people are asked at every sign-in",
    }
}

fn subject(app: &Application) -> String {
    let identity = &app.settings.identity;
    match (identity.subject_type, &identity.sector_identifier_uri) {
        (SubjectType::Public, _) => "the person's id, the same for every application".to_owned(),
        (SubjectType::Pairwise, None) => "its own for each person (pairwise)".to_owned(),
        (SubjectType::Pairwise, Some(uri)) => format!("its own for each person (pairwise), shared as {uri} says"),
    }
}

fn claims(app: &Application) -> String {
    let rules = app.settings.identity.claims.iter();
    rules.map(|(claim, rule)| format!("{claim} ({})", rule_words(rule))).collect::<Vec<_>>().join(", ")
}

fn rule_words(rule: &ClaimRule) -> String {
    let from = match (rule.from, &rule.attribute, &rule.value, &rule.template) {
        (Some(field), ..) => field.to_string(),
        (_, Some(attribute), ..) => format!("attribute {attribute}"),
        (_, _, Some(value), _) => value.to_string(),
        (.., template) => template.clone().unwrap_or_default(),
    };
    let into: Vec<&str> = rule.into.iter().map(|place| place.as_str()).collect();
    let into = if into.is_empty() { String::new() } else { format!(", in {}", into.join(" ")) };
    let scope = rule.scope.as_ref().map(|scope| format!(", with {scope}")).unwrap_or_default();
    format!("{from}{into}{scope}")
}

/// A length of time with the largest unit that fits.
fn length(life: Lifetime) -> String {
    let seconds = life.0.num_seconds();
    let (unit, factor) = [("d", 86_400), ("h", 3_600), ("m", 60)]
        .into_iter()
        .find(|(_, factor)| seconds % factor == 0)
        .unwrap_or(("s", 1));
    format!("{}{unit}", seconds / factor)
}

fn life(own: Option<Lifetime>) -> String {
    own.map_or_else(|| format!("life {USUAL}"), |life| format!("for {}", length(life)))
}

fn access_tokens(app: &Application) -> String {
    let tokens = &app.settings.tokens;
    let form = match tokens.format {
        TokenFormat::Jwt => "JWT",
        TokenFormat::Opaque => "opaque",
    };
    let own = tokens.access_token_lifetime.or_else(|| app.settings.access_token_seconds.map(Lifetime::seconds));
    let listed = if app.settings.logout.status_list { ", with a place on a status list" } else { "" };
    format!("{form}, {}{listed}", life(own))
}

fn encrypted(encryption: Option<Encryption>) -> String {
    encryption.map(|Encryption { alg, enc }| format!(", encrypted by {alg} and {enc}")).unwrap_or_default()
}

fn id_tokens(app: &Application) -> String {
    let tokens = &app.settings.tokens;
    let signed = tokens.id_token_signed_response_alg.map(|alg| format!(", signed by {alg}")).unwrap_or_default();
    format!("{}{signed}{}", life(tokens.id_token_lifetime), encrypted(tokens.id_token_encryption()))
}

fn userinfo(app: &Application) -> String {
    let tokens = &app.settings.tokens;
    let form = tokens.userinfo_signed_response_alg.map_or("JSON".to_owned(), |alg| format!("signed by {alg}"));
    format!("{form}{}", encrypted(tokens.userinfo_encryption()))
}

fn introspection(app: &Application) -> String {
    let signed = app.settings.tokens.introspection_signed_response_alg;
    signed.map(|alg| format!("signed by {alg} where it asks for that")).unwrap_or_default()
}

fn refresh(app: &Application) -> String {
    let tokens = &app.settings.tokens;
    let own = |life: Option<Lifetime>| life.map_or_else(|| USUAL.to_owned(), length);
    let code = own(tokens.code_lifetime);
    format!("idle {}, in all {}; codes {code}", own(tokens.refresh_idle), own(tokens.refresh_absolute))
}

fn acts_for(app: &Application) -> String {
    let grants = &app.settings.grants;
    let mut said = Vec::new();
    said.extend(grants.may_act.as_ref().map(|id| format!("`{id}` alone may act for people with its tokens")));
    said.extend(grants.exchanges_bound_tokens.then(|| "it exchanges bound tokens whose proof it checked".to_owned()));
    said.join("; ")
}

fn ciba(app: &Application) -> String {
    let grants = &app.settings.grants;
    match (grants.backchannel_mode, &grants.backchannel_notification_endpoint) {
        (BackchannelMode::Ping, Some(url)) => format!("told at {url} that a person decided"),
        (BackchannelMode::Ping, None) | (BackchannelMode::Poll, _) => String::new(),
    }
}

fn told_of_end(app: &Application) -> String {
    let logout = &app.settings.logout;
    let mut said = Vec::new();
    said.extend(logout.backchannel_logout_uri.as_ref().map(|uri| format!("by a logout token at {uri}")));
    said.extend(logout.frontchannel_logout_uri.as_ref().map(|uri| format!("in a frame, {uri}")));
    said.join("; ")
}
