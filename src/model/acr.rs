//! How strongly somebody has proved who they are: `acr` (OpenID Connect Core 1.0 section 2, RFC 9470).
//!
//! A new way to prove oneself is a variant of [`Acr`] and a line in [`Acr::held`]; discovery lists what is there.

use crate::string_enum;

string_enum! {
    /// Authentication context class references that the broker can vouch for, the strongest first.
    Acr {
        /// A password that the directory, or we, checked.
        Password = "urn:yaopai:acr:password",
    }
}

impl Acr {
    /// What a sign-in is worth, the strongest first; `amr` holds RFC 8176 values, separated by blanks.
    #[must_use]
    pub fn held(amr: &str) -> Vec<Self> {
        let did = |way: &str| amr.split(' ').any(|one| one == way);
        let is_held = |acr: &Self| match acr {
            Self::Password => did("pwd"),
        };
        Self::ALL.iter().copied().filter(is_held).collect()
    }

    /// Whether whoever has this has at least `wanted`.
    #[must_use]
    pub fn is_at_least(self, wanted: Self) -> bool {
        // In the order of strength.
        self <= wanted
    }
}
