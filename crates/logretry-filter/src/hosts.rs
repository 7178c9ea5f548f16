use bstr::BStr;

/// A host that is wanted: a name, with a port or without, or `*.` and the name above the wanted ones.
#[derive(Debug)]
pub(crate) struct HostPattern {
    name: String,
    port: Option<String>,
    below: bool,
}

impl HostPattern {
    pub(crate) fn new(pattern: &str) -> Self {
        let pattern = pattern.to_ascii_lowercase();
        let (name, port) = split_port(&pattern);
        let (name, below) = name.strip_prefix("*.").map_or((name, false), |name| (name, true));
        Self { name: name.to_owned(), port: port.map(str::to_owned), below }
    }

    /// Whether a log's host is wanted. Without a port in the pattern, any port is.
    pub(crate) fn matches(&self, host: &[u8]) -> bool {
        let host = BStr::new(host).to_string().to_ascii_lowercase();
        let (name, port) = split_port(&host);
        let name_fits = if self.below {
            name.strip_suffix(&self.name).is_some_and(|sub| sub.len() > 1 && sub.ends_with('.'))
        } else {
            name == self.name
        };
        name_fits && self.port.as_ref().is_none_or(|wanted| port == Some(wanted))
    }
}

/// `name:port`. An IPv6 address is one with its brackets and without them, as logs have both; without them it has no port.
fn split_port(host: &str) -> (&str, Option<&str>) {
    if let Some((address, rest)) = host.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        return (address, rest.strip_prefix(':'));
    }
    match host.split_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (name, Some(port)),
        _ => (host, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_compared_as_names() {
        for (pattern, host, fits) in [
            ("shop.example", "SHOP.example", true),
            ("shop.example", "shop.example:8443", true),
            ("shop.example:443", "shop.example:8443", false),
            ("shop.example:8443", "shop.example:8443", true),
            ("*.example", "shop.example", true),
            ("*.example", "a.shop.example", true),
            ("*.example", "example", false),
            ("*.example", ".example", false),
            ("*.example", "badexample", false),
            ("[::1]", "[::1]:80", true),
            ("::1", "[::1]:80", true),
            ("[::1]", "::1", true),
            ("[::1]:80", "[::1]:8080", false),
            ("2001:db8::5", "2001:db8::5:1", false),
        ] {
            assert_eq!(HostPattern::new(pattern).matches(host.as_bytes()), fits, "{pattern} {host}");
        }
    }
}
