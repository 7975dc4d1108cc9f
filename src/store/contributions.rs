//! What several sources say of one person.

use super::{Json, Param, StoreError, Tx};
use crate::model::{Contribution, Offer, PlanId, PlannedContribution, UserId};

/// Store functions of contributions.
#[derive(Debug)]
pub struct Contributions<'a>(&'a mut Tx);

impl Tx {
    /// Contributions.
    pub fn contributions(&mut self) -> Contributions<'_> {
        Contributions(self)
    }
}

impl Contributions<'_> {
    /// What all sources say of these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn of(&mut self, people: &[UserId]) -> Result<Vec<Contribution>, StoreError> {
        let list: Vec<&dyn Param> = people.iter().map(|id| -> &dyn Param { id }).collect();
        let head = "SELECT c.user_id, c.source, c.offer, u.source AS owner FROM contributions c \
                    JOIN users u ON u.id = c.user_id WHERE c.user_id";
        self.0.all_in(head, &[], &list, "ORDER BY c.user_id, c.source").await
    }

    /// What all sources say of the people whom the source says something of.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn around(&mut self, source: &str) -> Result<Vec<Contribution>, StoreError> {
        let sql = "SELECT c.user_id, c.source, c.offer, u.source AS owner FROM contributions c \
                   JOIN contributions own ON own.user_id = c.user_id AND own.source = $1 \
                   JOIN users u ON u.id = c.user_id ORDER BY c.user_id, c.source";
        self.0.all(sql, &[&source]).await
    }

    /// Writes what a plan will make of contributions.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan(&mut self, plan: PlanId, planned: &[PlannedContribution]) -> Result<(), StoreError> {
        let json = |offer: &Option<Offer>| offer.clone().map(Json);
        let documents: Vec<_> = planned.iter().map(|one| (json(&one.before), json(&one.after))).collect();
        let rows: Vec<Vec<&dyn Param>> = planned
            .iter()
            .zip(&documents)
            .map(|(one, (before, after))| -> Vec<&dyn Param> { vec![&plan, &one.user_id, &one.source, before, after] })
            .collect();
        let head = "INSERT INTO plan_contributions (plan_id, user_id, source, before, after)";
        self.0.insert_rows(head, &rows, "").await.map(drop)
    }

    /// Makes contributions what the plan says.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn apply_plan(&mut self, plan: PlanId) -> Result<(), StoreError> {
        let sql = "DELETE FROM contributions WHERE EXISTS (SELECT 1 FROM plan_contributions p WHERE p.plan_id = $1 \
                   AND p.user_id = contributions.user_id AND p.source = contributions.source AND p.after IS NULL)";
        self.0.run(sql, &[&plan]).await?;
        let sql = "INSERT INTO contributions (user_id, source, offer) SELECT user_id, source, after \
                   FROM plan_contributions WHERE plan_id = $1 AND after IS NOT NULL \
                   ON CONFLICT (user_id, source) DO UPDATE SET offer = excluded.offer";
        self.0.run(sql, &[&plan]).await.map(drop)
    }

    /// What undoing `plan` makes of contributions becomes part of the plan `undo`.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn plan_undo(&mut self, undo: PlanId, plan: PlanId) -> Result<(), StoreError> {
        let sql = "INSERT INTO plan_contributions (plan_id, user_id, source, before, after) \
                   SELECT $1, user_id, source, after, before FROM plan_contributions WHERE plan_id = $2";
        self.0.run(sql, &[&undo, &plan]).await.map(drop)
    }

    /// People of whom a source says something.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn people_of(&mut self, source: &str) -> Result<Vec<(UserId,)>, StoreError> {
        self.0.all("SELECT user_id FROM contributions WHERE source = $1", &[&source]).await
    }

    /// Forgets what a source says of these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn withdraw(&mut self, source: &str, people: &[UserId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = people.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.run_in("DELETE FROM contributions WHERE source = $1 AND user_id", &[&source], &list, "").await.map(drop)
    }

    /// Forgets what is said of these people.
    ///
    /// # Errors
    /// When the database fails.
    pub async fn forget(&mut self, people: &[UserId]) -> Result<(), StoreError> {
        let list: Vec<&dyn Param> = people.iter().map(|id| -> &dyn Param { id }).collect();
        self.0.run_in("DELETE FROM contributions WHERE user_id", &[], &list, "").await.map(drop)
    }
}
