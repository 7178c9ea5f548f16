//! `--header`: what the operator adds to every request.

use http::header::{HeaderMap, HeaderName, HeaderValue};

use crate::RefirerError;

/// Adds one `Name: value` to `headers`.
///
/// Headers that decide where a request goes or where it ends are refused, and so is `User-Agent`, which is how a server's log
/// shows what was a refire.
pub fn add_header(headers: &mut HeaderMap, line: &str) -> Result<(), RefirerError> {
    // The message names no value: it may be a secret.
    let (name, value) = line.split_once(':').ok_or(RefirerError::HeaderLine)?;
    let name = name.trim();
    let refuse = |why| RefirerError::Header { name: name.escape_default().to_string(), why };
    let name: HeaderName = name.parse().map_err(|_| refuse("its name is not a token"))?;
    if let Some(why) = why_refused(&name) {
        return Err(refuse(why));
    }
    let mut value: HeaderValue =
        value.trim().parse().map_err(|_| refuse("its value holds bytes that may not stand in a header"))?;
    value.set_sensitive(true);
    headers.append(name, value);
    Ok(())
}

/// Adds the headers of a file: one `Name: value` a line; empty lines and lines that begin with `#` are left out.
pub fn add_header_lines(headers: &mut HeaderMap, text: &str) -> Result<(), RefirerError> {
    text.lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .try_for_each(|line| add_header(headers, line))
}

/// Refuses `headers` of which [`add_header`] would refuse one.
pub(crate) fn check(headers: &HeaderMap) -> Result<(), RefirerError> {
    let refused = headers.keys().find_map(|name| Some((name.to_string(), why_refused(name)?)));
    refused.map_or(Ok(()), |(name, why)| Err(RefirerError::Header { name, why }))
}

/// Why the operator does not give the header `name`, if that is so.
fn why_refused(name: &HeaderName) -> Option<&'static str> {
    if name == crate::idempotency::NAME {
        return Some("it names one request and no other; give --idempotency-key");
    }
    why_ours(name)
}

/// Why nobody but logretry sets the header `name`, if that is so.
pub(crate) fn why_ours(name: &HeaderName) -> Option<&'static str> {
    OURS.iter().find(|(ours, _)| name == *ours).map(|(_, why)| *why)
}

const FRAMING: &str = "it belongs to the connection, which logretry keeps itself";

const OURS: &[(&str, &str)] = &[
    ("host", "the host is that of --base-url; to reach it elsewhere, give --resolve"),
    ("user-agent", "it shows in the server's log which requests were refires"),
    ("proxy-authorization", "the server would see it too; write it into the URL of --proxy"),
    ("content-length", FRAMING),
    ("transfer-encoding", FRAMING),
    ("connection", FRAMING),
    ("upgrade", FRAMING),
    ("te", FRAMING),
    ("trailer", FRAMING),
    ("expect", FRAMING),
    ("keep-alive", FRAMING),
    ("proxy-connection", FRAMING),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_one_a_line_and_may_repeat() {
        let mut headers = HeaderMap::new();
        let text = "# tokens\nAuthorization: Bearer a:b\n\n  X-A:1\r\nx-a:  2 \n";
        add_header_lines(&mut headers, text).expect("headers");
        assert_eq!(headers["authorization"], "Bearer a:b");
        assert_eq!(headers.get_all("x-a").iter().collect::<Vec<_>>(), ["1", "2"]);
        assert!(!format!("{headers:?}").contains("Bearer"), "a value is never shown");
    }

    #[test]
    fn of_a_line_that_is_no_header_nothing_is_shown() {
        let error = add_header(&mut HeaderMap::new(), "s3cret").expect_err("no colon").to_string();
        assert_eq!(error, "send a header without a name: a header is NAME: VALUE, as in `X-Tenant: shop`");
    }

    /// They went out as they stood in the options: `Host` beside our own, a length without a body.
    #[test]
    fn what_is_refused_is_refused_in_options_too() {
        for name in ["host", "user-agent", "content-length", "transfer-encoding", "idempotency-key"] {
            let mut options = crate::Options::default();
            options.destination.base_url = Some("http://shop.example".parse().expect("a base URL"));
            let name: HeaderName = name.parse().expect("a name");
            options.headers.insert(&name, HeaderValue::from_static("7"));
            let error = crate::Refirer::new(options).expect_err("it is ours").to_string();
            assert!(error.starts_with(&format!("send the header `{name}`: ")), "{error}");
        }
    }

    #[test]
    fn what_would_change_the_host_or_the_framing_is_refused() {
        for line in [
            "Host: evil.example",
            "user-agent: x",
            "Content-Length: 3",
            "Transfer-Encoding: chunked",
            "Connection: upgrade",
            "Proxy-Authorization: x",
            "evil",
            "X A: 1",
            ": 1",
            "X-A: a\r\nHost: b",
        ] {
            let error = add_header(&mut HeaderMap::new(), line).expect_err(line).to_string();
            assert!(!error.contains("evil"), "{error}");
        }
    }
}
