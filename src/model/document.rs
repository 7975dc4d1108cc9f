//! Documents of changes: JSON, kept as the text that it was first written as. An import has hundreds of thousands of them,
//! and most are only handed on: a text is a tenth of the size of the values in it, and is the same wherever it is stored.

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value;

/// A JSON text.
#[derive(Clone, PartialEq, Eq)]
pub struct Document(Box<str>);

/// Its text: documents are personal, and never hold what is secret.
impl fmt::Debug for Document {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl Document {
    /// What `document` is as JSON. Our documents have string keys and finite numbers only, so this cannot fail; were it to,
    /// the apply would refuse the empty document.
    #[must_use]
    pub fn of(document: &impl Serialize) -> Self {
        Self(serde_json::to_string(document).unwrap_or_else(|_| "null".to_owned()).into_boxed_str())
    }

    /// Of a text that was one before.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(text.into())
    }

    /// The text.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }

    /// What it says, typed; borrowed from the text where the type allows that.
    ///
    /// # Errors
    /// When it says something else.
    pub fn read<'a, D: Deserialize<'a>>(&'a self) -> Result<D, serde_json::Error> {
        serde_json::from_str(&self.0)
    }

    /// What it says as a value; null where the text is none.
    #[must_use]
    pub fn value(&self) -> Value {
        serde_json::from_str(&self.0).unwrap_or_default()
    }

    /// A field that is a text.
    #[must_use]
    pub fn field(&self, name: &str) -> Option<String> {
        match self.value().get_mut(name)?.take() {
            Value::String(text) => Some(text),
            _ => None,
        }
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Self {
        Self::of(&value)
    }
}
