//! Step 8: the audit log.

use anyhow::ensure;

use super::Walk;
use crate::tell::command;

/// Verified from the first row to the last.
pub async fn is_intact(walk: &Walk<'_>) -> anyhow::Result<()> {
    let list = walk.yaopai.run(&["audit", "list", "--subject", walk.leaver.who.login, "--limit", "6"]).await?;
    command(&list.line, &list.output);
    let calls = walk.yaopai.run(&["audit", "list", "--action", "gateway_call", "--limit", "4"]).await?;
    ensure!(calls.output.contains("denied"), "expected the refused call in the log: {}", calls.output);
    command(&calls.line, &calls.output);
    let verify = walk.yaopai.run(&["audit", "verify"]).await?;
    command(&verify.line, &verify.output);
    walk.tell.held("the hash chain is unbroken", "哈希链完整无断裂");
    Ok(())
}
