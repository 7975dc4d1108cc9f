//! Instants and browsers as people say them.

use chrono_tz::Tz;

use crate::text::{Args, Language, message};
use crate::time::Instant;

/// Date and time in the operator's zone: `2026年11月22日 09:00`, `22 Nov 2026, 09:00`.
#[must_use]
pub fn moment(language: Language, zone: Tz, at: Instant) -> String {
    let local = at.with_timezone(&zone);
    let format = match language {
        Language::Zh => "%Y年%-m月%-d日 %H:%M",
        Language::En => "%-d %b %Y, %H:%M",
    };
    local.format(format).to_string()
}

/// How long ago, in the largest unit that fits: `5 minutes ago`.
#[must_use]
pub fn ago(language: Language, now: Instant, at: Instant) -> String {
    let minutes = (now - at).num_minutes().max(0);
    let (key, number) = match minutes {
        0..2 => ("just-now", minutes),
        2..60 => ("minutes-ago", minutes),
        60..1_440 => ("hours-ago", minutes / 60),
        _ => ("days-ago", minutes / 1_440),
    };
    let mut args = Args::new();
    args.set("number", number);
    message(language, key, &args)
}

/// A `User-Agent` as people know it: `Chrome on Windows`. It is only a hint for recognising one's own sessions.
#[must_use]
pub fn browser(language: Language, user_agent: &str) -> String {
    // The order matters: most browsers name others, too.
    const BROWSERS: &[(&str, &str)] = &[
        ("wxwork", "WeCom"),
        ("DingTalk", "DingTalk"),
        ("Lark", "Feishu"),
        ("MicroMessenger", "WeChat"),
        ("Edg", "Edge"),
        ("Firefox", "Firefox"),
        ("Chrom", "Chrome"),
        ("Safari", "Safari"),
    ];
    const SYSTEMS: &[(&str, &str)] = &[
        ("HarmonyOS", "HarmonyOS"),
        ("Android", "Android"),
        ("iPhone", "iPhone"),
        ("iPad", "iPad"),
        ("Windows", "Windows"),
        ("Mac OS", "macOS"),
        ("Linux", "Linux"),
    ];
    let find =
        |list: &[(&str, &'static str)]| list.iter().find(|(mark, _)| user_agent.contains(mark)).map(|(_, name)| *name);
    let mut args = Args::new();
    match (find(BROWSERS), find(SYSTEMS)) {
        (Some(browser), Some(system)) => {
            args.set("browser", browser);
            args.set("system", system);
            message(language, "browser-on", &args)
        }
        (Some(one), None) | (None, Some(one)) => one.to_owned(),
        (None, None) => message(language, "browser-unknown", &args),
    }
}

#[cfg(test)]
mod tests {
    use super::{ago, browser, moment};
    use crate::text::Language::{En, Zh};
    use crate::time::Instant;

    #[test]
    fn times_are_said_in_the_operators_zone() {
        let at: Instant = "2026-11-21T17:05:00Z".parse().unwrap();
        assert_eq!(moment(Zh, chrono_tz::Asia::Shanghai, at), "2026年11月22日 01:05");
        assert_eq!(moment(En, chrono_tz::Asia::Shanghai, at), "22 Nov 2026, 01:05");
        assert_eq!(ago(En, at + chrono::Duration::minutes(61), at), "one hour ago");
        assert_eq!(ago(En, at + chrono::Duration::days(3), at), "3 days ago");
        assert_eq!(ago(Zh, at, at), "刚刚");
    }

    #[test]
    fn browsers_are_recognised() {
        let edge = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/129.0 Safari/537.36 Edg/129.0";
        assert_eq!(browser(En, edge), "Edge on Windows");
        let iphone = "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1";
        assert_eq!(browser(Zh, iphone), "iPhone 上的 Safari");
        assert_eq!(browser(En, "curl/8"), "An unknown browser");
    }
}
