//! Groups and their members.

use super::{Param, StoreError, Tx};
use crate::model::{Group, GroupId, Member, UserId};

/// Store functions of groups and their members.
#[derive(Debug)]
pub struct Groups<'a>(&'a mut Tx);

impl Tx {
    /// Groups and their members.
    pub fn groups(&mut self) -> Groups<'_> {
        Groups(self)
    }
}

impl Groups<'_> {
    /// Every active group, whatever the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_active(&mut self) -> Result<Vec<Group>, StoreError> {
        self.0.all("SELECT * FROM groups WHERE status = 'active' ORDER BY code", &[]).await
    }

    /// Every membership, whatever the source.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_all_members(&mut self) -> Result<Vec<Member>, StoreError> {
        self.0.all("SELECT group_id, member_kind, member_id FROM group_members", &[]).await
    }

    /// The group with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: GroupId) -> Result<Option<Group>, StoreError> {
        self.0.optional("SELECT * FROM groups WHERE id = $1", &[&id]).await
    }

    /// Every group the source owns, whatever the status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<Group>, StoreError> {
        self.0.all("SELECT * FROM groups WHERE source = $1", &[&source]).await
    }

    /// Takes codes out of the way, so that swapped codes do not meet: the same transaction writes the rows with
    /// [`Groups::upsert`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn park(&mut self, ids: &[GroupId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.run_in("UPDATE groups SET status = 'disabled' WHERE id", &[], &list, "").await.map(drop)
    }

    /// Writes groups, new and known, by id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a code is taken, otherwise when the database fails.
    pub async fn upsert(&mut self, groups: &[Group]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = groups
            .iter()
            .map(|r| -> Vec<&dyn Param> {
                vec![&r.id, &r.source, &r.code, &r.name, &r.status, &r.created_at, &r.updated_at]
            })
            .collect();
        let head = "INSERT INTO groups (id, source, code, name, status, created_at, updated_at)";
        let tail = "ON CONFLICT (id) DO UPDATE SET code = excluded.code, name = excluded.name, status = excluded.status, updated_at = excluded.updated_at";
        self.0.insert_rows(head, &rows, tail).await.map(drop)
    }

    /// Members of every group the source owns.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_members(&mut self, source: &str) -> Result<Vec<Member>, StoreError> {
        let sql = "SELECT m.* FROM group_members m JOIN groups g ON g.id = m.group_id WHERE g.source = $1";
        self.0.all(sql, &[&source]).await
    }

    /// Every group of all other sources, whatever the status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_elsewhere(&mut self, source: &str) -> Result<Vec<Group>, StoreError> {
        self.0.all("SELECT * FROM groups WHERE source <> $1", &[&source]).await
    }

    /// Members of every group of all other sources.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_members_elsewhere(&mut self, source: &str) -> Result<Vec<Member>, StoreError> {
        let sql = "SELECT m.* FROM group_members m JOIN groups g ON g.id = m.group_id WHERE g.source <> $1";
        self.0.all(sql, &[&source]).await
    }

    /// Codes of the active groups a person is in, directly or through nested groups. Loops end: each group comes once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn codes_of_user(&mut self, user: UserId) -> Result<Vec<String>, StoreError> {
        let sql = "WITH RECURSIVE within(group_id) AS ( \
                   SELECT m.group_id FROM group_members m WHERE m.member_kind = 'user' AND m.member_id = $1 \
                   UNION SELECT m.group_id FROM group_members m JOIN within w \
                   ON m.member_kind = 'group' AND m.member_id = w.group_id) \
                   SELECT DISTINCT g.code FROM groups g JOIN within w ON w.group_id = g.id \
                   WHERE g.status = 'active' ORDER BY g.code";
        let rows: Vec<(String,)> = self.0.all(sql, &[&user]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }

    /// Adds members; those there already are left alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn add_members(&mut self, members: &[Member]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> =
            members.iter().map(|m| -> Vec<&dyn Param> { vec![&m.group_id, &m.member_kind, &m.member_id] }).collect();
        let head = "INSERT INTO group_members (group_id, member_kind, member_id)";
        self.0.insert_rows(head, &rows, "ON CONFLICT DO NOTHING").await.map(drop)
    }

    /// Takes members out.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn remove_members(&mut self, members: &[Member]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> =
            members.iter().map(|m| -> Vec<&dyn Param> { vec![&m.group_id, &m.member_kind, &m.member_id] }).collect();
        let head = "DELETE FROM group_members WHERE (group_id, member_kind, member_id) IN (";
        self.0.insert_rows(head, &rows, ")").await.map(drop)
    }
}
