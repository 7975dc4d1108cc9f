//! What the demonstration says: each sentence in English and Chinese, the language by `LANG`.

use std::fmt::Display;
use std::time::Duration;

/// The narrator.
#[derive(Clone, Copy, Debug)]
pub struct Tell {
    /// Chinese, else English.
    pub zh: bool,
}

impl Tell {
    /// The language of the environment: `LC_ALL`, `LC_MESSAGES`, `LANG`, in this order.
    #[expect(clippy::disallowed_methods, reason = "an example has no configuration but its environment")]
    pub fn by_environment() -> Self {
        let set = |name: &&str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let language = ["LC_ALL", "LC_MESSAGES", "LANG"].iter().find_map(set).unwrap_or_default();
        Self { zh: language.to_lowercase().starts_with("zh") }
    }

    /// The language as the command line and browsers write it.
    pub fn tag(self) -> &'static str {
        if self.zh { "zh-CN" } else { "en" }
    }

    /// One of two texts.
    pub fn pick<T>(self, en: T, zh: T) -> T {
        if self.zh { zh } else { en }
    }

    /// A heading.
    pub fn heading(self, number: usize, en: &str, zh: &str) {
        say(&format!("\n{number}. {}", self.pick(en, zh)));
    }

    /// Something that was seen to hold.
    pub fn held(self, en: impl Display, zh: impl Display) {
        say(&format!("   ✓ {}", self.pick(en.to_string(), zh.to_string())));
    }

    /// Something worth knowing.
    pub fn note(self, en: impl Display, zh: impl Display) {
        say(&format!("   {}", self.pick(en.to_string(), zh.to_string())));
    }

    /// What did not hold, with what was expected.
    pub fn failed(self, why: &anyhow::Error) {
        say(&format!("   ✗ {}: {why:#}", self.pick("this step failed", "这一步失败了")));
    }
}

/// A command and what it printed, indented.
pub fn command(line: &str, output: &str) {
    say(&format!("   $ {line}"));
    for line in output.trim_end().lines() {
        say(&format!("   │ {line}"));
    }
}

/// Prints one line (or more) to the terminal.
#[expect(clippy::print_stdout, reason = "the demonstration talks to a person at a terminal")]
pub fn say(line: &str) {
    println!("{line}");
}

/// A time as people read it.
pub fn took(time: Duration) -> String {
    if time < Duration::from_secs(1) {
        format!("{} ms", time.as_millis())
    } else {
        format!("{:.1} s", time.as_secs_f64())
    }
}
