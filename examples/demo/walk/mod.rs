//! The walk: what a company would try on the first day, step by step, each step checked.

mod audit;
mod calls;
mod leaver;
mod sign_in;
mod sync;

use reqwest::Client;

use crate::broker::Yaopai;
use crate::browser::Browser;
use crate::cast::Player;
use crate::stage::Stage;
use crate::tell::Tell;

/// What the steps share.
#[derive(Debug)]
pub struct Walk<'a> {
    /// Addresses, files, secrets.
    pub stage: &'a Stage,
    /// The binary.
    pub yaopai: &'a Yaopai,
    /// The narrator.
    pub tell: Tell,
    /// A client without cookies, for calls that are no browser's.
    pub http: Client,
    /// The clerk.
    pub clerk: Actor,
    /// The head of department.
    pub approver: Actor,
    /// The one who leaves.
    pub leaver: Actor,
}

/// Somebody at a browser.
#[derive(Debug)]
pub struct Actor {
    /// Who.
    pub who: Player,
    /// Their browser.
    pub browser: Browser,
}

impl Actor {
    /// Somebody with a browser that nobody used before.
    pub fn new(who: Player, tell: Tell) -> anyhow::Result<Self> {
        Ok(Self { who, browser: Browser::new(tell.tag())? })
    }
}

impl Walk<'_> {
    /// The steps that need no running broker: the directory comes in.
    pub async fn before_serving(&self) -> usize {
        let tell = self.tell;
        let mut failures = 0;
        tell.heading(
            1,
            "The directory is read, and a plan is shown before anything happens",
            "读取目录：先出计划，再执行",
        );
        failures += self.judge(sync::plan(self).await);
        tell.heading(2, "The plan is applied; a second run finds nothing to do", "执行计划；再跑一次，没有变化");
        failures += self.judge(sync::apply(self).await);
        failures
    }

    /// The steps at the running broker.
    pub async fn while_serving(&self) -> usize {
        let tell = self.tell;
        let mut failures = 0;
        tell.heading(
            3,
            "The clerk signs in to the office system with the company password",
            "职员用公司密码登录办公系统",
        );
        failures += self.judge(sign_in::to_oa(self).await);
        tell.heading(4, "The expense system opens without a second password", "打开报销系统：无需再次输入密码");
        failures += self.judge(sign_in::to_expense_at_once(self).await);
        tell.heading(
            5,
            "An approver approves a report: the gateway lets the call through",
            "审批人批准报销单：网关放行",
        );
        failures += self.judge(calls::approver_is_allowed(self).await);
        tell.heading(6, "The clerk tries the same: refused, with the reason", "职员尝试同样的操作：被拒绝，并说明原因");
        failures += self.judge(calls::clerk_is_refused(self).await);
        tell.heading(
            7,
            "Somebody leaves: removed from the directory, gone everywhere",
            "员工离职：从目录删除，处处失效",
        );
        failures += self.judge(leaver::is_gone(self).await);
        tell.heading(8, "All of it stands in the audit log, and the log is intact", "以上全部记入审计日志，且日志完好");
        failures += self.judge(audit::is_intact(self).await);
        failures
    }

    fn judge(&self, step: anyhow::Result<()>) -> usize {
        match step {
            Ok(()) => 0,
            Err(why) => {
                self.tell.failed(&why);
                1
            }
        }
    }
}
