//! `make demo`: one company signs in once, the whole path, on this machine and by itself.
//!
//! Builds a stage in a temporary folder, starts the real `yaopai` binary, two sample applications and a sample API
//! behind the gateway, walks the path with a client that behaves like a browser, and then keeps serving for people.
//! `DEMO_ONCE=1` ends after the walk, with 0 only if every step held.

mod apps;
mod broker;
mod browser;
mod cast;
mod leaver;
mod stage;
mod tell;
mod walk;

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context as _;
use tokio::signal::unix::{SignalKind, signal};

use apps::relying_party::Registration;
use apps::{Kind, Neighbourhood};
use broker::{Serving, Yaopai};
use stage::Stage;
use tell::{Tell, say};
use walk::{Actor, Walk};

#[tokio::main]
async fn main() -> ExitCode {
    let tell = Tell::by_environment();
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    match perform(tell).await {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(why) => {
            tell.failed(&why);
            ExitCode::FAILURE
        }
    }
}

/// The whole performance; whether every step held.
async fn perform(tell: Tell) -> anyhow::Result<bool> {
    let repository = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut stage = Stage::build(repository).await?;
    let yaopai = Yaopai::beside_us(stage.folder.path(), tell.tag())?;
    tell.note(
        format_args!("Everything of this demonstration is in {}", stage.folder.path().display()),
        format_args!("本次演示的全部文件位于 {}", stage.folder.path().display()),
    );
    raise(&mut stage)?;
    let kept = std::mem::take(&mut stage.listeners.kept);
    let http = reqwest::Client::builder().no_proxy().build()?;
    let walk = Walk {
        stage: &stage,
        yaopai: &yaopai,
        tell,
        http: http.clone(),
        clerk: Actor::new(cast::clerk(), tell)?,
        approver: Actor::new(cast::approver(), tell)?,
        leaver: Actor::new(cast::leaver(), tell)?,
    };
    let stop = stopped();
    tokio::pin!(stop);
    let mut failures = tokio::select! {
        failures = walk.before_serving() => failures,
        () = &mut stop => return Ok(false),
    };
    drop(kept);
    let mut serving = yaopai.serve(&stage.broker, &http).await?;
    let ended = tokio::select! {
        more = walk.while_serving() => { failures += more; false }
        () = &mut stop => true,
    };
    let is_kept = !ended && !is_once();
    if !ended {
        epilogue(tell, &stage, failures, &serving, is_kept);
    }
    if is_kept {
        tokio::select! {
            () = &mut stop => {}
            () = gone(&mut serving) => say(&serving.last_words()),
        }
    }
    serving.stop().await?;
    Ok(failures == 0 && (is_kept || !ended))
}

/// Starts the sample programs.
fn raise(stage: &mut Stage) -> anyhow::Result<()> {
    let registration = |id, secret: &String, base: &String, scopes| Registration {
        issuer: stage.broker.clone(),
        id,
        secret: secret.clone(),
        base: base.clone(),
        scopes,
    };
    let [for_oa, for_expense] = &stage.secrets;
    let oa = registration("oa", for_oa, &stage.oa, &["profile", "email", "org", "roles", "offline_access"]);
    let scopes = &["profile", "org", "roles", "offline_access", "expense:read"];
    let expense = registration("expense", for_expense, &stage.expense, scopes);
    let beside = |neighbour: &String| Neighbourhood { gateway: stage.gateway.clone(), neighbour: neighbour.clone() };
    let (near_oa, near_expense) = (beside(&stage.expense), beside(&stage.oa));
    let bound = "listeners are bound once";
    apps::serve(Kind::Oa, stage.listeners.oa.take().context(bound)?, oa, near_oa)?;
    apps::serve(Kind::Expense, stage.listeners.expense.take().context(bound)?, expense, near_expense)?;
    apps::serve_api(stage.listeners.api.take().context(bound)?);
    Ok(())
}

/// The result, and what a person can do now.
fn epilogue(tell: Tell, stage: &Stage, failures: usize, serving: &Serving, is_kept: bool) {
    if failures == 0 {
        say(tell.pick("\nEvery step held.", "\n每一步都成立。"));
    } else {
        say(&tell.pick(format!("\n{failures} step(s) failed."), format!("\n有 {failures} 步未成立。")));
        say(tell.pick("The broker's last words:", "服务日志末尾："));
        say(&serving.last_words());
    }
    if !is_kept {
        return;
    }
    let (who, password) = (cast::approver(), cast::PASSWORD);
    let lines = tell.pick(
        [
            "Now try it yourself:",
            "  sign-in and portal",
            "  office system",
            "  expense system",
            "  gateway",
            "  sample login",
            "  password",
            "Stop with Ctrl-C; the folder is removed then.",
        ],
        [
            "现在请亲自试用：",
            "  登录与门户",
            "  办公系统",
            "  报销系统",
            "  网关",
            "  示例账号",
            "  密码",
            "按 Ctrl-C 停止，随后删除临时文件夹。",
        ],
    );
    let [title, portal, oa, expense, gateway, login, secret, stop] = lines;
    say(&format!("\n{title}"));
    for (label, value) in [
        (portal, stage.broker.as_str()),
        (oa, stage.oa.as_str()),
        (expense, stage.expense.as_str()),
        (gateway, stage.gateway.as_str()),
        (login, who.login),
        (secret, password),
    ] {
        say(&format!("{label}: {value}"));
    }
    say(&format!("{stop}\n"));
}

#[expect(clippy::disallowed_methods, reason = "an example has no configuration but its environment")]
fn is_once() -> bool {
    std::env::var_os("DEMO_ONCE").is_some_and(|value| !value.is_empty() && value != "0")
}

/// Returns when the process is asked to stop.
async fn stopped() {
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()))
    else {
        return std::future::pending().await;
    };
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
        _ = hangup.recv() => {}
    }
}

/// Returns when the broker has ended by itself.
async fn gone(serving: &mut Serving) {
    while serving.is_running() {
        tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    }
}
