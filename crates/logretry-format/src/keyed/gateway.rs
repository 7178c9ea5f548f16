use std::ops::Range;

use crate::keyed::plain::Plain;

/// A query without the parameters that Azure's Application Gateway adds to it in its log and that no client sent.
pub(crate) fn cleaned(query: &Plain) -> Plain {
    let parts = client_parts(&query.bytes);
    if parts.len() == 1 && parts[0] == (0..query.bytes.len()) {
        query.keep(&parts)
    } else {
        joined(query, &parts)
    }
}

fn joined(query: &Plain, parts: &[Range<usize>]) -> Plain {
    let mut ranges: Vec<Range<usize>> = Vec::with_capacity(2 * parts.len());
    for part in parts {
        // The `&` before a parameter that is not the first comes with it.
        let with_joint = if ranges.is_empty() { part.clone() } else { part.start - 1..part.end };
        ranges.push(with_joint);
    }
    query.keep(&ranges)
}

fn client_parts(query: &[u8]) -> Vec<Range<usize>> {
    let mut start = 0;
    let mut parts = Vec::new();
    for part in query.split(|&byte| byte == b'&') {
        let range = start..start + part.len();
        start = range.end + 1;
        if !is_internal(part) {
            parts.push(range);
        }
    }
    parts
}

fn is_internal(parameter: &[u8]) -> bool {
    let name = parameter.split(|&byte| byte == b'=').next().unwrap_or_default();
    let name = name.to_ascii_uppercase();
    name.starts_with(b"X-AZUREAPPLICATIONGATEWAY-")
        || matches!(name.as_slice(), b"SERVER-ROUTED" | b"SERVER-STATUS")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::keyed::plain::Coding;

    #[test]
    fn what_no_client_sent_is_dropped() {
        for (query, sent) in [
            ("a=b&c=d", "a=b&c=d"),
            ("X-AzureApplicationGateway-CACHE-HIT=0&SERVER-ROUTED=10.0.0.4&SERVER-STATUS=502", ""),
            ("a=b&X-AzureApplicationGateway-LOG-ID=1&c=d&SERVER-STATUS=502", "a=b&c=d"),
            ("SERVER-ROUTED=10.0.0.4&a=b&", "a=b&"),
            ("", ""),
        ] {
            let plain = cleaned(&Coding::Json.decode(query.as_bytes()));
            assert_eq!(String::from_utf8_lossy(&plain.bytes), sent, "{query}");
        }
    }
}
