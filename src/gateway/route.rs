//! Which route a call belongs to: host and the longest path, by whole segments.

use super::{CallPath, Refusal};
use crate::config::RouteConfig;

/// The host of a call in its one form: small letters, without the port.
///
/// # Errors
/// [`Refusal::Host`] for what systems read differently: user information, a trailing dot, anything but a name or an
/// address.
pub fn call_host(host: &str) -> Result<String, Refusal> {
    let is_port = |port: &str| port.len() <= 5 && port.bytes().all(|byte| byte.is_ascii_digit());
    let (name, port) = match host.rfind(']') {
        Some(end) => host.split_at_checked(end + 1).map(|(name, port)| (name, port.strip_prefix(':').unwrap_or(port))),
        None => Some(host.split_once(':').unwrap_or((host, ""))),
    }
    .ok_or(Refusal::Host)?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_');
    let is_address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).is_some_and(is_ipv6);
    let is_name = !name.is_empty() && name.bytes().all(plain) && !name.starts_with('.') && !name.ends_with('.');
    if is_port(port) && (is_address || is_name) { Ok(name.to_ascii_lowercase()) } else { Err(Refusal::Host) }
}

fn is_ipv6(text: &str) -> bool {
    text.parse::<std::net::Ipv6Addr>().is_ok()
}

/// The route of a call: the longest path wins, and of two alike the one that names the host.
pub(super) fn find<'a>(routes: &'a [RouteConfig], host: &str, path: &CallPath) -> Result<&'a RouteConfig, Refusal> {
    let best = |is_below: fn(&CallPath, &str) -> bool| {
        let of_host = routes.iter().filter(|route| route.host.as_ref().is_none_or(|of| of.eq_ignore_ascii_case(host)));
        let fits = of_host.filter(|route| is_below(path, &route.path));
        fits.max_by_key(|route| (route.path.trim_end_matches('/').len(), route.host.is_some()))
    };
    let (exact, folded) = (best(CallPath::is_below), best(CallPath::is_below_ignoring_case));
    // A system behind that does not tell capitals from small letters would serve another route than the one judged.
    match (exact, folded) {
        (Some(exact), Some(folded)) if exact.name == folded.name => Ok(exact),
        (None, None) => Err(Refusal::NoRoute),
        _ => Err(Refusal::Capitals),
    }
}

#[cfg(test)]
mod tests {
    use super::{CallPath, Refusal, call_host, find};
    use crate::config::Config;

    fn name(host: &str, path: &str) -> Result<String, Refusal> {
        let route = |name: &str, rest: &str| format!("[[route]]\nname = '{name}'\nmethods = ['GET']\n{rest}\n");
        let text = format!(
            "[server]\npublic_url = 'http://localhost'\n{}{}{}{}",
            route("all", "path = '/'\nhost = 'open.example'"),
            route("admin", "path = '/admin'"),
            route("deep", "path = '/admin/keys'"),
            route("there", "path = '/admin'\nhost = 'there.example'"),
        );
        let config = Config::parse(std::path::Path::new("t.toml"), &text, &[]).unwrap();
        find(&config.routes, host, &CallPath::parse(path).unwrap()).map(|route| route.name.clone())
    }

    #[test]
    fn the_longest_path_wins_and_the_host_decides_between_equals() {
        assert_eq!(name("x", "/admin/users").unwrap(), "admin");
        assert_eq!(name("x", "/admin/keys/7").unwrap(), "deep");
        assert_eq!(name("there.example", "/admin").unwrap(), "there");
        assert_eq!(name("there.example", "/admin/keys").unwrap(), "deep");
        assert_eq!(name("open.example", "/x").unwrap(), "all");
        assert!(matches!(name("x", "/administrators"), Err(Refusal::NoRoute)));
        assert!(matches!(name("x", "/"), Err(Refusal::NoRoute)));
    }

    /// GW-011
    #[test]
    fn capitals_open_no_other_route() {
        assert!(matches!(name("open.example", "/ADMIN"), Err(Refusal::Capitals)));
        assert!(matches!(name("x", "/admin/KEYS"), Err(Refusal::Capitals)));
        assert!(matches!(name("x", "/Admin"), Err(Refusal::Capitals)));
        assert_eq!(name("open.example", "/Pictures").unwrap(), "all");
    }

    /// GW-015
    #[test]
    fn a_host_has_one_form() {
        assert_eq!(call_host("App.Corp:8443").unwrap(), "app.corp");
        assert_eq!(call_host("[::1]:80").unwrap(), "[::1]");
        for evil in
            ["", "a b", "user@h", "h.", ".h", "h:80:80", "h:x", "h/..", "[::1", "[::1]x", "h:999999", "h,i", "é"]
        {
            assert!(call_host(evil).is_err(), "{evil}");
        }
    }
}
