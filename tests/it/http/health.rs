//! Health and what surrounds every answer.

use crate::both;
use crate::harness::App;

both!(health_says_only_up, |kind| async move {
    let app = App::start(kind).await;
    for path in ["/health", "/ready"] {
        let answer = app.browser().get(app.at(path)).send().await.unwrap();
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.headers().get("x-frame-options").unwrap(), "DENY");
        assert!(answer.headers().contains_key("x-request-id"));
        assert_eq!(answer.text().await.unwrap(), "up\n");
    }
});
