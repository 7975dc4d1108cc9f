//! Step 8: the audit log.

use anyhow::ensure;

use super::Walk;
use crate::tell::command;

/// Verified from the first row to the last.
pub async fn is_intact(walk: &Walk<'_>) -> anyhow::Result<()> {
    let list = walk.yaopai.run(&["audit", "list", "--limit", "8"]).await?;
    ensure!(list.output.lines().count() >= 8, "expected at least eight rows: {}", list.output);
    command(&list.line, &list.output);
    let verify = walk.yaopai.run(&["audit", "verify"]).await?;
    command(&verify.line, &verify.output);
    walk.tell.held("the hash chain is unbroken", "哈希链完整无断裂");
    Ok(())
}
