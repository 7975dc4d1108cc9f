//! Colours of a terminal (ECMA-48), where it takes them.

/// Whether and how text is coloured.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Paint {
    /// Plain text: a file, a pipe, `NO_COLOR`.
    Plain,
    /// A terminal that takes colours.
    Colours,
}

impl Paint {
    fn with(self, code: &str, text: &str) -> String {
        match self {
            Self::Plain => text.to_owned(),
            Self::Colours => format!("\u{1b}[{code}m{text}\u{1b}[0m"),
        }
    }

    /// Bold.
    #[must_use]
    pub fn strong(self, text: &str) -> String {
        self.with("1", text)
    }

    /// Dimmed.
    #[must_use]
    pub fn soft(self, text: &str) -> String {
        self.with("2", text)
    }

    /// Green.
    #[must_use]
    pub fn good(self, text: &str) -> String {
        self.with("32", text)
    }

    /// Yellow.
    #[must_use]
    pub fn warn(self, text: &str) -> String {
        self.with("33", text)
    }

    /// Red.
    #[must_use]
    pub fn bad(self, text: &str) -> String {
        self.with("31", text)
    }

    /// `+` green, `-` red, `~` yellow.
    #[must_use]
    pub fn sign(self, sign: char) -> String {
        let text = sign.to_string();
        match sign {
            '+' => self.good(&text),
            '-' => self.bad(&text),
            _ => self.warn(&text),
        }
    }
}
