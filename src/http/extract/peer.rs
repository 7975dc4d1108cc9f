//! Where a request really comes from.
//!
//! `X-Forwarded-For` is believed only from configured proxies, and read from the right: the rightmost address that is
//! no proxy of ours is the caller; what a caller wrote to the left of it counts for nothing.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use axum::extract::{ConnectInfo, FromRequestParts};
use axum::http::request::Parts;

use crate::config::ServerConfig;
use crate::http::state::App;

/// The caller's address.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ClientAddress {
    /// The address that rules, throttles and the audit log use.
    pub address: IpAddr,
    /// The connection's other end: a proxy of ours, or the caller.
    pub peer: IpAddr,
    /// Whether `peer` is a configured proxy, so that its forwarding headers count.
    pub is_via_proxy: bool,
}

impl ClientAddress {
    fn of(peer: IpAddr, forwarded: impl Iterator<Item = String>, server: &ServerConfig) -> Self {
        let peer = peer.to_canonical();
        let is_via_proxy = server.trusts(peer);
        let mut address = peer;
        if is_via_proxy {
            let hops: Vec<String> = forwarded.collect();
            for hop in hops.iter().rev() {
                let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
                address = hop.to_canonical();
                if !server.trusts(address) {
                    break;
                }
            }
        }
        Self { address, peer, is_via_proxy }
    }
}

impl FromRequestParts<App> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Result<Self, Infallible> {
        let peer = parts
            .extensions
            .get::<ConnectInfo<SocketAddr>>()
            .map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |ConnectInfo(address)| address.ip());
        let forwarded = parts
            .headers
            .get_all("x-forwarded-for")
            .iter()
            .filter_map(|value| value.to_str().ok())
            .flat_map(|line| line.split(','))
            .map(str::to_owned);
        Ok(Self::of(peer, forwarded, &app.broker.config.server))
    }
}

#[cfg(test)]
mod tests {
    use super::ClientAddress;
    use crate::config::Config;

    fn address(peer: &str, forwarded: &str) -> String {
        let text = "[server]\npublic_url = 'http://localhost'\ntrusted_proxies = ['10.0.0.0/8']";
        let config = Config::parse(std::path::Path::new("t.toml"), text, &[]).unwrap();
        let hops = forwarded.split(',').filter(|hop| !hop.is_empty()).map(str::to_owned);
        ClientAddress::of(peer.parse().unwrap(), hops, &config.server).address.to_string()
    }

    /// GW-005
    #[test]
    fn a_caller_cannot_write_its_own_address() {
        assert_eq!(address("203.0.113.9", "10.0.0.1"), "203.0.113.9");
        assert_eq!(address("10.1.1.1", "1.2.3.4, 198.51.100.7"), "198.51.100.7");
        assert_eq!(address("10.1.1.1", "198.51.100.7, 10.2.2.2"), "198.51.100.7");
        assert_eq!(address("10.1.1.1", "evil"), "10.1.1.1");
        assert_eq!(address("::ffff:203.0.113.9", ""), "203.0.113.9");
    }
}
