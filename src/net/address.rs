//! Which addresses may be called: those of the public internet, and the networks that the operator names.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

/// Whether `address` may be called, given the networks that are allowed besides the public ones.
pub(super) fn may_call(address: IpAddr, allowed: &[IpNet]) -> bool {
    // An IPv4 address in IPv6 clothes is the IPv4 address: that is where the packets go.
    let address = address.to_canonical();
    allowed.iter().any(|net| net.contains(&address)) || is_public(address)
}

fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

/// Everything but the special registry of IANA (RFC 6890 and what was added since).
fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let is_special = a == 0
        || a >= 224
        || address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (b == 18 || b == 19));
    !is_special
}

/// Global unicast (`2000::/3`) without tunnels and documentation; an address that carries an IPv4 address for a
/// translator (RFC 6052) is as public as that one.
fn is_public_v6(address: Ipv6Addr) -> bool {
    let bits = u128::from(address);
    if bits >> 32 == 0x64_ff9b_u128 << 64 {
        let carried = u32::try_from(bits & u128::from(u32::MAX)).unwrap_or_default();
        return is_public_v4(carried.into());
    }
    // 2001::/23, 2001:db8::/32, 2002::/16 and 3fff::/20.
    let is_special =
        bits >> 105 == 0x2001 << 7 || bits >> 96 == 0x2001_0db8 || bits >> 112 == 0x2002 || bits >> 108 == 0x3fff0;
    bits >> 125 == 1 && !is_special
}

#[cfg(test)]
mod tests {
    use super::may_call;

    fn may(address: &str) -> bool {
        may_call(address.parse().unwrap(), &["10.9.0.0/16".parse().unwrap()])
    }

    /// OAUTH-100, OAUTH-142, GW-053
    #[test]
    fn only_public_addresses_and_named_networks_are_called() {
        for public in ["1.1.1.1", "203.0.114.1", "2606:4700::1111", "64:ff9b::101:101", "10.9.1.1", "::ffff:10.9.1.1"] {
            assert!(may(public), "{public}");
        }
        for special in [
            "0.0.0.0",
            "10.0.0.1",
            "100.64.0.1",
            "127.0.0.1",
            "127.8.9.1",
            "169.254.169.254",
            "172.31.0.1",
            "192.0.0.8",
            "192.0.2.1",
            "192.88.99.1",
            "192.168.1.1",
            "198.19.0.1",
            "198.51.100.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::7f00:1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::101:101",
            "100::1",
            "2001::1",
            "2001:db8::1",
            "2002:7f00:1::",
            "3fff::1",
            "fc00::1",
            "fd00:ec2::254",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!may(special), "{special}");
        }
    }
}
