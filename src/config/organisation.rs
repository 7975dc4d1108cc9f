//! What a mapping says of the organisation: which departments are companies, who heads one, concurrent assignments.

use serde::{Deserialize, Serialize};

/// `kind = { attribute = "businessCategory", company = ["集团"], subsidiary = ["子公司"] }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct KindRule {
    /// The attribute looked at.
    pub attribute: String,
    /// Values (compared without case) of the company itself.
    #[serde(default)]
    pub company: Vec<String>,
    /// Values of subsidiaries.
    #[serde(default)]
    pub subsidiary: Vec<String>,
}

/// `head = { attribute = "isHead", values = ["是"] }`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct HeadRule {
    /// The attribute of people looked at.
    pub attribute: String,
    /// Values (compared without case) of those who head the department they are in.
    pub values: Vec<String>,
}

/// `[source.assignments]`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct AssignmentMapping {
    /// The attribute of people: each of its values is one assignment.
    pub attribute: String,
    /// What a value holds, in order, and what stands between: `department|position|from|to`.
    #[serde(default = "default_format")]
    pub format: String,
    /// What stands between several assignments in one value, as tables have them.
    pub split: Option<String>,
}

/// A part of [`AssignmentMapping::format`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AssignmentField {
    /// Code, path or DN of the department.
    Department,
    /// The position.
    Position,
    /// DN, login name or employee number of the manager.
    Manager,
    /// First day.
    From,
    /// Last day.
    To,
}

fn default_format() -> String {
    "department|position|from|to".to_owned()
}

impl AssignmentMapping {
    /// What stands between the parts, and the parts.
    ///
    /// # Errors
    /// What is wrong with the format.
    pub fn fields(&self) -> Result<(char, Vec<AssignmentField>), String> {
        let between = self.format.chars().find(|c| !c.is_ascii_alphabetic()).unwrap_or('|');
        let mut fields = Vec::new();
        for name in self.format.split(between) {
            let field = match name.trim() {
                "department" => AssignmentField::Department,
                "position" => AssignmentField::Position,
                "manager" => AssignmentField::Manager,
                "from" => AssignmentField::From,
                "to" => AssignmentField::To,
                other => {
                    return Err(format!("knows no `{other}`: write department, position, manager, from, to"));
                }
            };
            if fields.contains(&field) {
                return Err(format!("holds `{name}` twice"));
            }
            fields.push(field);
        }
        if !fields.contains(&AssignmentField::Department) {
            return Err("needs `department`: an assignment without one says nothing".to_owned());
        }
        Ok((between, fields))
    }

    pub(super) fn check(&self, name: &str, problems: &mut Vec<String>) {
        if let Err(why) = self.fields() {
            problems.push(format!("source `{name}`: assignments.format {why}"));
        }
        if self.attribute.trim().is_empty() || self.attribute.contains('{') {
            problems.push(format!("source `{name}`: assignments.attribute is the name of one attribute"));
        }
        if self.split.as_deref() == Some("") {
            problems
                .push(format!("source `{name}`: assignments.split is empty; write what stands between assignments"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{AssignmentField as F, AssignmentMapping};

    #[test]
    fn the_format_names_the_parts() {
        let of =
            |format: &str| AssignmentMapping { attribute: "x".into(), format: format.into(), split: None }.fields();
        assert_eq!(of("department|position|from|to").unwrap(), ('|', vec![F::Department, F::Position, F::From, F::To]));
        assert_eq!(of("department").unwrap().1, [F::Department]);
        assert_eq!(of("manager;department").unwrap(), (';', vec![F::Manager, F::Department]));
        assert!(of("position|from").unwrap_err().contains("needs `department`"));
        assert!(of("department|dept").unwrap_err().contains("`dept`"));
        assert!(of("department|department").unwrap_err().contains("twice"));
    }
}
