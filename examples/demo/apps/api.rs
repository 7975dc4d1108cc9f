//! The sample integration API behind the gateway: it knows nothing of tokens. Who calls is what the gateway says.

use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use tokio::net::TcpListener;

/// The header in which the gateway says which person calls.
pub const CALLER: &str = "x-yaopai-login";

/// One expense report.
#[derive(Clone, Debug, Serialize)]
struct Report {
    id: &'static str,
    title: Title,
    amount: &'static str,
    approved_by: Option<String>,
}

/// What it is for, in both languages.
#[derive(Clone, Debug, Serialize)]
struct Title {
    en: &'static str,
    zh: &'static str,
}

type Reports = Arc<Mutex<Vec<Report>>>;

/// Serves the API for as long as the process lives.
pub fn serve(listener: TcpListener) {
    let report = |id, en, zh, amount| Report { id, title: Title { en, zh }, amount, approved_by: None };
    let reports: Reports = Arc::new(Mutex::new(vec![
        report("BX-1107", "Customer visit, Shanghai", "上海客户拜访差旅", "¥ 2,860.00"),
        report("BX-1112", "Office supplies", "办公用品采购", "¥ 418.50"),
        report("BX-1119", "Team dinner", "项目组加班餐费", "¥ 1,236.00"),
        report("BX-1120", "Training, two days", "两日专业培训", "¥ 3,200.00"),
        report("BX-1121", "Taxi to the airport", "机场打车", "¥ 146.00"),
    ]));
    let router =
        Router::new().route("/expense", get(list)).route("/expense/approvals", post(approve)).with_state(reports);
    tokio::spawn(async move { axum::serve(listener, router).await });
}

/// The identity headers of a request, as the gateway set them: percent-encoded UTF-8, empty where nothing is to say.
fn caller(headers: &HeaderMap) -> serde_json::Map<String, serde_json::Value> {
    let ours = headers.iter().filter(|(name, value)| name.as_str().starts_with("x-yaopai-") && !value.is_empty());
    let decode = |bytes| percent_encoding::percent_decode(bytes).decode_utf8_lossy().into_owned();
    ours.map(|(name, value)| (name.to_string(), decode(value.as_bytes()).into())).collect()
}

async fn list(State(reports): State<Reports>, headers: HeaderMap) -> Response {
    let reports = reports.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Json(serde_json::json!({ "caller": caller(&headers), "reports": reports })).into_response()
}

#[derive(Deserialize)]
struct Approval {
    report: String,
}

async fn approve(State(reports): State<Reports>, headers: HeaderMap, Json(approval): Json<Approval>) -> Response {
    let caller = caller(&headers);
    let Some(login) = caller.get(CALLER).and_then(|login| login.as_str()) else {
        return (StatusCode::UNAUTHORIZED, "only through the gateway\n").into_response();
    };
    let mut reports = reports.lock().unwrap_or_else(PoisonError::into_inner);
    let Some(report) = reports.iter_mut().find(|report| report.id == approval.report) else {
        return (StatusCode::NOT_FOUND, "no such report\n").into_response();
    };
    report.approved_by = Some(login.to_owned());
    Json(serde_json::json!({ "caller": caller, "report": report })).into_response()
}
