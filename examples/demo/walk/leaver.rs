//! Step 7: somebody leaves the company.

use std::time::{Duration, Instant};

use anyhow::ensure;
use reqwest::StatusCode;

use super::Walk;
use crate::cast::CLERK;
use crate::leaver;
use crate::tell::{command, took};

/// The promised bound between the end of the sync and the last door shut.
const BOUND: Duration = Duration::from_secs(2);

/// Removed from the LDIF, synced, refused everywhere.
pub async fn is_gone(walk: &Walk<'_>) -> anyhow::Result<()> {
    let (tell, stage) = (walk.tell, walk.stage);
    let path = stage.file("company.ldif");
    let text = std::fs::read_to_string(&path)?;
    std::fs::write(&path, leaver::without(&text, CLERK.login)?)?;
    tell.note(
        format_args!("{} is taken out of {}", CLERK.name, path.display()),
        format_args!("从 {} 中删除{}", path.display(), CLERK.name),
    );
    let run = walk.yaopai.report(&["sync", "run", "--source", "company"]).await?;
    let synced = Instant::now();
    command(&run.line, &run.output);
    tell.held(format_args!("synced in {}", took(run.took)), format_args!("同步用时 {}", took(run.took)));
    doors_are_shut(walk, synced).await?;
    let shown = walk.yaopai.report(&["user", "show", CLERK.login]).await?;
    command(&shown.line, &shown.output);
    Ok(())
}

/// Portal, both applications with their refresh tokens, and the gateway.
async fn doors_are_shut(walk: &Walk<'_>, synced: Instant) -> anyhow::Result<()> {
    let (tell, stage) = (walk.tell, walk.stage);
    let portal = loop {
        let page = walk.clerk.open(&stage.broker).await?;
        if page.has_field("password") || synced.elapsed() > BOUND {
            break page;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    };
    let after = took(synced.elapsed());
    ensure!(portal.has_field("password"), "expected the sign-in form instead of the portal: {}", portal.text());
    tell.held(
        format_args!("the session is gone {after} after the sync: the portal asks for a password"),
        format_args!("同步后 {after}，会话已失效：门户要求重新登录"),
    );
    for app in [&stage.oa, &stage.expense] {
        let page = walk.clerk.open(&format!("{app}/")).await?;
        page.expect(StatusCode::UNAUTHORIZED)?;
        let why = page.words_of("code").unwrap_or_default();
        ensure!(why.contains("invalid_grant"), "expected the refresh token refused with invalid_grant, got {why}");
        let after = took(synced.elapsed());
        tell.held(
            format_args!("{app}: access and refresh token refused after {after} ({why})"),
            format_args!("{app}：{after} 后访问令牌与刷新令牌均被拒绝（{why}）"),
        );
    }
    let form = walk.clerk.open(&format!("{}/login", stage.broker)).await?.form("password")?;
    let again = walk.clerk.submit(form.with("login", CLERK.login).with("password", crate::cast::PASSWORD)).await?;
    ensure!(again.has_field("password"), "expected the sign-in to be refused, got {}", again.text());
    tell.held("the right password does not open the door any more", "正确的密码也无法再登录");
    Ok(())
}
