//! Steps 3 and 4: one password, two systems.

use std::time::Instant;

use anyhow::ensure;
use reqwest::StatusCode;

use super::Walk;
use crate::browser::{Browser, Page};
use crate::cast::{CLERK, PASSWORD, Player};
use crate::tell::took;

/// Opens an application, follows it to the broker's sign-in page and signs in there.
pub async fn with_password(walk: &Walk<'_>, browser: &Browser, app: &str, who: Player) -> anyhow::Result<Page> {
    let form = browser.open(&format!("{app}/login")).await?;
    form.expect(StatusCode::OK)?;
    ensure!(
        form.url.as_str().starts_with(&format!("{}/login", walk.stage.broker)),
        "expected the broker's sign-in page, got {}",
        form.url
    );
    let page = browser.submit(form.form("password")?.with("login", who.login).with("password", PASSWORD)).await?;
    page.expect(StatusCode::OK)?;
    ensure!(page.url.as_str() == format!("{app}/"), "expected to land at {app}/, got {}: {}", page.url, page.text());
    page.shows(who.name)?;
    Ok(page)
}

/// The clerk at OA.
pub async fn to_oa(walk: &Walk<'_>) -> anyhow::Result<()> {
    let (tell, stage) = (walk.tell, walk.stage);
    let welcome = walk.clerk.open(&stage.oa).await?;
    welcome.expect(StatusCode::OK)?;
    tell.held(
        format_args!("{} knows nobody yet and offers the company sign-in", stage.oa),
        format_args!("{} 尚不认识任何人，提供公司账号登录", stage.oa),
    );
    let form = walk.clerk.open(&format!("{}/login", stage.oa)).await?;
    let wrong = form.form("password")?.with("login", CLERK.login).with("password", "not-the-password");
    let again = walk.clerk.submit(wrong).await?;
    ensure!(again.has_field("password"), "expected the form again after a wrong password, got {}", again.text());
    tell.held("a wrong password leads nowhere", "密码错误：无法进入");
    with_password(walk, &walk.clerk, &stage.oa, CLERK).await?;
    tell.held(
        format_args!("{} ({}) is signed in; OA verified the ID token and asked userinfo", CLERK.name, CLERK.login),
        format_args!("{}（{}）已登录；OA 已校验 ID Token 并读取 userinfo", CLERK.name, CLERK.login),
    );
    Ok(())
}

/// The clerk at the expense system: the same session.
pub async fn to_expense_at_once(walk: &Walk<'_>) -> anyhow::Result<()> {
    let begun = Instant::now();
    let page = walk.clerk.open(&format!("{}/login", walk.stage.expense)).await?;
    let time = begun.elapsed();
    ensure!(
        page.trail.iter().all(|url| url.path() != "/login" || !url.as_str().starts_with(&walk.stage.broker)),
        "expected no sign-in page, but passed {:?}",
        page.trail.iter().map(reqwest::Url::path).collect::<Vec<_>>()
    );
    page.expect(StatusCode::OK)?;
    ensure!(page.url.as_str() == format!("{}/", walk.stage.expense), "landed at {}: {}", page.url, page.text());
    page.shows(CLERK.name)?;
    walk.tell.held(
        format_args!("{} is signed in there too, in {}, without seeing a form", CLERK.name, took(time)),
        format_args!("{}也已登录，用时 {}，没有出现任何表单", CLERK.name, took(time)),
    );
    let portal = walk.clerk.open(&walk.stage.broker).await?;
    portal.expect(StatusCode::OK)?;
    portal.shows("OA")?;
    walk.tell
        .held("the portal shows the applications that policy lets the clerk into", "门户列出策略允许该职员使用的应用");
    Ok(())
}
