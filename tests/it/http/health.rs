//! Health and what surrounds every answer.

use crate::both;
use crate::harness::App;

both!(
    /// GW-052: up or down and nothing else; no measurements, no insides, no administration for strangers.
    health_says_only_up,
    |kind| async move {
    let app = App::start(kind).await;
    for path in ["/metrics", "/debug", "/debug/pprof", "/admin", "/api/admin", "/health/details", "/actuator", "/.env"] {
        let answer = app.browser().get(app.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 404, "{path}");
    }
    for path in ["/console", "/console/runs"] {
        let answer = app.browser().get(app.at(path)).send().await.unwrap();
        assert!([303, 403, 404].contains(&answer.status().as_u16()), "{path}: {}", answer.status());
        assert!(answer.status() != 303 || answer.headers()["location"].to_str().unwrap().starts_with("/login"), "{path}");
    }
    for path in ["/health", "/ready"] {
        let answer = app.browser().get(app.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers().get("x-frame-options").unwrap(), "DENY");
        assert!(answer.headers().contains_key("x-request-id"));
        assert_eq!(answer.text().await.unwrap(), "up\n");
    }
});
