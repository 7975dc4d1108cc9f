//! `POST /console/plans/{id}/approve` and `…/reject`: applies a plan in the administrator's name, or rejects it.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse as _, Redirect, Response};

use crate::http::extract::{AdministratorForm, SignedIn};
use crate::http::paths;
use crate::http::state::App;
use crate::model::{PlanId, RunState};
use crate::sync::{Approval, SyncError, apply, reject as reject_plan};

/// Applies the plan and shows the report.
pub async fn approve(
    State(app): State<App>,
    Path(id): Path<String>,
    AdministratorForm(signed_in, _): AdministratorForm,
) -> Response {
    let Ok(plan) = id.parse::<PlanId>() else {
        return signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-not-found");
    };
    let page = paths::PLAN.replace("{id}", &plan.to_string());
    if !signed_in.is_fresh() {
        return Redirect::to(&SignedIn::prove_again(&page)).into_response();
    }
    let (broker, by) = (app.broker.clone(), signed_in.current.actor());
    // In a task of its own: a browser that goes away must not stop it half way.
    let applied = tokio::spawn(async move { apply(&broker, plan, Approval { by: &by, is_given: true }).await }).await;
    match applied {
        // Only the first of two approvals: the plan waits for the second.
        Ok(Ok(report)) if report.state == RunState::Held => Redirect::to(&page).into_response(),
        Ok(Ok(report)) => Redirect::to(&paths::RUN.replace("{id}", &report.run_id.to_string())).into_response(),
        Ok(Err(error)) => refuse(&signed_in, &error),
        Err(error) => signed_in.failed(&error),
    }
}

/// Rejects the plan and shows it.
pub async fn reject(
    State(app): State<App>,
    Path(id): Path<String>,
    AdministratorForm(signed_in, fields): AdministratorForm,
) -> Response {
    let Ok(plan) = id.parse::<PlanId>() else {
        return signed_in.visit.refuse(StatusCode::NOT_FOUND, "error-not-found");
    };
    match reject_plan(&app.broker, plan, &signed_in.current.actor(), fields.get("reason")).await {
        Ok(plan) => Redirect::to(&paths::PLAN.replace("{id}", &plan.id.to_string())).into_response(),
        Err(error) => refuse(&signed_in, &error),
    }
}

fn refuse(signed_in: &SignedIn, error: &SyncError) -> Response {
    let (status, key) = match error {
        SyncError::NoSuchPlan { .. } | SyncError::UnknownSource { .. } | SyncError::Orphaned { .. } => {
            (StatusCode::NOT_FOUND, "error-not-found")
        }
        SyncError::Busy(_) => (StatusCode::CONFLICT, "error-run-busy"),
        SyncError::PlanGone { .. }
        | SyncError::PlanExpired(_)
        | SyncError::GroundMoved(_)
        | SyncError::PlanChanged(_)
        | SyncError::NothingWaiting(_)
        | SyncError::NeedsApproval(_)
        | SyncError::NothingToUndo(_)
        | SyncError::NotUndoable { .. }
        | SyncError::UndoUnclean(_)
        | SyncError::UndoConflicts(_)
        | SyncError::OnlyAdds(_)
        | SyncError::NoGrace(_)
        | SyncError::NotRestorable { .. } => (StatusCode::CONFLICT, "error-plan-stale"),
        SyncError::SecondPerson { .. } => (StatusCode::CONFLICT, "error-second-person"),
        SyncError::NoReason => (StatusCode::BAD_REQUEST, "error-no-reason"),
        SyncError::Source(_)
        | SyncError::NotConfirmed { .. }
        | SyncError::Roles(_)
        | SyncError::Mapping(_)
        | SyncError::Store(_)
        | SyncError::Document(_) => return signed_in.failed(error),
    };
    signed_in.visit.refuse(status, key)
}
