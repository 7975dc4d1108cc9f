//! Concurrent assignments.

use std::collections::HashMap;

use super::{Param, StoreError, Tx};
use crate::model::{Assignment, UserId};
use crate::time::Date;

/// Store functions of assignments.
#[derive(Debug)]
pub struct Assignments<'a>(&'a mut Tx);

#[derive(sqlx::FromRow)]
struct AssignmentRow {
    user_id: UserId,
    #[sqlx(flatten)]
    assignment: Assignment,
}

impl Tx {
    /// Concurrent assignments.
    pub fn assignments(&mut self) -> Assignments<'_> {
        Assignments(self)
    }
}

impl Assignments<'_> {
    /// Those of everybody the source owns, by person, each in the order of its place.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_source(&mut self, source: &str) -> Result<HashMap<UserId, Vec<Assignment>>, StoreError> {
        let sql = "SELECT a.* FROM assignments a JOIN users u ON u.id = a.user_id WHERE u.source = $1 \
                   ORDER BY a.user_id, a.place";
        Ok(by_person(self.0.all(sql, &[&source]).await?))
    }

    /// Those of everybody, by person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list(&mut self) -> Result<HashMap<UserId, Vec<Assignment>>, StoreError> {
        Ok(by_person(self.0.all("SELECT * FROM assignments ORDER BY user_id, place", &[]).await?))
    }

    /// Those of these people, by person.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn list_by_users(&mut self, users: &[UserId]) -> Result<HashMap<UserId, Vec<Assignment>>, StoreError> {
        let list: Vec<&dyn Param> = users.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "SELECT * FROM assignments WHERE user_id";
        Ok(by_person(self.0.all_in(head, &[], &list, "ORDER BY user_id, place").await?))
    }

    /// Writes what these people have now, whatever they had before.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn replace(&mut self, people: &[(UserId, Vec<Assignment>)]) -> Result<(), StoreError> {
        let ids: Vec<&dyn Param> = people.iter().map(|(id, _)| -> &dyn Param { id }).collect();
        self.0.run_in("DELETE FROM assignments WHERE user_id", &[], &ids, "").await?;
        let placed: Vec<(&UserId, i64, &Assignment)> = people
            .iter()
            .flat_map(|(id, all)| (1_i64..).zip(all).map(move |(place, assignment)| (id, place, assignment)))
            .collect();
        let rows: Vec<Vec<&dyn Param>> = placed
            .iter()
            .map(|(id, place, a)| -> Vec<&dyn Param> {
                vec![*id, place, &a.department_id, &a.position_id, &a.manager_id, &a.starts_on, &a.ends_on, &a.in_force]
            })
            .collect();
        let head = "INSERT INTO assignments (user_id, place, department_id, position_id, manager_id, starts_on, \
                    ends_on, in_force)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }

    /// Whether a date of the source's people has come that is not in effect yet: of employment, of an assignment, of
    /// somebody who acts for another. Who is locked out for another reason than dates, or whose login name somebody else
    /// has now, is left alone.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn is_due(&mut self, source: &str, today: Date) -> Result<bool, StoreError> {
        let sql = "SELECT CAST(1 AS BIGINT) AS due WHERE EXISTS (SELECT 1 FROM users WHERE source = $1 AND status = 'active' \
                     AND (ends_on < $2 OR starts_on > $2)) \
                   OR EXISTS (SELECT 1 FROM users WHERE source = $1 AND status = 'disabled' \
                     AND status_reason IN ('not_started', 'ended') \
                     AND (starts_on IS NULL OR starts_on <= $2) AND (ends_on IS NULL OR ends_on >= $2) \
                     AND NOT EXISTS (SELECT 1 FROM users o WHERE o.login_key = users.login_key \
                                     AND o.status = 'active')) \
                   OR EXISTS (SELECT 1 FROM assignments a JOIN users u ON u.id = a.user_id WHERE u.source = $1 \
                     AND a.in_force <> ((a.starts_on IS NULL OR a.starts_on <= $2) \
                                    AND (a.ends_on IS NULL OR a.ends_on >= $2))) \
                   OR EXISTS (SELECT 1 FROM acting a JOIN users u ON u.id = a.user_id WHERE u.source = $1 \
                     AND a.in_force <> ((a.starts_on IS NULL OR a.starts_on <= $2) \
                                    AND (a.ends_on IS NULL OR a.ends_on >= $2)))";
        let rows: Vec<(i64,)> = self.0.all(sql, &[&source, &today]).await?;
        Ok(!rows.is_empty())
    }
}

fn by_person(rows: Vec<AssignmentRow>) -> HashMap<UserId, Vec<Assignment>> {
    let mut all: HashMap<UserId, Vec<Assignment>> = HashMap::new();
    for row in rows {
        all.entry(row.user_id).or_default().push(row.assignment);
    }
    all
}
