//! Addresses that no request ever goes to, whoever named them.
//!
//! A private address is where an operator's server may well be, so those are not here. Link-local and metadata addresses are
//! where a cloud keeps the machine's own credentials, and no shop was ever served from there. What embeds an IPv4 address
//! (mapped, NAT64, 6to4) counts as that address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// What is wrong with `address`; `None` if it may be connected to.
pub(crate) fn blocked(address: IpAddr) -> Option<&'static str> {
    match address {
        IpAddr::V4(address) => blocked_v4(address),
        IpAddr::V6(address) => blocked_v6(address),
    }
}

fn blocked_v4(address: Ipv4Addr) -> Option<&'static str> {
    match address.octets() {
        [169, 254, ..] => Some("link-local"),
        // Alibaba Cloud, Oracle Cloud, Azure: their metadata services outside of 169.254.0.0/16.
        [100, 100, 100, 200] | [192, 0, 0, 192] | [168, 63, 129, 16] => Some("cloud metadata"),
        // RFC 1122 §3.2.1.3: "this host on this network". Linux takes it for the loopback address.
        [0, ..] => Some("unspecified"),
        [224..=239, ..] => Some("multicast"),
        [255, 255, 255, 255] => Some("broadcast"),
        _ => None,
    }
}

fn blocked_v6(address: Ipv6Addr) -> Option<&'static str> {
    if address.is_loopback() {
        return None;
    }
    if let Some(address) = embedded_v4(address) {
        return blocked_v4(address);
    }
    match address.segments() {
        [0xfe80..=0xfebf, ..] => Some("link-local"),
        [0xff00..=0xffff, ..] => Some("multicast"),
        // Amazon EC2, Google Cloud.
        [0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254] | [0xfd20, 0xce, 0, 0, 0, 0, 0, 0x254] => {
            Some("cloud metadata")
        }
        _ => None,
    }
}

/// Whether `address` is in a network of somebody's own, or in none: loopback, private (RFC 1918, RFC 4193), shared (RFC 6598), reserved.
pub(crate) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_private_v4(address),
        IpAddr::V6(address) if address.is_loopback() => true,
        IpAddr::V6(address) => match embedded_v4(address) {
            Some(address) => is_private_v4(address),
            // Unique local; the site-local that came before them (RFC 3879); documentation (RFC 3849, RFC 9637).
            None => matches!(
                address.segments(),
                [0xfc00..=0xfdff | 0xfec0..=0xfeff, ..] | [0x2001, 0xdb8, ..] | [0x3fff, 0..=0xfff, ..]
            ),
        },
    }
}

fn is_private_v4(address: Ipv4Addr) -> bool {
    address.is_private()
        || address.is_loopback()
        || address.is_documentation()
        || matches!(
            address.octets(),
            // Shared; IETF protocol assignments (RFC 6890); benchmarks (RFC 2544); reserved (RFC 1112 §4).
            [100, 64..=127, ..] | [192, 0, 0, _] | [198, 18 | 19, ..] | [240..=255, ..]
        )
}

fn embedded_v4(address: Ipv6Addr) -> Option<Ipv4Addr> {
    match address.segments() {
        // Mapped (RFC 4291 §2.5.5.2), compatible (§2.5.5.1), translated (RFC 2765 §2.1);
        [0, 0, 0, 0, 0, 0xffff | 0, high, low]
        | [0, 0, 0, 0, 0xffff, 0, high, low]
        // NAT64 (RFC 6052 §2.1, RFC 8215);
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x64, 0xff9b, 1, _, _, _, high, low]
        // 6to4 (RFC 3056 §2).
        | [0x2002, high, low, ..] => Some(Ipv4Addr::from(u32::from(high) << 16 | u32::from(low))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn link_local_and_metadata_addresses_are_blocked_in_every_guise() {
        for text in [
            "169.254.169.254",
            "169.254.0.1",
            "fe80::1",
            "febf::1",
            "fd00:ec2::254",
            "fd20:ce::254",
            "::ffff:169.254.169.254",
            "::169.254.169.254",
            "::ffff:0:169.254.169.254",
            "64:ff9b::a9fe:a9fe",
            "64:ff9b:1::a9fe:a9fe",
            "2002:a9fe:a9fe::1",
            "100.100.100.200",
            "192.0.0.192",
            "168.63.129.16",
            "0.0.0.0",
            "0.1.2.3",
            "::",
            "::ffff:0.0.0.0",
            "224.0.0.1",
            "239.255.255.255",
            "255.255.255.255",
            "ff02::1",
        ] {
            assert!(blocked(text.parse().expect(text)).is_some(), "{text} is let through");
        }
    }

    #[test]
    fn private_addresses_are_told_from_public_ones() {
        for text in [
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "172.31.255.255",
            "192.168.0.1",
            "100.64.0.1",
            "192.0.0.8",
            "198.18.0.1",
            "198.51.100.7",
            "240.0.0.1",
            "::1",
            "fd00::1",
            "fc00::1",
            "fec0::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "2002:0a00:0001::1",
        ] {
            assert!(is_private(text.parse().expect(text)), "{text} is taken for public");
        }
        for text in [
            "1.1.1.1",
            "172.32.0.1",
            "100.128.0.1",
            "192.0.1.1",
            "2606:4700::1111",
            "64:ff9b::101:101",
            "2002:101:101::1",
        ] {
            assert!(!is_private(text.parse().expect(text)), "{text} is taken for private");
        }
    }

    #[test]
    fn loopback_private_and_public_addresses_are_the_operators_choice() {
        for text in [
            "127.0.0.1",
            "127.1.2.3",
            "10.0.0.1",
            "172.16.0.1",
            "192.168.0.1",
            "100.64.0.1",
            "203.0.113.9",
            "::1",
            "fd00::1",
            "2001:db8::1",
            "::ffff:127.0.0.1",
            "64:ff9b::7f00:1",
            "fec0::1",
            "169.253.255.255",
            "169.255.0.0",
        ] {
            assert_eq!(blocked(text.parse().expect(text)), None, "{text} is blocked");
        }
    }
}
