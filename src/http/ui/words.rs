//! Instants and browsers as people say them.

use chrono_tz::Tz;

use crate::text::{Args, Language, message, say};
use crate::time::{Date, Instant};

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

/// A distinguished name as people read it: what the entry is called, and where it stands from the top down:
/// `uid=li.fang,ou=报销组,ou=财务部,dc=example` is `li.fang` in `财务部 / 报销组`. Whatever is no such name stays whole.
#[must_use]
pub fn entry(dn: &str) -> (String, String) {
    let mut parts: Vec<String> = vec![String::new()];
    let mut is_escaped = false;
    for c in dn.chars() {
        match c {
            ',' if !is_escaped => parts.push(String::new()),
            '\\' if !is_escaped => {}
            c => parts.last_mut().into_iter().for_each(|part| part.push(c)),
        }
        is_escaped = c == '\\' && !is_escaped;
    }
    let named: Option<Vec<(&str, &str)>> = parts.iter().map(|part| part.trim_start().split_once('=')).collect();
    let Some(((_, own), above)) = named.as_ref().and_then(|all| all.split_first()) else {
        return (dn.to_owned(), String::new());
    };
    let places = above.iter().rev().filter(|(kind, _)| !kind.eq_ignore_ascii_case("dc")).map(|(_, name)| *name);
    ((*own).to_owned(), places.collect::<Vec<_>>().join(" / "))
}

/// `from 2026-12-01`, `2026-12-01 to 2026-12-14`; none where there is no limit.
#[must_use]
pub fn days(language: Language, first: Option<Date>, last: Option<Date>) -> Option<String> {
    // What was ended before it began has no first day.
    let first = first.filter(|first| last.is_none_or(|last| *first <= last));
    let (key, first, last) = match (first, last) {
        (None, None) => return None,
        (Some(first), None) => ("days-from", first.to_string(), String::new()),
        (None, Some(last)) => ("days-to", String::new(), last.to_string()),
        (Some(first), Some(last)) => ("days-between", first.to_string(), last.to_string()),
    };
    Some(say(language, key, &[("first", first.into()), ("last", last.into())]))
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
    use super::{ago, browser, entry, moment};
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
    fn an_entry_is_called_by_its_own_name_and_place() {
        let of = |dn: &str| entry(dn);
        let said = of("uid=li.fang,ou=报销组,ou=财务部,dc=example,dc=com");
        assert_eq!(said, ("li.fang".to_owned(), "财务部 / 报销组".to_owned()));
        assert_eq!(of("cn=Sales\\, East,OU=x").0, "Sales, East");
        assert_eq!(of("E1042"), ("E1042".to_owned(), String::new()));
        assert_eq!(of(""), (String::new(), String::new()));
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
