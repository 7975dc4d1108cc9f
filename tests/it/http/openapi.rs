//! The `OpenAPI` document and the router say the same.

use std::collections::BTreeSet;

use serde_json::Value;
use yaopai::oidc::STATUS_LISTS_PATH;

use crate::both;
use crate::harness::App;

/// Paths that are pages for people, or led to by one.
const PAGES: [&str; 4] = ["/oauth2/authorize", "/oauth2/consent", "/oauth2/logout", "/gateway/return"];

/// The paths of `src/http/paths.rs` that programs ask.
fn asked_by_programs() -> BTreeSet<String> {
    let paths = include_str!("../../../src/http/paths.rs").lines().filter_map(|line| line.split('"').nth(1));
    let is_one = |path: &&str| {
        let is_below = ["/oauth2/", "/.well-known/", "/gateway/"].iter().any(|folder| path.starts_with(folder));
        (is_below || ["/health", "/ready"].contains(path)) && !PAGES.contains(path) && !path.contains("{*")
    };
    paths.chain([STATUS_LISTS_PATH]).filter(is_one).map(str::to_owned).collect()
}

both!(every_path_that_programs_ask_is_described, |kind| async move {
    let app = App::start(kind).await;
    let answer = app.browser().get(app.at("/openapi.json")).send().await.unwrap();
    assert_eq!(answer.headers()["content-type"], "application/json");
    let document: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    let described: BTreeSet<String> = document["paths"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(described, asked_by_programs());
});
