//! Steps 5 and 6: the same call, allowed to one and refused to the other.

use anyhow::{Context as _, ensure};
use reqwest::StatusCode;

use super::{Actor, Walk, sign_in};
use crate::browser::Page;
use crate::tell::command;

/// Presses the first button "approve" of the expense system.
async fn press_approve(walk: &Walk<'_>, actor: &Actor) -> anyhow::Result<Page> {
    let home = actor.browser.open(&format!("{}/", walk.stage.expense)).await?;
    home.expect(StatusCode::OK)?;
    let form = home.form_to("/approve").context("the list of reports, read through the gateway")?;
    actor.browser.submit(form).await
}

/// The approver: through the gateway, with the API knowing who it was.
pub async fn approver_is_allowed(walk: &Walk<'_>) -> anyhow::Result<()> {
    let (tell, who) = (walk.tell, &walk.approver.who);
    sign_in::with_password(walk, &walk.approver, &walk.stage.expense).await?;
    let (name, login, title, gateway) = (&who.name, who.login, who.title, &walk.stage.gateway);
    tell.held(
        format_args!("{name} ({login}, {title}) signs in to the expense system"),
        format_args!("{name}（{login}，{title}）登录报销系统"),
    );
    let page = press_approve(walk, &walk.approver).await?;
    page.expect(StatusCode::OK)?;
    page.shows(login)?;
    tell.held(
        format_args!("POST {gateway}/expense/approvals → 200; the gateway told the API who called: {login}"),
        format_args!("POST {gateway}/expense/approvals → 200；网关告知接口的调用者：{login}"),
    );
    Ok(())
}

/// The clerk: signed in just as well, but not an approver.
pub async fn clerk_is_refused(walk: &Walk<'_>) -> anyhow::Result<()> {
    let (tell, login, gateway) = (walk.tell, walk.clerk.who.login, &walk.stage.gateway);
    let page = press_approve(walk, &walk.clerk).await?;
    page.expect(StatusCode::FORBIDDEN)?;
    let reason = page.words_of(".reason").context("the page gives no reason")?;
    ensure!(!reason.is_empty(), "the refusal gives no reason");
    tell.held(
        format_args!("POST {gateway}/expense/approvals → 403 for {login}"),
        format_args!("{login} POST {gateway}/expense/approvals → 403"),
    );
    tell.note(format_args!("  reason: {reason}"), format_args!("  原因：{reason}"));
    let (action, resource) = ("call", "Route::\"expense-api\"");
    let asked = ["--user", login, "--action", action, "--resource", resource, "--method", "POST"];
    let asked = [&["policy", "explain"], &asked[..], &["--path", "/expense/approvals"]].concat();
    let why = walk.yaopai.run(&asked).await?;
    ensure!(why.output.starts_with("denied"), "expected the operator to see `denied`: {}", why.output);
    command(&why.line, &why.output);
    let read = walk.clerk.browser.open(&format!("{gateway}/expense")).await?;
    read.expect(StatusCode::OK)?;
    ensure!(read.body.contains(login), "expected the API to know the caller from the session: {}", read.body);
    tell.held(
        format_args!("GET {gateway}/expense → 200 for {login}: reading is for every employee, here by browser session"),
        format_args!("{login} GET {gateway}/expense → 200：每位员工均可查询（此处凭浏览器会话）"),
    );
    let forged = walk.http.get(format!("{gateway}/expense")).header(crate::apps::CALLER, walk.approver.who.login);
    let status = forged.send().await?.status();
    ensure!(status == StatusCode::UNAUTHORIZED, "expected 401 for a call without a token, got {status}");
    tell.held("a call without a token, but with a forged identity header → 401", "无令牌、仅伪造身份头的调用 → 401");
    Ok(())
}
