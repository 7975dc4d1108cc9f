//! Lengths of time as people write them: `30s`, `15m`, `8h`, `30d`, `90m`.

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// A length of time, whole seconds, more than zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Lifetime(pub chrono::Duration);

impl Lifetime {
    /// A length of that many seconds.
    #[must_use]
    pub const fn seconds(seconds: i64) -> Self {
        match chrono::Duration::try_seconds(seconds) {
            Some(length) => Self(length),
            None => Self(chrono::Duration::zero()),
        }
    }

    /// As the standard library's type, for timeouts.
    #[must_use]
    pub fn as_std(self) -> std::time::Duration {
        self.0.to_std().unwrap_or_default()
    }

    fn parse(text: &str) -> Option<Self> {
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (number, unit) = text.split_at(digits);
        let factor = match unit.trim() {
            "s" => 1,
            "m" => 60,
            "h" => 3_600,
            "d" => 86_400,
            _ => return None,
        };
        let seconds = number.parse::<i64>().ok()?.checked_mul(factor)?;
        (seconds > 0 && seconds <= 10 * 365 * 86_400).then(|| Self::seconds(seconds))
    }
}

impl Serialize for Lifetime {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(&format_args!("{}s", self.0.num_seconds()))
    }
}

impl<'de> Deserialize<'de> for Lifetime {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Self, D::Error> {
        let text = String::deserialize(from)?;
        Self::parse(&text).ok_or_else(|| {
            de::Error::custom(format!(
                "`{text}` is no length of time: write a number and s, m, h or d, such as \"15m\""
            ))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::Lifetime;

    #[test]
    fn lengths_are_read_as_people_write_them() {
        assert_eq!(Lifetime::parse("90m"), Some(Lifetime::seconds(5_400)));
        assert_eq!(Lifetime::parse("30d"), Some(Lifetime::seconds(2_592_000)));
        assert_eq!(serde_json::to_string(&Lifetime::seconds(5_400)).unwrap(), "\"5400s\"");
        for bad in ["", "m", "0s", "10", "1w", "-5m", "99999999999999999999s"] {
            assert_eq!(Lifetime::parse(bad), None, "{bad}");
        }
    }
}
