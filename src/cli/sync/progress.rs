//! How far a run has come, for a person who waits: count, rate, and the time that remains.

use std::fmt::Write;
use std::io::IsTerminal as _;
use std::time::Duration;

use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::sync::Progress;
use crate::text::{Args, Language, message};

/// A progress bar on a terminal, nothing elsewhere.
pub(super) struct Bar {
    shown: ProgressBar,
    /// Entries of the last run; 0 where there was none.
    expected: u64,
    language: Language,
}

impl Bar {
    pub fn new(expected: u64, language: Language) -> Self {
        let bar = if std::io::stderr().is_terminal() { ProgressBar::no_length() } else { ProgressBar::hidden() };
        bar.enable_steady_tick(Duration::from_millis(100));
        let this = Self { shown: bar, expected, language };
        this.style(false);
        this
    }

    /// With the time that remains where the whole is known.
    fn style(&self, is_measured: bool) {
        let template = if is_measured {
            "{spinner} {msg} {human_pos}/{human_len} [{bar:24}] {rate} · {eta}"
        } else {
            "{spinner} {msg} {human_pos} · {rate} · {elapsed}"
        };
        if let Ok(style) = ProgressStyle::with_template(template) {
            // Whole entries: nobody reads the fourth decimal.
            let rate = |state: &ProgressState, to: &mut dyn Write| {
                let _ = write!(to, "{:.0}/s", state.per_sec());
            };
            self.shown.set_style(style.with_key("rate", rate).progress_chars("=> "));
        }
    }

    pub fn tell(&mut self, progress: Progress) {
        let (key, position, length) = match progress {
            Progress::Reading(entries) => ("sync-progress-reading", Some(entries), self.expected.max(entries)),
            Progress::Comparing(people) => ("sync-progress-comparing", None, people),
            Progress::Applying(steps) => ("sync-progress-applying", None, steps),
        };
        let is_measured = position.is_some() && self.expected > 0;
        self.style(is_measured);
        if is_measured {
            self.shown.set_length(length);
        }
        self.shown.set_position(position.unwrap_or(length));
        self.shown.set_message(message(self.language, key, &Args::new()));
    }

    pub fn end(&self) {
        self.shown.finish_and_clear();
    }
}
