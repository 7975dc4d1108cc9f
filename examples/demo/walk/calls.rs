//! Steps 5 and 6: the same call, allowed to one and refused to the other.

use anyhow::{Context as _, ensure};
use reqwest::StatusCode;

use super::{Walk, sign_in};
use crate::browser::{Browser, Page};
use crate::cast::{APPROVER, CLERK};

/// Presses the first button "approve" of the expense system.
async fn press_approve(walk: &Walk<'_>, browser: &Browser) -> anyhow::Result<Page> {
    let home = browser.open(&format!("{}/", walk.stage.expense)).await?;
    home.expect(StatusCode::OK)?;
    let form = home.form_to("/approve").context("the list of reports, read through the gateway")?;
    browser.submit(form).await
}

/// The approver: through the gateway, with the API knowing who it was.
pub async fn approver_is_allowed(walk: &Walk<'_>) -> anyhow::Result<()> {
    let tell = walk.tell;
    sign_in::with_password(walk, &walk.approver, &walk.stage.expense, APPROVER).await?;
    tell.held(
        format_args!("{} ({}) signs in to the expense system", APPROVER.name, APPROVER.login),
        format_args!("{}（{}）登录报销系统", APPROVER.name, APPROVER.login),
    );
    let page = press_approve(walk, &walk.approver).await?;
    page.expect(StatusCode::OK)?;
    page.shows(APPROVER.login)?;
    tell.held(
        format_args!(
            "POST {}/expense/approvals → 200; the API was told who called: {}",
            walk.stage.gateway, APPROVER.login
        ),
        format_args!("POST {}/expense/approvals → 200；接口得知的调用者：{}", walk.stage.gateway, APPROVER.login),
    );
    Ok(())
}

/// The clerk: signed in just as well, but not an approver.
pub async fn clerk_is_refused(walk: &Walk<'_>) -> anyhow::Result<()> {
    let tell = walk.tell;
    let page = press_approve(walk, &walk.clerk).await?;
    page.expect(StatusCode::FORBIDDEN)?;
    let reason = page.words_of(".reason").context("the page gives no reason")?;
    ensure!(!reason.is_empty(), "the refusal gives no reason");
    tell.held(
        format_args!("POST {}/expense/approvals → 403 for {}", walk.stage.gateway, CLERK.login),
        format_args!("{} POST {}/expense/approvals → 403", CLERK.login, walk.stage.gateway),
    );
    tell.note(format_args!("  reason: {reason}"), format_args!("  原因：{reason}"));
    let nobody = walk.http.get(format!("{}/expense", walk.stage.gateway)).header("x-yaopai-login", CLERK.login);
    let status = nobody.send().await?.status();
    ensure!(status == StatusCode::UNAUTHORIZED, "expected 401 for a call without a token, got {status}");
    tell.held("a call without a token, but with a forged identity header → 401", "无令牌、仅伪造身份头的调用 → 401");
    Ok(())
}
