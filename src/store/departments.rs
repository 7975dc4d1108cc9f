//! Departments.

use super::{Param, StoreError, Tx};
use crate::model::{Department, DepartmentId, UserId};

/// Store functions of departments.
#[derive(Debug)]
pub struct Departments<'a>(&'a mut Tx);

impl Tx {
    /// Departments.
    pub fn departments(&mut self) -> Departments<'_> {
        Departments(self)
    }
}

impl Departments<'_> {
    /// The department with this id.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn find(&mut self, id: DepartmentId) -> Result<Option<Department>, StoreError> {
        self.0.optional("SELECT * FROM departments WHERE id = $1", &[&id]).await
    }

    /// Every department the source owns, whatever the status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<Vec<Department>, StoreError> {
        self.0.all("SELECT * FROM departments WHERE source = $1", &[&source]).await
    }

    /// Takes codes out of the way, so that swapped codes do not meet: the same transaction writes the rows with
    /// [`Departments::upsert`].
    ///
    /// # Errors
    /// When the database fails.
    pub async fn park(&mut self, ids: &[DepartmentId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = ids.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.run_in("UPDATE departments SET status = 'disabled' WHERE id", &[], &list, "").await.map(drop)
    }

    /// Writes departments, new and known, by id.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when a code is taken, otherwise when the database fails.
    pub async fn upsert(&mut self, departments: &[Department]) -> Result<(), StoreError> {
        let rows: Vec<Vec<&dyn Param>> = departments
            .iter()
            .map(|r| -> Vec<&dyn Param> {
                vec![
                    &r.id,
                    &r.source,
                    &r.code,
                    &r.name,
                    &r.parent_id,
                    &r.sort_order,
                    &r.status,
                    &r.created_at,
                    &r.updated_at,
                    &r.kind,
                    &r.head_id,
                    &r.cost_centre,
                    &r.legal_entity,
                ]
            })
            .collect();
        let head = "INSERT INTO departments (id, source, code, name, parent_id, sort_order, status, created_at, updated_at, \
             kind, head_id, cost_centre, legal_entity)";
        let tail = "ON CONFLICT (id) DO UPDATE SET code = excluded.code, name = excluded.name, parent_id = excluded.parent_id, sort_order = excluded.sort_order, status = excluded.status, updated_at = excluded.updated_at, kind = excluded.kind, head_id = excluded.head_id, cost_centre = excluded.cost_centre, legal_entity = excluded.legal_entity";
        self.0.insert_rows(head, &rows, tail).await.map(drop)
    }

    /// Active departments that the person heads.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_head(&mut self, head: UserId) -> Result<Vec<Department>, StoreError> {
        let sql = "SELECT * FROM departments WHERE head_id = $1 AND status = 'active' ORDER BY sort_order, code";
        self.0.all(sql, &[&head]).await
    }

    /// Every department, whatever the source and status.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<Vec<Department>, StoreError> {
        self.0.all("SELECT * FROM departments ORDER BY sort_order, code", &[]).await
    }

    /// Codes of the active department of this code and of all above it, from the bottom up; empty when there is none.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn codes_above_code(&mut self, code: &str) -> Result<Vec<String>, StoreError> {
        let sql = "WITH RECURSIVE above(id, parent_id, code, depth) AS ( \
                   SELECT id, parent_id, code, 0 FROM departments WHERE code = $1 AND status = 'active' \
                   UNION SELECT d.id, d.parent_id, d.code, a.depth + 1 FROM departments d \
                     JOIN above a ON d.id = a.parent_id WHERE a.depth < 64) \
                   SELECT code FROM above ORDER BY depth";
        let rows: Vec<(String,)> = self.0.all(sql, &[&code]).await?;
        let mut codes: Vec<String> = Vec::with_capacity(rows.len());
        for (code,) in rows {
            if !codes.contains(&code) {
                codes.push(code);
            }
        }
        Ok(codes)
    }

    /// The department and all above it, from the bottom up. A loop ends it: each comes once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_above(&mut self, id: DepartmentId) -> Result<Vec<Department>, StoreError> {
        let sql = "WITH RECURSIVE above(id, parent_id, depth) AS ( \
                   SELECT id, parent_id, 0 FROM departments WHERE id = $1 \
                   UNION SELECT d.id, d.parent_id, a.depth + 1 FROM departments d \
                     JOIN above a ON d.id = a.parent_id WHERE a.depth < 64) \
                   SELECT d.* FROM departments d \
                     JOIN (SELECT id, MIN(depth) AS depth FROM above GROUP BY id) a ON a.id = d.id ORDER BY a.depth";
        self.0.all(sql, &[&id]).await
    }

    /// Codes of the department and of all above it, from the bottom up. A loop ends it: each department comes once.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn codes_above(&mut self, id: DepartmentId) -> Result<Vec<String>, StoreError> {
        let sql = "WITH RECURSIVE above(id, parent_id, code) AS ( \
                   SELECT id, parent_id, code FROM departments WHERE id = $1 \
                   UNION SELECT d.id, d.parent_id, d.code FROM departments d JOIN above a ON d.id = a.parent_id) \
                   SELECT code FROM above";
        let rows: Vec<(String,)> = self.0.all(sql, &[&id]).await?;
        Ok(rows.into_iter().map(|row| row.0).collect())
    }
}
