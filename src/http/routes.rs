//! Every route on one page.

use axum::Router;
use axum::routing::{any, get, post};

use super::state::App;
use super::{assets, console, gateway, health, layers, login, oidc, openapi, paths, portal, respond::page};

/// The router of the broker's listener.
pub fn router(app: App) -> Router {
    let router = Router::new()
        .route(paths::HEALTH, get(health::live))
        .route(paths::READY, get(health::ready))
        .route(paths::OPENAPI, get(openapi::show))
        .route(paths::LOGIN, get(login::show).post(login::submit))
        .route(paths::LOGOUT, get(portal::ask).post(portal::sign_out))
        .route(paths::SIGNED_OUT, get(portal::signed_out))
        .route(paths::PORTAL, get(portal::show))
        .route(paths::SESSIONS, get(portal::list))
        .route(paths::SESSION_END, post(portal::end_one))
        .route(paths::SESSIONS_END_OTHERS, post(portal::end_others))
        .route(paths::SESSIONS_END_ALL, post(portal::end_everywhere))
        .route(paths::CONSENTS, get(portal::list_consents))
        .route(paths::CONSENT_WITHDRAW, post(portal::withdraw))
        .route(paths::DEPUTIES, get(portal::list_deputies).post(portal::name_deputy))
        .route(paths::DEPUTY_END, post(portal::end_deputy))
        .route(paths::RUNS, get(console::list))
        .route(paths::RUN, get(console::show_run))
        .route(paths::PLAN, get(console::show_plan))
        .route(paths::FINDINGS, get(console::list_findings).post(console::decide_finding))
        .route(paths::PEOPLE, get(console::search_people))
        .route(paths::PERSON, get(console::show_person))
        .route(paths::DEPARTMENTS, get(console::show_departments))
        .route(paths::ROLES, get(console::show_roles))
        .route(paths::PLAN_APPROVE, post(console::approve))
        .route(paths::PLAN_REJECT, post(console::reject))
        .route(paths::TEST_LOGIN, get(console::ask_test_login).post(console::show_test_login))
        .route(paths::LANGUAGE, get(login::switch))
        .route(paths::ASSETS, get(assets::serve))
        .route(paths::GATEWAY_CHECK, any(gateway::check))
        .route(paths::GATEWAY_ENVOY, any(gateway::check_for_envoy))
        .route(paths::GATEWAY_ENVOY_PATH, any(gateway::check_for_envoy))
        .route(paths::GATEWAY_RETURN, get(gateway::go_back))
        .merge(oidc::routes(&app))
        .fallback(page::not_found)
        .method_not_allowed_fallback(page::wrong_method);
    layers::wrap(router, &app).with_state(app)
}
