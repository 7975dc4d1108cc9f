//! What claims are made of: the person, and of the organisation around them only what is needed.

use crate::model::{ClaimRule, PersonField, TemplatePart, User, UserId, template_parts};
use crate::store::{Named, StoreError, Tx};

/// What has to be read beyond the person's own row.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[expect(clippy::struct_excessive_bools, reason = "one for each query")]
pub(super) struct Needs {
    pub departments: bool,
    pub positions: bool,
    pub roles: bool,
    pub groups: bool,
    pub manager: bool,
}

impl Needs {
    /// What a standard claim needs.
    pub fn standard(&mut self, claim: &str) {
        match claim {
            "departments" => self.departments = true,
            "positions" => self.positions = true,
            "roles" => self.roles = true,
            _ => {}
        }
    }

    /// What a mapped claim needs.
    pub fn rule(&mut self, rule: &ClaimRule) {
        if let Some(field) = rule.from {
            self.field(field);
        }
        for part in rule.template.as_deref().and_then(|text| template_parts(text).ok()).unwrap_or_default() {
            if let TemplatePart::Field(field) = part {
                self.field(field);
            }
        }
    }

    fn field(&mut self, field: PersonField) {
        use PersonField as F;
        match field {
            F::Department | F::DepartmentName | F::DepartmentPath | F::Departments | F::DepartmentNames => {
                self.departments = true;
            }
            F::Position | F::PositionName | F::Positions => self.positions = true,
            F::Roles => self.roles = true,
            F::Groups => self.groups = true,
            F::Manager | F::ManagerNumber | F::ManagerMail => self.manager = true,
            F::Id
            | F::Login
            | F::DisplayName
            | F::GivenName
            | F::FamilyName
            | F::Mail
            | F::Mobile
            | F::EmployeeNumber
            | F::Title => {}
        }
    }
}

/// A person as claims see them. What was not needed is empty.
#[derive(Clone, Debug)]
pub(super) struct Person<'a> {
    pub user: &'a User,
    /// From the top down.
    pub departments: Vec<Named>,
    pub positions: Vec<Named>,
    pub roles: Vec<String>,
    pub groups: Vec<String>,
    pub manager: Option<User>,
}

impl<'a> Person<'a> {
    /// Of whom nothing further is needed.
    pub fn alone(user: &'a User) -> Self {
        let (departments, positions, roles, groups) = Default::default();
        Self { user, departments, positions, roles, groups, manager: None }
    }

    /// Reads what is needed, one statement each.
    pub async fn read(tx: &mut Tx, user: &'a User, needs: Needs) -> Result<Self, StoreError> {
        let id: UserId = user.id;
        let departments = if needs.departments { tx.claims().departments(id).await? } else { Vec::new() };
        let positions = if needs.positions { tx.claims().positions(id).await? } else { Vec::new() };
        let roles = if needs.roles { tx.claims().roles(id).await? } else { Vec::new() };
        let mut groups = Vec::new();
        if needs.groups {
            let facts = tx.facts().list(id).await?;
            groups.extend(facts.into_iter().filter(|(kind, _)| kind == "group").map(|(_, code)| code));
        }
        let manager = match user.manager_id.filter(|_| needs.manager) {
            Some(manager) => tx.users().find(manager).await?,
            None => None,
        };
        Ok(Self { user, departments, positions, roles, groups, manager })
    }
}
