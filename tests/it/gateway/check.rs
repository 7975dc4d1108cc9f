//! Forward-auth: who is let through, what the proxy is told, and what is never believed.

use reqwest::Response;
use yaopai::model::{EndReason, RoleGrant};

use super::Gate;
use crate::both;
use crate::harness::{Browser, PASSWORD, person};

const TRUSTED: &str = "trusted_proxies = [\"127.0.0.1/32\"]";

/// Asks as nginx does.
async fn ask(gate: &Gate, method: &str, uri: &str, headers: &[(&str, &str)]) -> Response {
    let mut request = gate.app.browser().get(gate.app.at("/gateway/check"));
    let of_proxy = [("x-original-method", method), ("x-original-uri", uri), ("x-forwarded-host", "127.0.0.1")];
    for (name, value) in of_proxy.iter().chain(headers) {
        request = request.header(*name, *value);
    }
    request.send().await.unwrap()
}

fn header<'a>(answer: &'a Response, name: &str) -> &'a str {
    answer.headers().get(name).map_or("", |value| value.to_str().unwrap())
}

both!(
    /// GW-008, GW-010: every identity header is answered, empty ones too, encoded by one rule.
    tokens_decide_and_identity_is_told,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        let approver = person(&gate.app.broker, "liu.qiang", &["employee", "expense-approver"]).await;
        let clerk = person(&gate.app.broker, "wang.fang", &["employee", "finance-clerk"]).await;
        let bearer = |token: String| format!("Bearer {token}");
        let allowed = bearer(gate.token(&approver, "openid expense:read", None).await);
        let answer = ask(&gate, "POST", "/expense/approvals", &[("authorization", &allowed)]).await;
        assert_eq!(answer.status(), 200);
        assert_eq!(header(&answer, "x-yaopai-user"), approver.id.to_string());
        assert_eq!(header(&answer, "x-yaopai-login"), "liu.qiang");
        assert_eq!(header(&answer, "x-yaopai-name"), "%E7%8E%8B%E8%8A%B3");
        assert_eq!(header(&answer, "x-yaopai-roles"), "employee,expense-approver");
        assert_eq!(header(&answer, "x-yaopai-client"), "expense");
        for empty in ["x-yaopai-employee-number", "x-yaopai-departments"] {
            assert_eq!(answer.headers().get(empty).unwrap(), "", "{empty}");
        }

        let clerks = bearer(gate.token(&clerk, "openid expense:read", None).await);
        let answer = ask(&gate, "POST", "/expense/approvals", &[("authorization", &clerks)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-yaopai-reason")), (403, "not_permitted"));
        assert!(answer.headers().get("x-yaopai-user").is_none());
        let text = answer.text().await.unwrap();
        assert!(text.contains("yaopai policy explain"), "{text}");

        let ledger = bearer(gate.ledger("expense:read").await);
        let answer = ask(&gate, "GET", "/expense", &[("authorization", &ledger)]).await;
        assert_eq!(answer.status(), 200);
        assert_eq!((header(&answer, "x-yaopai-client"), header(&answer, "x-yaopai-user")), ("ledger", ""));
        let answer = ask(&gate, "POST", "/expense/approvals", &[("authorization", &ledger)]).await;
        assert_eq!(answer.status(), 403);

        let outcomes = gate.judged().await;
        let expected = ["permitted", "not_permitted", "permitted", "not_permitted"];
        assert_eq!(outcomes.iter().map(|(_, reason)| reason.as_str()).collect::<Vec<_>>(), expected);
    }
);

both!(
    /// GW-051: scope, audience and kind of token; RFC 6750 section 3.1. A name and a password are no token.
    tokens_that_do_not_fit_are_refused,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        let user = person(&gate.app.broker, "wang.fang", &["employee"]).await;
        let good = gate.token(&user, "expense:read", None).await;
        let narrow = gate.token(&user, "openid", None).await;
        let other = gate.token(&user, "expense:read", Some("https://machines.example")).await;
        for (authorization, path, status, reason, challenge) in [
            (format!("Bearer {narrow}"), "/expense", 403, "insufficient_scope", "error=\"insufficient_scope\", scope="),
            (format!("Bearer {other}"), "/expense", 401, "wrong_audience", "error=\"invalid_token\""),
            (format!("Bearer {other}"), "/machines", 403, "role_missing", ""),
            (format!("Bearer {good}x"), "/expense", 401, "invalid_token", "error=\"invalid_token\""),
            ("Bearer a.b.c".to_owned(), "/expense", 401, "invalid_token", "error=\"invalid_token\""),
            ("Basic d2FuZzp4".to_owned(), "/expense", 403, "bad_authorization", "error=\"invalid_request\""),
            (format!("Bearer {good} {good}"), "/expense", 403, "bad_authorization", "error=\"invalid_request\""),
        ] {
            let answer = ask(&gate, "GET", path, &[("authorization", &authorization)]).await;
            assert_eq!((answer.status().as_u16(), header(&answer, "x-yaopai-reason")), (status, reason));
            assert!(header(&answer, "www-authenticate").contains(challenge), "{reason}");
        }
        let bearer = format!("Bearer {good}");
        let twice = ask(&gate, "GET", "/expense", &[("authorization", &bearer), ("authorization", &bearer)]).await;
        assert_eq!(header(&twice, "x-yaopai-reason"), "bad_authorization");
        let nobody = ask(&gate, "GET", "/machines", &[]).await;
        assert_eq!((nobody.status().as_u16(), header(&nobody, "www-authenticate")), (401, "Bearer realm=\"yaopai\""));
        assert!(nobody.headers().get("x-yaopai-sign-in").is_none(), "signing in would not help on this route");
        let unknown = ask(&gate, "GET", "/elsewhere", &[("authorization", &bearer)]).await;
        assert_eq!((unknown.status().as_u16(), header(&unknown, "x-yaopai-reason")), (403, "no_route"));
    }
);

both!(
    /// GW-006, GW-050, WEB-007
    sessions_count_where_the_route_takes_them,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        let wang = person(&gate.app.broker, "wang.fang", &["employee"]).await;
        let li = person(&gate.app.broker, "li.na", &["employee"]).await;
        let browser = Browser::new(&gate.app.url);
        browser.sign_in("wang.fang", PASSWORD).await;
        let session = browser.cookie("yaopai").unwrap();
        let cookie = format!("other=1; yaopai={session}");
        let answer = ask(&gate, "GET", "/expense?x=1", &[("cookie", &cookie)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-yaopai-login")), (200, "wang.fang"));
        assert_eq!(ask(&gate, "GET", "/machines", &[("cookie", &cookie)]).await.status(), 401);

        let cut = session.get(..40).unwrap();
        for bad in ["", "x", "%00", "null", "undefined", "{}", "a.b.c", cut, &"a".repeat(43), &"a".repeat(5_000)] {
            let answer = ask(&gate, "GET", "/expense", &[("cookie", &format!("yaopai={bad}"))]).await;
            assert_eq!(answer.status(), 401, "{bad:?}");
            assert!(answer.headers().get("x-yaopai-user").is_none());
        }
        let doubled = format!("yaopai={session}; yaopai={}", "b".repeat(43));
        assert_eq!(ask(&gate, "GET", "/expense", &[("cookie", &doubled)]).await.status(), 401);

        let token = |user| gate.token(user, "expense:read", None);
        let (own, others) = (format!("Bearer {}", token(&wang).await), format!("Bearer {}", token(&li).await));
        let both = ask(&gate, "GET", "/expense", &[("cookie", &cookie), ("authorization", &own)]).await;
        assert_eq!((both.status().as_u16(), header(&both, "x-yaopai-client")), (200, "expense"));
        let mixed = ask(&gate, "GET", "/expense", &[("cookie", &cookie), ("authorization", &others)]).await;
        assert_eq!((mixed.status().as_u16(), header(&mixed, "x-yaopai-reason")), (403, "two_callers"));

        let mut tx = gate.app.broker.db.write().await.unwrap();
        tx.revoke_people(&[wang.id], EndReason::Disabled, gate.app.clock().now()).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ask(&gate, "GET", "/expense", &[("cookie", &cookie)]).await.status(), 401);
        assert_eq!(ask(&gate, "GET", "/expense", &[("authorization", &own)]).await.status(), 401);
    }
);

both!(
    /// A page of another origin cannot make a browser call with its session.
    a_session_changes_nothing_from_another_origin,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        person(&gate.app.broker, "liu.qiang", &["employee", "expense-approver"]).await;
        let browser = Browser::new(&gate.app.url);
        browser.sign_in("liu.qiang", PASSWORD).await;
        let cookie = format!("yaopai={}", browser.cookie("yaopai").unwrap());
        for (name, value, status) in [
            ("sec-fetch-site", "same-origin", 200),
            ("sec-fetch-site", "cross-site", 403),
            ("sec-fetch-site", "same-site", 403),
            ("origin", "http://127.0.0.1:9", 200),
            ("origin", "https://evil.example", 403),
            ("origin", "null", 403),
        ] {
            let headers = [("cookie", cookie.as_str()), (name, value)];
            let answer = ask(&gate, "POST", "/expense/approvals", &headers).await;
            assert_eq!(answer.status(), status, "{name}: {value}");
        }
    }
);

both!(
    /// GW-004
    headers_of_a_stranger_or_in_contradiction_are_not_believed,
    |kind| async move {
        let stranger = Gate::start(kind, "").await;
        let user = person(&stranger.app.broker, "wang.fang", &["employee"]).await;
        let bearer = format!("Bearer {}", stranger.token(&user, "expense:read", None).await);
        let answer = ask(&stranger, "GET", "/expense", &[("authorization", &bearer)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-yaopai-reason")), (403, "untrusted_proxy"));

        let gate = Gate::start(kind, TRUSTED).await;
        let user = person(&gate.app.broker, "wang.fang", &["employee"]).await;
        let bearer = format!("Bearer {}", gate.token(&user, "expense:read", None).await);
        let with = |extra: &'static [(&'static str, &'static str)]| {
            let mut headers = vec![("authorization", bearer.as_str())];
            headers.extend(extra);
            let gate = &gate;
            async move { ask(gate, "GET", "/expense", &headers).await.status().as_u16() }
        };
        assert_eq!(with(&[]).await, 200);
        assert_eq!(with(&[("x-forwarded-uri", "/expense"), ("x-forwarded-method", "GET")]).await, 200);
        assert_eq!(with(&[("x-forwarded-uri", "/public")]).await, 403);
        assert_eq!(with(&[("x-forwarded-method", "POST")]).await, 403);
        assert_eq!(with(&[("x-original-uri", "/public")]).await, 403);
        assert_eq!(with(&[("x-forwarded-host", "other.example")]).await, 403);
        // As Traefik and Caddy ask.
        let request = gate.app.browser().get(gate.app.at("/gateway/check")).header("authorization", &bearer);
        let request = request.header("x-forwarded-method", "GET").header("x-forwarded-uri", "/expense/7?a=b");
        let answer = request.header("x-forwarded-host", "api.example:8443").send().await.unwrap();
        assert_eq!(answer.status(), 200);
        let request = gate.app.browser().get(gate.app.at("/gateway/check")).header("authorization", &bearer);
        assert_eq!(header(&request.send().await.unwrap(), "x-yaopai-reason"), "proxy_headers");
    }
);

both!(
    /// GW-033, GW-034
    a_browser_signs_in_and_comes_back,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        person(&gate.app.broker, "wang.fang", &["employee"]).await;
        let answer = ask(&gate, "GET", "/expense/reports?month=11", &[]).await;
        assert_eq!(answer.status(), 401);
        let sign_in = header(&answer, "x-yaopai-sign-in").to_owned();
        let path = sign_in.strip_prefix(&gate.app.url).unwrap();
        let browser = Browser::new(&gate.app.url);
        let after = browser.sign_in_at(path, "wang.fang", PASSWORD).await;
        assert!(after.location().starts_with("/gateway/return?to="), "{}", after.location());
        let back = browser.get(after.location()).await;
        assert_eq!(back.location(), "http://127.0.0.1/expense/reports?month=11");
        for evil in ["https%3A%2F%2Fevil.example", "%2F%2Fevil.example", "http%3A%2F%2F127.0.0.1%2Fother"] {
            let forged = after.location().split("&sig=").nth(1).unwrap();
            let page = browser.get(&format!("/gateway/return?to={evil}&sig={forged}")).await;
            assert_eq!((page.status.as_u16(), page.location()), (400, ""), "{evil}");
        }
        assert_eq!(browser.get("/gateway/return").await.status, 400);
        // Neither a POST nor a host that is not ours is returned to.
        let post = ask(&gate, "POST", "/expense/approvals", &[]).await;
        assert!(post.headers().get("x-yaopai-sign-in").is_none());
        let request = gate.app.browser().get(gate.app.at("/gateway/check")).header("x-original-method", "GET");
        let request = request.header("x-original-uri", "/expense").header("x-forwarded-host", "evil.example");
        assert!(request.send().await.unwrap().headers().get("x-yaopai-sign-in").is_none());
    }
);

both!(
    /// What changed is seen by the next call.
    roles_count_at_once,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        let user = person(&gate.app.broker, "wang.fang", &["employee"]).await;
        let bearer = format!("Bearer {}", gate.token(&user, "expense:read", None).await);
        let headers = [("authorization", bearer.as_str())];
        assert_eq!(ask(&gate, "GET", "/expense", &headers).await.status(), 200);
        let mut tx = gate.app.broker.db.write().await.unwrap();
        tx.run("DELETE FROM role_grants", &[]).await.unwrap();
        tx.commit().await.unwrap();
        assert_eq!(ask(&gate, "GET", "/expense", &headers).await.status(), 403);
    }
);

both!(
    /// GW-007, AUD-005: what cannot be judged or recorded is refused.
    without_its_database_the_gateway_denies,
    |kind| async move {
        let gate = Gate::start(kind, TRUSTED).await;
        let user = person(&gate.app.broker, "wang.fang", &["employee"]).await;
        let bearer = format!("Bearer {}", gate.token(&user, "expense:read", None).await);
        let mut tx = gate.app.broker.db.write().await.unwrap();
        tx.run("ALTER TABLE audit_log RENAME TO hidden", &[]).await.unwrap();
        tx.commit().await.unwrap();
        let answer = ask(&gate, "GET", "/expense", &[("authorization", &bearer)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-yaopai-reason")), (503, "unavailable"));
        assert!(answer.headers().get("x-yaopai-user").is_none());
        let answer = gate.call("GET /expense", &[&format!("Authorization: {bearer}")]).await;
        assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
        assert_eq!(gate.upstream.seen().await.len(), 0);
    }
);

both!(a_role_for_a_part_counts_for_the_systems_of_that_part, |kind| async move {
    let gate = Gate::start(kind, TRUSTED).await;
    let user = person(&gate.app.broker, "wang.fang", &["employee"]).await;
    let at = gate.app.clock().now();
    let id = || gate.app.broker.rng.uuid(at);
    let (east, sales) = (id(), id());
    let mut tx = gate.app.broker.db.write().await.unwrap();
    for (id, code, parent) in [(east, "east", None), (sales, "east-sales", Some(east))] {
        let sql = "INSERT INTO departments (id, source, code, name, parent_id, sort_order, status, created_at, updated_at) \
                   VALUES ($1, 'hr', $2, $2, $3, 0, 'active', $4, $4)";
        tx.run(sql, &[&id, &code, &parent, &at]).await.unwrap();
    }
    tx.commit().await.unwrap();
    let bearer = format!("Bearer {}", gate.token(&user, "openid", Some("https://machines.example")).await);
    for (scope, reason) in [("west", "role_missing"), ("east", "not_permitted"), ("east-sales", "not_permitted")] {
        let grant = RoleGrant {
            user_id: user.id,
            role: "robot-keeper".to_owned(),
            rule: "test".to_owned(),
            run_id: None,
            granted_at: at,
            scope: scope.to_owned(),
        };
        let mut tx = gate.app.broker.db.write().await.unwrap();
        tx.role_grants().insert(&[grant]).await.unwrap();
        tx.commit().await.unwrap();
        let answer = ask(&gate, "GET", "/machines", &[("authorization", &bearer)]).await;
        assert_eq!((answer.status().as_u16(), header(&answer, "x-yaopai-reason")), (403, reason), "{scope}");
        let mut tx = gate.app.broker.db.write().await.unwrap();
        let key = (user.id, "robot-keeper".to_owned(), "test".to_owned(), scope.to_owned());
        tx.role_grants().delete(&[key]).await.unwrap();
        tx.commit().await.unwrap();
    }
});
