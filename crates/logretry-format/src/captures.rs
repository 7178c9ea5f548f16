//! HAProxy's captured headers, `{a|b}`: values without names.

/// The one item of HAProxy's captured headers that looks like a host, if only one does: which header stands where is known to
/// the configuration alone. They are written `{a|b}`, or `"a" "b"` in the common log format.
pub(crate) fn captured_host(captures: &[u8]) -> Option<&[u8]> {
    let captures = captures.trim_ascii();
    let in_braces = captures.strip_prefix(b"{").and_then(|items| items.strip_suffix(b"}"));
    let (items, separator) = in_braces.map_or((captures, b'"'), |items| (items, b'|'));
    let mut hosts = items.split(|&byte| byte == separator).filter(|item| looks_like_host(item));
    hosts.next().filter(|_| hosts.next().is_none())
}

/// Where the values `"a" "b"` may end that begin at `start`, the most first and none last. `space`: with the space behind them, if there are any.
pub(crate) fn quoted(line: &[u8], start: usize, space: bool) -> impl Iterator<Item = usize> {
    let next = move |&at: &usize| {
        let value = line.get(at..)?.strip_prefix(if at == start { &b"\""[..] } else { b" \"" })?;
        Some(line.len() - value.len() + memchr::memchr(b'"', value)? + 1)
    };
    let ends: Vec<usize> = std::iter::successors(Some(start), next).collect();
    ends.into_iter().rev().filter_map(move |end| match line.get(end) {
        _ if !space || end == start => Some(end),
        Some(b' ') => Some(end + 1),
        _ => None,
    })
}

/// A name with a dot in it that ends in letters, or `localhost`, or an IPv6 address in brackets. Addresses of clients look like
/// other IP addresses, so these are none.
fn looks_like_host(item: &[u8]) -> bool {
    let name = match memchr::memrchr(b':', item) {
        Some(colon) if item[colon + 1..].iter().all(u8::is_ascii_digit) && colon + 1 < item.len() => {
            &item[..colon]
        }
        _ => item,
    };
    if let Some(address) = name.strip_prefix(b"[").and_then(|name| name.strip_suffix(b"]")) {
        return address.contains(&b':')
            && address.iter().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(byte));
    }
    if !name.iter().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(byte)) {
        return false;
    }
    let mut labels = name.rsplit(|&byte| byte == b'.');
    let last = labels.next().unwrap_or_default();
    name == b"localhost"
        || (last.first().is_some_and(u8::is_ascii_alphabetic)
            && labels.next().is_some_and(|label| !label.is_empty()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_quotes_may_end_behind_each() {
        let ends = |text: &str, space| quoted(text.as_bytes(), 0, space).collect::<Vec<_>>();
        assert_eq!(ends(r#""a" "b" "GET""#, false), [13, 7, 3, 0]);
        assert_eq!(ends(r#""a" "b" 5"#, true), [8, 4, 0]);
        assert_eq!(ends("5", true), [0]);
        assert_eq!(ends(r#""a"#, false), [0]);
    }

    #[test]
    fn a_host_is_found_among_captures_if_there_is_one() {
        for (captures, host) in [
            ("{shop.example.com|lab/1.0} ", Some("shop.example.com")),
            ("{shop.example.com:8443|}", Some("shop.example.com:8443")),
            ("{[2001:db8::1]:8080|curl}", Some("[2001:db8::1]:8080")),
            ("{localhost|203.0.113.9}", Some("localhost")),
            ("{203.0.113.9}", None),
            ("{a.example|b.example}", None),
            ("{Mozilla/5.0 (Windows)}", None),
            (r#" 1 1 0 0 0 0 0 "-" "-" "shop.example.com" "curl/8.9""#, Some("shop.example.com")),
            ("{|}", None),
            ("", None),
        ] {
            assert_eq!(captured_host(captures.as_bytes()), host.map(str::as_bytes), "{captures}");
        }
    }
}
