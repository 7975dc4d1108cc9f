//! Steps 3 and 4: one password, two systems.

use std::time::Instant;

use anyhow::ensure;
use reqwest::StatusCode;

use super::{Actor, Walk};
use crate::browser::Page;
use crate::cast::PASSWORD;
use crate::tell::took;

/// Opens an application, follows it to the broker's sign-in page and signs in there.
pub async fn with_password(walk: &Walk<'_>, actor: &Actor, app: &str) -> anyhow::Result<Page> {
    let form = actor.browser.open(&format!("{app}/login")).await?;
    form.expect(StatusCode::OK)?;
    ensure!(
        form.url.as_str().starts_with(&format!("{}/login", walk.stage.broker)),
        "expected the broker's sign-in page, got {}",
        form.url
    );
    let filled = form.form("password")?.with("login", actor.who.login).with("password", PASSWORD);
    let page = actor.browser.submit(filled).await?;
    page.expect(StatusCode::OK)?;
    ensure!(page.url.as_str() == format!("{app}/"), "expected to land at {app}/, got {}: {}", page.url, page.text());
    page.shows(&actor.who.name)?;
    Ok(page)
}

/// Opens an application that must know the person from the broker's session, without any form on the way.
pub async fn without_password(walk: &Walk<'_>, actor: &Actor, app: &str) -> anyhow::Result<Page> {
    let page = actor.browser.open(&format!("{app}/login")).await?;
    let form = format!("{}/login", walk.stage.broker);
    let passed: Vec<&str> = page.trail.iter().map(reqwest::Url::as_str).collect();
    ensure!(!passed.iter().any(|url| url.starts_with(&form)), "expected no sign-in page, but passed {passed:?}");
    page.expect(StatusCode::OK)?;
    ensure!(page.url.as_str() == format!("{app}/"), "expected to land at {app}/, got {}: {}", page.url, page.text());
    page.shows(&actor.who.name)?;
    Ok(page)
}

/// The clerk at OA.
pub async fn to_oa(walk: &Walk<'_>) -> anyhow::Result<()> {
    let (tell, oa, clerk) = (walk.tell, &walk.stage.oa, &walk.clerk);
    let welcome = clerk.browser.open(oa).await?;
    welcome.expect(StatusCode::OK)?;
    tell.held(
        format_args!("{oa} knows nobody yet and offers the company sign-in"),
        format_args!("{oa} 尚不认识任何人，提供公司账号登录"),
    );
    let form = clerk.browser.open(&format!("{oa}/login")).await?;
    let wrong = form.form("password")?.with("login", clerk.who.login).with("password", "not-the-password");
    let again = clerk.browser.submit(wrong).await?;
    ensure!(again.has_field("password"), "expected the form again after a wrong password, got {}", again.text());
    tell.held("a wrong password leads nowhere", "密码错误：无法进入");
    let page = with_password(walk, clerk, oa).await?;
    let facts = page.words_of("dl").unwrap_or_default();
    ensure!(facts.contains("employee"), "expected the role `employee` at OA, got {facts}");
    let (name, login, title) = (&clerk.who.name, clerk.who.login, clerk.who.title);
    tell.held(
        format_args!("{name} ({login}, {title}) is signed in; OA verified the ID token and asked userinfo:"),
        format_args!("{name}（{login}，{title}）已登录；OA 已校验 ID Token 并读取 userinfo："),
    );
    tell.note(format_args!("  {facts}"), format_args!("  {facts}"));
    Ok(())
}

/// The clerk at the expense system: the same session.
pub async fn to_expense_at_once(walk: &Walk<'_>) -> anyhow::Result<()> {
    let (tell, name) = (walk.tell, &walk.clerk.who.name);
    let begun = Instant::now();
    without_password(walk, &walk.clerk, &walk.stage.expense).await?;
    let time = took(begun.elapsed());
    tell.held(
        format_args!("{name} is signed in there too, in {time}, without seeing a form"),
        format_args!("{name}也已登录，用时 {time}，没有出现任何表单"),
    );
    let portal = walk.clerk.browser.open(&walk.stage.broker).await?;
    portal.expect(StatusCode::OK)?;
    portal.shows("办公系统")?;
    portal.shows("报销系统")?;
    tell.held(
        "the portal shows both: the applications that policy lets the clerk into",
        "门户列出两者：策略允许该职员使用的应用",
    );
    Ok(())
}
