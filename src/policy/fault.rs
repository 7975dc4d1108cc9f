//! What is wrong with policies, each with file, line and remedy.

use std::fmt;

use miette::Diagnostic;

/// One thing that is wrong in one file.
#[derive(Clone, PartialEq, Eq, Debug, serde::Serialize)]
pub struct Fault {
    /// File name within the folder.
    pub file: String,
    /// Line, from 1; none when the file as a whole is meant.
    pub line: Option<usize>,
    /// Column in characters, from 1.
    pub column: Option<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub remedy: String,
}

impl Fault {
    /// A fault of the file as a whole.
    pub(super) fn of_file(file: &str, message: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self { file: file.to_owned(), line: None, column: None, message: message.into(), remedy: remedy.into() }
    }

    /// A fault at the byte `offset` of `text`.
    pub(super) fn at(
        file: &str,
        text: &str,
        offset: usize,
        message: impl Into<String>,
        remedy: impl Into<String>,
    ) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.matches('\n').count() + 1;
        let column = before.rsplit('\n').next().unwrap_or_default().chars().count() + 1;
        Self { line: Some(line), column: Some(column), ..Self::of_file(file, message, remedy) }
    }

    /// What Cedar reports, with the place and the help that it gives; `remedy` where it gives none.
    pub(super) fn of_cedar(file: &str, text: &str, error: &(impl Diagnostic + ?Sized), remedy: &str) -> Self {
        let message = one_line(&error.to_string());
        let remedy = error.help().map_or_else(|| remedy.to_owned(), |help| one_line(&help.to_string()));
        match error.labels().and_then(|mut labels| labels.next()) {
            Some(label) => Self::at(file, text, label.offset(), message, remedy),
            None => Self::of_file(file, message, remedy),
        }
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.file)?;
        if let Some(line) = self.line {
            write!(f, ":{line}")?;
        }
        if let Some(column) = self.column {
            write!(f, ":{column}")?;
        }
        write!(f, ": {}; {}", self.message, self.remedy)
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The policies cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum PolicyError {
    /// The folder or a file in it cannot be read.
    #[error("the policies `{path}` cannot be read: {cause}; set policies.folder to a folder with schema.cedarschema")]
    Read {
        /// Which.
        path: String,
        /// What the system says.
        cause: std::io::Error,
    },
    /// What is in the folder cannot be used; at least one fault, in the order of the files.
    #[error("the policies in `{folder}` cannot be used: {}", summary(.faults))]
    Faults {
        /// Which folder.
        folder: String,
        /// Everything that is wrong.
        faults: Vec<Fault>,
    },
}

fn summary(faults: &[Fault]) -> String {
    let first = faults.first().map(ToString::to_string).unwrap_or_default();
    match faults.len() {
        0 | 1 => first,
        more => format!("{first} (and {} more: `yaopai policy check` lists them)", more - 1),
    }
}
