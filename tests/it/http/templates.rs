//! Every template in both languages, with hostile samples; and an operator's own templates.

use minijinja::value::Serde;
use minijinja::{Value, context};
use serde_json::json;
use yaopai::http::ui::{TEMPLATES, Ui};
use yaopai::text::Language;

const HOSTILE: &str = "<script>alert('{{1234567*7}}')</script>";

/// What stands for the script of a page that has one.
const OWN_SCRIPT: &str = "own()";

/// Templates that are parts of others.
const PARTS: &[&str] =
    &["gate.html", "house.html", "language.html", "layout.html", "report.html", "chart.html", "console.html"];

fn around() -> Value {
    Value::from(Serde(json!({
        "organisation": HOSTILE, "csrf": HOSTILE, "home": "/", "name": HOSTILE,
        "switches": [{ "code": "en", "label": "English", "url": "/language?to=en", "is_current": true }],
        "bar": { "name": HOSTILE, "detail": HOSTILE, "is_administrator": true, "place": "portal", "portal": "/",
                 "sessions": "/sessions", "consents": "/consents", "deputies": "/deputies", "runs": "/console/runs", "findings": "/f", "roles": "/roles",
                 "people": "/p", "departments": "/d", "logout": "/logout" },
    })))
}

fn groups() -> serde_json::Value {
    let field = json!({ "name": HOSTILE, "before": HOSTILE, "after": null });
    let line = json!({ "sign": "-", "tone": "bad", "name": HOSTILE, "detail": HOSTILE, "fields": [field] });
    json!([{ "code": "left", "title": "left", "count": 9, "hidden": 7, "url": "/g", "lines": [line] }])
}

fn report() -> serde_json::Value {
    let counts = json!({ "read": 4, "created": 1, "changed": 1, "unchanged": 1, "quarantined": 1, "absent": 1,
                         "moved": 1, "locked_out": 1, "enabled": 1 });
    let traffic = json!({ "joined": 1, "left": 0, "moved_in": 2, "moved_out": 0 });
    let several = json!({
        "masters": { "sources": [HOSTILE, "hr"], "rows": [{ "field": HOSTILE, "counts": [1, 2] }] },
        "moved_out": 1, "rehired": 1, "deleted": 1,
    });
    let mut all = json!({
        "source": HOSTILE, "state": "held", "tone": "warn", "started": "now", "duration": "1.2 s", "error": HOSTILE,
        "kind": "incremental", "kind_lines": [HOSTILE], "lockout": HOSTILE, "traffic": [[HOSTILE, traffic], ["", traffic]],
        "traffic_hidden": 1, "findings_url": "/f", "last": [HOSTILE, counts],
        "users": counts, "kinds": [{ "title": "people", "counts": counts }], "adds_up": true,
        "members": { "added": 1, "removed": 1, "skipped": 1 }, "roles": { HOSTILE: { "granted": 1, "revoked": 2 } },
        "gone_from": [[HOSTILE, 3], ["", 1]], "reasons": [HOSTILE],
        "findings": [{ "code": "missing_login", "title": HOSTILE, "remedy": HOSTILE, "count": 2, "hidden": 1,
                       "quarantined": true, "entries": [{ "entry": HOSTILE, "place": HOSTILE, "details": HOSTILE }] }],
        "findings_total": 2, "sessions_ended": 1, "grants_ended": 1,
        "by": HOSTILE, "plan_url": "/p", "runs_url": "/r", "plan_state": "held", "is_held": true, "is_waiting": true,
        "decided_by": HOSTILE, "made": "now", "until": "then", "digest": "abc", "approve": "/a", "run_url": "/r",
    });
    if let (Some(all), serde_json::Value::Object(several)) = (all.as_object_mut(), several) {
        all.extend(several);
    }
    all
}

fn plan() -> serde_json::Value {
    let mut all = report();
    let own = json!({
        "is_rejected": false, "groups": groups(), "needs_two": true, "approved_by": HOSTILE, "reason": HOSTILE, "reject": "/x", "plan_url": "/p",
        "is_one": false, "pages": { "number": 1, "last": 2, "before": null, "after": "/n" },
    });
    all.as_object_mut().unwrap().extend(own.as_object().unwrap().clone());
    all
}

fn wish() -> serde_json::Value {
    json!({ "lines": [HOSTILE], "deeds": [{ "kind": HOSTILE, "values": [[HOSTILE, HOSTILE]] }] })
}

/// The values that a page names of its own.
fn sample(template: &str) -> serde_json::Value {
    match template {
        "error.html" => {
            json!({ "status": 404, "why": HOSTILE, "next": HOSTILE, "request_id": HOSTILE, "lines": [HOSTILE] })
        }
        "sign_in.html" => {
            json!({ "action": "/login", "return_to": "/", "is_again": true, "login": HOSTILE, "problem": HOSTILE })
        }
        "form_post.html" => json!({ "action": HOSTILE, "fields": [[HOSTILE, HOSTILE]], "script": OWN_SCRIPT }),
        "sign_out.html" => json!({ "action": "/logout", "fields": [[HOSTILE, HOSTILE]] }),
        "signed_out.html" => {
            json!({ "login_url": "/login", "frames": ["https://a.example/bye?sid=1"], "then": "https://a.example/" })
        }
        "portal.html" => {
            json!({ "waiting": 2, "requests": "/requests", "tiles": [{ "name": HOSTILE, "description": HOSTILE, "url": "https://a.example/", "monogram": "<", "tint": 1 }] })
        }
        "sessions.html" => json!({
            "has_others": true, "end_one": "/a", "end_others": "/b", "everywhere": "/c",
            "rows": [{ "id": "1", "browser": HOSTILE, "address": HOSTILE, "opened": "now", "last_used": "now",
                       "applications": [HOSTILE, "b"], "is_this": false }],
        }),
        "requests.html" => json!({
            "action": "/requests",
            "rows": [{ "id": "1", "name": HOSTILE, "message": HOSTILE, "permissions": [HOSTILE], "address": HOSTILE,
                       "asked": "now" }],
        }),
        "device.html" => json!({
            "state": "confirm", "code": HOSTILE, "problem": HOSTILE, "action": "/device",
            "request": { "name": HOSTILE, "permissions": [HOSTILE], "address": HOSTILE, "asked": "now" },
        }),
        "consent.html" => json!({
            "action": "/c", "application": HOSTILE, "host": HOSTILE, "login": HOSTILE, "is_more": true, "ticket": HOSTILE,
            "request": HOSTILE, "other_url": "/o", "consents_url": "/consents", "wish": wish(),
            "policy_uri": "https://p.example.com/?a=1&b=<", "tos_uri": "https://t.example.com/",
        }),
        "consents.html" => json!({
            "withdraw": "/w", "rows": [{ "id": HOSTILE, "name": HOSTILE, "since": "now", "wish": wish() }],
        }),
        "deputies.html" => deputies(),
        "test_login.html" => json!({
            "application": HOSTILE, "action": "/t", "token": HOSTILE,
            "shown": { "login": HOSTILE, "allowed": false, "scope": HOSTILE, "not_granted": [HOSTILE] },
            "documents": [{ "kind": "id-token", "text": HOSTILE }, { "kind": "userinfo", "text": null },
                          { "kind": "access-token", "text": HOSTILE }],
        }),
        other => console(other),
    }
}

fn deputies() -> serde_json::Value {
    let row =
        json!({ "id": "1", "name": HOSTILE, "login": HOSTILE, "days": HOSTILE, "reason": HOSTILE, "state": "soon" });
    json!({
        "is_person": true, "is_fresh": true, "prove_url": "/login", "own": [row], "others": [],
        "lent": [["approver", HOSTILE], [HOSTILE, null]], "problem": HOSTILE, "today": "2026-11-22", "action": "/deputies",
        "end": "/deputies/end", "typed": { "deputy": HOSTILE, "from": HOSTILE, "to": HOSTILE, "reason": HOSTILE },
    })
}

/// The values that a page of the console names of its own.
fn console(template: &str) -> serde_json::Value {
    match template {
        "findings.html" => json!({
            "chips": [{ "state": "open", "count": 1, "url": "/f", "is_current": true }], "action": "/f", "today": "2026-11-22",
            "pages": { "before": null, "after": "/n" },
            "kinds": [{ "code": HOSTILE, "title": HOSTILE, "remedy": HOSTILE, "quarantined": true, "rows": [
                { "number": 0, "source": HOSTILE, "id": HOSTILE, "code": HOSTILE, "entry": HOSTILE, "place": HOSTILE,
                  "details": HOSTILE, "state": "accepted", "age": "now", "owner": HOSTILE, "reason": HOSTILE,
                  "accepted": "then" }] }],
        }),
        "people.html" => json!({ "query": HOSTILE, "rows": [
            { "url": "/p", "name": HOSTILE, "login": HOSTILE, "title": HOSTILE, "is_active": false }] }),
        "person.html" => json!({
            "name": HOSTILE, "login": HOSTILE, "is_active": false, "status_why": HOSTILE,
            "facts": [{ "name": HOSTILE, "value": HOSTILE, "since": HOSTILE, "run": "/r" }],
            "roles": [{ "role": HOSTILE, "url": "/role", "within": HOSTILE, "acting": HOSTILE, "why": HOSTILE,
                        "rule": HOSTILE, "since": "now", "run": "/r" }],
            "history": [{ "sign": "~", "tone": "warn", "title": HOSTILE, "detail": HOSTILE, "at": "now", "run": "/r",
                          "fields": [{ "name": HOSTILE, "before": HOSTILE, "after": null }] }],
        }),
        "departments.html" => json!({
            "departments": 2, "people": 3, "tree": [{ "code": HOSTILE, "name": HOSTILE, "all": 3, "is_open": true,
                "kind": "company", "head": HOSTILE, "cost_centre": HOSTILE, "legal_entity": HOSTILE,
                "below": [{ "code": HOSTILE, "name": HOSTILE, "all": 1, "is_open": false, "kind": null, "head": null,
                            "cost_centre": null, "legal_entity": HOSTILE, "below": [] }] }],
        }),
        "runs.html" => json!({
            "chart": { "width": "720", "height": "144", "base": "124", "bar": "16", "marks": "132", "most": 9, "runs": 1, "held": 0,
                       "failed": 0, "first": "a", "last": "b", "nights": [{ "title": HOSTILE, "x": "4",
                       "state": "good", "parts": [{ "kind": "created", "y": "4", "height": "120" }] }] },
            "waiting": [{ "url": "/p", "source": HOSTILE, "is_held": true, "until": "then" }],
            "rows": [{ "url": "/r", "source": HOSTILE, "state": "applied", "tone": "good", "started": "now", "by": HOSTILE,
                       "kind": "full",
                       "read": 1, "created": 1, "changed": 0, "absent": 0, "findings": 0 }],
        }),
        "roles.html" => json!({
            "role": HOSTILE, "roles": [{ "name": HOSTILE, "count": 2, "url": "/r", "rules": [[HOSTILE, HOSTILE]] }],
            "rows": [{ "url": "/p", "name": HOSTILE, "login": HOSTILE, "department": HOSTILE, "rule": HOSTILE,
                       "within": HOSTILE, "since": "now", "run": "/run" }],
            "pages": { "before": null, "after": "/n" },
        }),
        "run.html" => report(),
        "plan.html" => plan(),
        other => panic!("{other} has no sample: add one"),
    }
}

fn values(template: &str) -> Value {
    minijinja::value::merge_maps([around(), Value::from(Serde(sample(template)))])
}

/// WEB-013, WEB-017
#[test]
fn every_template_says_everything_in_both_languages() {
    let ui = Ui::new(None);
    ui.check().unwrap();
    let pages: Vec<&str> = TEMPLATES.iter().map(|(name, _)| *name).filter(|name| !PARTS.contains(name)).collect();
    assert!(pages.len() >= 9);
    for name in pages {
        let texts = [Language::Zh, Language::En].map(|language| {
            let text = ui.render(name, language, &values(name)).unwrap_or_else(|error| panic!("{error}"));
            let text = text.replace(&format!("<script>{OWN_SCRIPT}</script>"), "");
            assert!(!text.contains("<script"), "{name}: a value is not escaped");
            assert!(!text.contains("8641969"), "{name}: a value is evaluated");
            assert!(text.contains(&format!("<html lang=\"{language}\">")), "{name}");
            text
        });
        let [zh, en] = texts;
        assert_ne!(zh, en, "{name}");
        assert!(zh.chars().any(|c| ('\u{4e00}'..='\u{9fff}').contains(&c)), "{name} says nothing in Chinese");
    }
}

#[test]
fn a_value_that_is_missing_is_an_error_and_not_a_blank() {
    let error = Ui::new(None).render("error.html", Language::En, &context! { organisation => "x" }).unwrap_err();
    assert!(error.to_string().contains("error.html"), "{error}");
}

#[test]
fn an_operators_templates_replace_ours_and_cannot_lock_anybody_out() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(
        folder.path().join("signed_out.html"),
        "{% extends \"gate.html\" %}{% block main %}Bye, {{ t('sign-in') }}{% endblock %}",
    )
    .unwrap();
    std::fs::write(folder.path().join("style.css"), "body { color: red }").unwrap();
    let ui = Ui::new(Some(folder.path()));
    ui.check().unwrap();
    let page = ui.render("signed_out.html", Language::En, &values("signed_out.html")).unwrap();
    assert!(page.contains("Bye, Sign in"), "{page}");
    let style = ui.assets.path("style.css").unwrap();
    assert!(page.contains(&style));
    assert_eq!(ui.assets.find(style.rsplit('/').next().unwrap()).unwrap().content, b"body { color: red }");
    assert_ne!(Ui::new(None).assets.path("style.css").unwrap(), style, "the name follows the content");

    std::fs::write(
        folder.path().join("sign_in.html"),
        "{% extends \"gate.html\" %}{% block main %}{{ no_such_value }}{% endblock %}",
    )
    .unwrap();
    std::fs::write(folder.path().join("error.html"), "{% if %}").unwrap();
    let ui = Ui::new(Some(folder.path()));
    let page = ui.render("sign_in.html", Language::En, &values("sign_in.html")).unwrap();
    assert!(page.contains("name=\"password\""), "ours is used instead");
    let error = ui.check().unwrap_err().to_string();
    assert!(error.contains("(in error.html:1)") && !error.contains('\n'), "{error}");
}
