//! The built-in proxy, byte by byte: what reaches the system behind, and what does not.

use super::{Gate, status};
use crate::both;
use crate::harness::{Browser, Kind, PASSWORD, person};

async fn gate_and_token(kind: Kind) -> (Gate, String) {
    let gate = Gate::start(kind, "").await;
    let user = person(&gate.app.broker, "liu.qiang", &["employee", "expense-approver"]).await;
    let token = gate.token(&user, "expense:read", None).await;
    (gate, format!("Authorization: Bearer {token}"))
}

both!(
    /// GW-001, GW-002, GW-003, GW-028: identity is ours, credentials stay here.
    the_system_behind_sees_our_identity_and_no_secrets,
    |kind| async move {
        let (gate, bearer) = gate_and_token(kind).await;
        let answer = gate
            .call(
                "GET /expense/%72eports?q=%2f..%2f",
                &[
                    &bearer,
                    "X-Yaopai-User: admin",
                    "x-yaopai-roles: it-admin",
                    "X_Yaopai_User: admin",
                    "X-Auth-User: admin",
                    "Remote-User: admin",
                    "X-Forwarded-User: admin",
                    "X-Forwarded-For: 10.0.0.1",
                    "X-HTTP-Method-Override: DELETE",
                    "Connection: X-Yaopai-Login, X-Forwarded-For",
                    "Cookie: a=1; yaopai=abc; yaopai_lang=en",
                    "Accept: */*",
                ],
            )
            .await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(answer.ends_with("served") && answer.contains("set-cookie: own=1"), "{answer}");
        assert!(!answer.contains("stolen"), "{answer}");
        let seen = gate.upstream.seen().await;
        let [request] = seen.as_slice() else { panic!("{seen:?}") };
        let lower = request.to_ascii_lowercase();
        assert!(request.starts_with("GET /expense/reports?q=%2f..%2f HTTP/1.1\r\n"), "{request}");
        for told in ["x-yaopai-login: liu.qiang", "x-yaopai-roles: employee,expense-approver", "cookie: a=1\r", "x-forwarded-for: 127.0.0.1", "x-request-id: "] {
            assert!(lower.contains(told), "{told} in {request}");
        }
        for kept in ["admin", "authorization", "abc", "10.0.0.1", "delete", "_yaopai", "yaopai_lang", "x-auth"] {
            assert!(!lower.contains(kept), "{kept} in {request}");
        }
        assert_eq!(lower.matches("x-yaopai-user:").count(), 1);
    }
);

both!(
    /// GW-011, GW-012, GW-013: what could mean two things never reaches the system behind.
    ambiguous_paths_stop_here,
    |kind| async move {
        let (gate, bearer) = gate_and_token(kind).await;
        for target in [
            "/expense%2f..%2fadmin",
            "//expense",
            "/./expense",
            "/x/../expense",
            "/%2e%2e/expense",
            "/expense/..;/admin",
            "/expense;a=b",
            "/expense%00",
            "/expense%252fadmin",
            "/expense\\admin",
            "/expense/%5c..%5cadmin",
            "/EXPENSE",
            "/expense?_method=DELETE",
            "http://127.0.0.1/expense",
            "http://evil.example/expense",
        ] {
            let answer = gate.call(&format!("GET {target}"), &[&bearer]).await;
            assert_eq!(status(&answer), 400, "{target}: {answer}");
        }
        for target in ["/admin?x=/expense", "/expenses", "/admin#/expense"] {
            assert_eq!(status(&gate.call(&format!("GET {target}"), &[&bearer]).await), 404, "{target}");
        }
        assert_eq!(gate.upstream.seen().await.len(), 0);
        let answer = gate.call("GET /expense/%61", &[&bearer]).await;
        assert_eq!(status(&answer), 200, "{answer}");
        assert!(gate.upstream.seen().await[0].starts_with("GET /expense/a HTTP/1.1\r\n"));
    }
);

both!(
    /// GW-014
    methods_are_those_of_the_route_exactly,
    |kind| async move {
        let (gate, bearer) = gate_and_token(kind).await;
        for method in ["HEAD", "OPTIONS", "TRACE", "DELETE", "get", "GETX", "PROPFIND"] {
            let answer = gate.call(&format!("{method} /expense"), &[&bearer]).await;
            assert_eq!(status(&answer), 405, "{method}: {answer}");
            assert!(answer.contains("allow: GET, POST"), "{answer}");
        }
        let answer = gate.call("CONNECT 127.0.0.1:22", &[&bearer]).await;
        assert!((400..500).contains(&status(&answer)), "{answer}");
        assert_eq!(gate.upstream.seen().await.len(), 0);
    }
);

both!(
    /// GW-015
    a_host_is_one_and_plain,
    |kind| async move {
        let (gate, bearer) = gate_and_token(kind).await;
        for hosts in ["Host: a.example\r\nHost: b.example\r\n", "Host: user@a.example\r\n", "Host: a.example.\r\n", ""] {
            let answer = gate.raw(&format!("GET /expense HTTP/1.1\r\n{hosts}Connection: close\r\n{bearer}\r\n\r\n")).await;
            assert_eq!(status(&answer), 400, "{hosts}: {answer}");
        }
        assert_eq!(gate.upstream.seen().await.len(), 0);
    }
);

both!(
    /// GW-018, GW-020: one request in is one request out, or none; a refused one's body goes nowhere.
    a_request_cannot_hide_another,
    |kind| async move {
        let (gate, bearer) = gate_and_token(kind).await;
        let hidden = "GET /expense/hidden HTTP/1.1\r\nHost: x\r\n\r\n";
        for framing in [
            "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
            "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: xchunked\r\nContent-Length: 5\r\n",
            "Transfer-Encoding: chunked, identity\r\n",
            "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n",
            "Transfer-Encoding:\tchunked\r\nContent-Length: 0\r\n",
            "Transfer-Encoding : chunked\r\n",
            "Content-Length: 5\r\nContent-Length: 0\r\n",
            "Content-Length: +5\r\n",
            "Content-Length: -1\r\n",
            "Content-Length: 5, 5\r\n",
            "Content-Length: 0x5\r\n",
            " Content-Length: 5\r\n",
        ] {
            let request = format!(
                "POST /expense/approvals HTTP/1.1\r\nHost: 127.0.0.1\r\n{bearer}\r\n{framing}Connection: close\r\n\r\n0\r\n\r\n{hidden}"
            );
            let answer = gate.raw(&request).await;
            assert!(answer.matches("HTTP/1.1 ").count() <= 1, "{framing}: {answer}");
        }
        for request in gate.upstream.seen().await {
            assert_eq!(request.matches("HTTP/1.1").count(), 1, "{request}");
            assert!(!request.contains("hidden"), "{request}");
            let head = request.split("\r\n\r\n").next().unwrap().to_ascii_lowercase();
            let framings = head.matches("content-length").count() + head.matches("transfer-encoding").count();
            assert!(framings <= 1, "{request}");
        }
        let before = gate.upstream.seen().await.len();
        let refused = "POST /machines HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 4\r\nExpect: 100-continue\r\nConnection: close\r\n\r\n";
        let answer = gate.raw(refused).await;
        assert_eq!(status(&answer), 405, "{answer}");
        assert_eq!(gate.upstream.seen().await.len(), before);
    }
);

both!(bodies_stream_in_both_framings, |kind| async move {
    let (gate, bearer) = gate_and_token(kind).await;
    let post = |framing: &str, body: &str| {
        format!(
            "POST /expense/approvals HTTP/1.1\r\nHost: 127.0.0.1\r\n{bearer}\r\n{framing}\r\nConnection: close\r\n\r\n{body}"
        )
    };
    assert_eq!(status(&gate.raw(&post("Content-Length: 5", "seven")).await), 200);
    assert_eq!(status(&gate.raw(&post("Transfer-Encoding: chunked", "5\r\nseven\r\n0\r\n\r\n")).await), 200);
    let seen = gate.upstream.seen().await;
    assert!(seen[0].ends_with("\r\n\r\nseven"), "{}", seen[0]);
    assert!(seen[1].contains("seven") && seen[1].ends_with("0\r\n\r\n"), "{}", seen[1]);
});

both!(
    /// GW-033: a person at a browser is sent to sign in, a program is told; a session then passes.
    browsers_sign_in_and_programs_are_told,
    |kind| async move {
        let gate = Gate::start(kind, "").await;
        person(&gate.app.broker, "wang.fang", &["employee"]).await;
        let person_at = gate.call("GET /expense", &["Accept: text/html,*/*"]).await;
        assert_eq!(status(&person_at), 303);
        let sign_in = person_at.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
        assert!(sign_in.starts_with(&format!("{}/login?return_to=", gate.app.url)), "{sign_in}");
        let program = gate.call("GET /expense", &["Accept: application/json", "Accept-Language: zh-CN"]).await;
        assert_eq!(status(&program), 401);
        assert!(program.contains("application/problem+json") && program.contains("请在 Authorization 头中携带访问令牌"), "{program}");

        let browser = Browser::new(&gate.app.url);
        let path = sign_in.strip_prefix(&gate.app.url).unwrap();
        let after = browser.sign_in_at(path, "wang.fang", PASSWORD).await;
        let back = browser.get(after.location()).await;
        assert_eq!(back.location(), format!("http://{}/expense", gate.proxy));
        let cookie = format!("Cookie: yaopai={}", browser.cookie("yaopai").unwrap());
        assert_eq!(status(&gate.call("GET /expense", &[&cookie]).await), 200);
        assert!(!gate.upstream.seen().await[0].to_ascii_lowercase().contains("cookie"));
    }
);

both!(
    /// Code and sentence of a system behind that is not there.
    a_system_that_is_down_is_named,
    |kind| async move {
        let (gate, bearer) = gate_and_token(kind).await;
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut config = (*gate.app.broker.config).clone();
        config.routes[0].upstream = Some(format!("http://127.0.0.1:{port}").parse().unwrap());
        let broker = yaopai::broker::Broker { config: std::sync::Arc::new(config), ..gate.app.broker.clone() };
        let router = yaopai::http::gateway::proxy_router(yaopai::http::App::new(broker, gate.keys.clone()));
        let request = axum_request(&format!("http://{}/expense", gate.proxy), &bearer);
        let answer = tower::ServiceExt::oneshot(router, request).await.unwrap();
        assert_eq!(answer.status(), 502);
        assert_eq!(answer.headers()["x-yaopai-reason"], "upstream_unreachable");
    }
);

/// A request in process; the host stands in a header only, as in HTTP/1.
fn axum_request(url: &str, bearer: &str) -> axum::extract::Request {
    let url: url::Url = url.parse().unwrap();
    let token = bearer.strip_prefix("Authorization: ").unwrap();
    let builder = axum::http::Request::builder().uri(url.path()).header("host", url.authority());
    builder.header("authorization", token).body(axum::body::Body::empty()).unwrap()
}
