//! Findings: entries of a source that could not be mapped, or only in part; a code with named arguments.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use sqlx::types::Json;

use super::RunId;
use crate::string_enum;
use crate::time::Instant;

string_enum! {
    /// What can be wrong with an entry. For each the messages `finding-type-…`, `finding-…` and `finding-next-…` (a colon
    /// written as `-`) say it in words: what kind, what exactly, what to do.
    FindingCode {
        /// The name of the entry is not UTF-8 or no DN; `reason` says which.
        BadDn = "rejected:bad_dn",
        /// The `attribute` that is the stable id is missing or empty.
        NoId = "rejected:no_id",
        /// The server sent only a range of the values of `attribute`.
        PartialValues = "rejected:partial_values",
        /// A value of `attribute` has `size` bytes, more than `limit`.
        TooLarge = "rejected:too_large",
        /// A value of `attribute` is not UTF-8.
        BadUtf8 = "rejected:bad_utf8",
        /// Two servers made the entry at once; the directory keeps both apart until an administrator decides.
        ConflictEntry = "rejected:conflict_entry",
        /// The entry `first` of the same file has the same id.
        SameId = "rejected:duplicate_id",
        /// The source returned one id twice.
        DuplicateId = "duplicate_id",
        /// No login name.
        MissingLogin = "missing_login",
        /// Nothing for the mapped `key`, a code.
        MissingCode = "missing_code",
        /// The login name `value` in `count` entries.
        DuplicateLogin = "duplicate_login",
        /// The employee number `value` in `count` entries.
        DuplicateEmployeeNumber = "duplicate_employee_number",
        /// The code `value` in several entries of one kind.
        DuplicateCode = "duplicate_code",
        /// The login name `value` stays with an account that the plan does not change.
        LoginTaken = "login_taken",
        /// The code `value` stays with an object that the plan does not change.
        CodeTaken = "code_taken",
        /// `count` members whom the source did not return.
        UnknownMember = "unknown_member",
        /// The DN `manager` is nobody whom the source returned.
        UnknownManager = "unknown_manager",
        /// The department whose id is `entry` was left out and is not known here.
        DepartmentLeftOut = "department_left_out",
        /// The manager whose id is `entry` was left out and has no account here.
        ManagerLeftOut = "manager_left_out",
        /// `count` people who manage each other in a circle.
        ManagerCycle = "manager_cycle",
        /// A password that is no Argon2id hash.
        UnusablePassword = "unusable_password",
        /// A login that no sync may disable; `reason` is `absent` or `disabled`.
        ProtectedLogin = "protected_login",
        /// `rule` no longer gives `role` to a login from which no sync may take it.
        ProtectedRole = "protected_role",
        /// `value` (a login) would hold both roles of the pair `rule`, `role`; `reason` is what the pair says of itself.
        SeparationOfDuties = "separation_of_duties",
        /// The attribute `attribute` holds no date: `value`.
        BadDate = "bad_date",
        /// The concurrent assignment `value` cannot be read, or names a department that is not known.
        BadAssignment = "bad_assignment",
        /// `count` departments that are above each other in a circle.
        DepartmentCycle = "department_cycle",
        /// The head `value` of a department is nobody whom the source returned.
        UnknownHead = "unknown_head",
        /// More than one person, or more than one entry, answers to `value`.
        JoinAmbiguous = "join_ambiguous",
        /// Nobody answers to `value`, and the source makes nobody.
        JoinNobody = "join_nobody",
        /// The person with `value` belongs to another source, and this one may not contribute.
        JoinOwned = "join_owned",
        /// The person with `value` is protected: no source joins them.
        JoinProtected = "join_protected",
        /// The person with `value` joined, and stays locked out by the source that owns them.
        JoinDisabled = "join_disabled",
        /// A new entry carries `value`, the employee number of somebody whose old entry is still there.
        RehireConflict = "rehire_conflict",
        /// The person is no longer in scope; their entry is still at the source.
        MovedOutOfScope = "moved_out_of_scope",
        /// `count` people were not returned, and the second look failed with `reason`: they stay as they are.
        AbsenceUnconfirmed = "absence_unconfirmed",
        /// `count` people belong to a source that is no longer configured.
        OwnerGone = "owner_gone",
        /// The person was not returned, and was there when they were looked up.
        SeenAgain = "seen_again",
    }
}

/// Named arguments of a finding's messages.
pub type FindingArguments = BTreeMap<String, String>;

/// An entry that could not be mapped, or only in part.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug, Serialize, Deserialize)]
pub struct NewFinding {
    /// Code, a [`FindingCode`] such as `missing_login`.
    pub code: String,
    /// Stable id at the source; the DN where there is none.
    pub external_id: String,
    /// Distinguished name.
    pub dn: String,
    /// Arguments of the code's messages.
    #[serde(default)]
    pub arguments: FindingArguments,
    /// What exactly, as an English sentence.
    pub details: String,
    /// Whether the entry was left out (and counts as present); otherwise only the faulty field was.
    pub quarantined: bool,
}

string_enum! {
    /// What became of a finding.
    FindingState {
        /// Somebody should see to it.
        Open = "open",
        /// Somebody accepts it until a date.
        Accepted = "accepted",
        /// The last run no longer found it.
        Resolved = "resolved",
    }
}

/// A finding as stored.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, sqlx::FromRow)]
pub struct Finding {
    /// The source.
    pub source: String,
    /// Stable id at the source.
    pub external_id: String,
    /// Code.
    pub code: String,
    /// Distinguished name.
    pub dn: String,
    /// Arguments of the code's messages.
    pub arguments: Json<FindingArguments>,
    /// What exactly, as an English sentence.
    pub details: String,
    /// Whether the entry was left out.
    pub quarantined: bool,
    /// The last run that saw it.
    pub run_id: RunId,
    /// When first seen.
    pub first_seen: Instant,
    /// When last seen.
    pub last_seen: Instant,
    /// What became of it.
    pub state: FindingState,
    /// Login name of who sees to it.
    pub owner: Option<String>,
    /// Why it is accepted.
    pub reason: Option<String>,
    /// Who accepted it.
    pub accepted_by: Option<String>,
    /// Until when it is accepted.
    pub accepted_until: Option<Instant>,
    /// When a run no longer found it.
    pub resolved_at: Option<Instant>,
}

impl Finding {
    /// Whether the account stays as it is while this finding does: the entry was left out, or was not returned and the
    /// account is kept all the same.
    #[must_use]
    pub fn keeps_account(&self) -> bool {
        match self.code.parse() {
            Ok(FindingCode::SeenAgain | FindingCode::MovedOutOfScope) => true,
            Ok(FindingCode::ProtectedLogin) => self.arguments.0.get("reason").is_some_and(|reason| reason == "absent"),
            // The first entry with the id was taken.
            Ok(FindingCode::DuplicateId) => false,
            _ => self.quarantined,
        }
    }
}
