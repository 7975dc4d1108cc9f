//! Step 7: somebody leaves the company.

use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::StatusCode;

use super::sync::Report;
use super::{Walk, sign_in};
use crate::browser::Page;
use crate::cast::PASSWORD;
use crate::leaver;
use crate::tell::{command, took};

/// The promised bound between the end of the sync and the last door shut.
const BOUND: Duration = Duration::from_secs(1);

/// Signed in everywhere, removed from the LDIF, synced, refused everywhere.
pub async fn is_gone(walk: &Walk<'_>) -> anyhow::Result<()> {
    let (tell, stage, who) = (walk.tell, walk.stage, &walk.leaver.who);
    let (name, login, title) = (&who.name, who.login, who.title);
    sign_in::with_password(walk, &walk.leaver, &stage.oa).await?;
    sign_in::without_password(walk, &walk.leaver, &stage.expense).await?;
    tell.held(
        format_args!("in the morning {name} ({login}, {title}) is signed in to both systems"),
        format_args!("上午，{name}（{login}，{title}）登录了两个系统"),
    );
    let path = stage.file("company.ldif");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, leaver::without(&text, login)?)?;
    tell.note(
        format_args!("  … and is taken out of {}", path.display()),
        format_args!("  …… 随后从 {} 中删除", path.display()),
    );
    let run = walk.yaopai.report(&["sync", "run", "--source", "company"]).await?;
    let synced = Instant::now();
    command(&run.line, &run.output);
    let report = Report::last(walk).await?;
    ensure!(report.users.absent == 1, "expected exactly one leaver, got {}", report.users.absent);
    ensure!(report.sessions_ended >= 1, "expected the leaver's session to end with the sync");
    ensure!(report.grants_ended >= 2, "expected two grants to end with the sync, got {}", report.grants_ended);
    tell.held(
        format_args!(
            "ended in the same transaction: {} session, {} grants",
            report.sessions_ended, report.grants_ended
        ),
        format_args!("同一事务内结束：{} 个会话、{} 项授权", report.sessions_ended, report.grants_ended),
    );
    doors_are_shut(walk, synced).await?;
    let shown = walk.yaopai.run(&["user", "show", login]).await?;
    command(&shown.line, &shown.output);
    Ok(())
}

/// The page as soon as it is what is expected, or as it is when the time for that is over.
async fn until(
    walk: &Walk<'_>,
    url: &str,
    synced: Instant,
    is_expected: impl Fn(&Page) -> bool,
) -> anyhow::Result<Page> {
    loop {
        let page = walk.leaver.browser.open(url).await?;
        if is_expected(&page) || synced.elapsed() > BOUND {
            return Ok(page);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// Portal, both applications with their refresh tokens, and the sign-in page.
async fn doors_are_shut(walk: &Walk<'_>, synced: Instant) -> anyhow::Result<()> {
    let (tell, stage, browser) = (walk.tell, walk.stage, &walk.leaver.browser);
    let portal = until(walk, &stage.broker, synced, |page| page.has_field("password")).await?;
    let after = took(synced.elapsed());
    ensure!(portal.has_field("password"), "expected the sign-in form instead of the portal: {}", portal.text());
    tell.held(
        format_args!("{after} after the sync the session is gone: the portal asks for a password"),
        format_args!("同步后 {after}，会话已失效：门户要求重新登录"),
    );
    for app in [&stage.oa, &stage.expense] {
        // What this process found alive a moment ago, another's sync ends within a second.
        let is_refused = |page: &Page| page.status == StatusCode::UNAUTHORIZED;
        let page = until(walk, &format!("{app}/"), synced, is_refused).await?;
        page.expect(StatusCode::UNAUTHORIZED)?;
        let why = page.words_of("code").unwrap_or_default();
        ensure!(why.contains("invalid_grant"), "expected the refresh token refused with invalid_grant, got {why}");
        let after = took(synced.elapsed());
        tell.held(
            format_args!("{app}: access and refresh token refused after {after} ({why})"),
            format_args!("{app}：{after} 后访问令牌与刷新令牌均被拒绝（{why}）"),
        );
    }
    let form = browser.open(&format!("{}/login", stage.broker)).await?.form("password")?;
    let again = browser.submit(form.with("login", walk.leaver.who.login).with("password", PASSWORD)).await?;
    ensure!(again.has_field("password"), "expected the sign-in to be refused, got {}", again.text());
    tell.held("the right password does not open the door any more", "正确的密码也无法再登录");
    Ok(())
}
