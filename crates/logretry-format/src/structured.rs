//! Formats of JSON objects in the configuration of Envoy and `HAProxy`: the names that the operator gave, and what stands under each.
//!
//! ```text
//!   json_format: {"code":"%RESPONSE_CODE%","path":"%REQ(:PATH)%"}    ─▶ json:status=.code,target=.path
//!   log-format "%{+json}o %(code)ST %(path)HU"                       ─▶ json:status=.code,target=.path
//! ```

use serde_json::Value;

use crate::envoy::short;

/// The map of `text`, if it is such a format.
pub(crate) fn map(text: &str) -> Option<String> {
    let pairs = envoy(text).or_else(|| haproxy(text))?;
    let named = |(path, word): &(String, &str)| format!("{word}=.{path}");
    Some(format!("json:{}", pairs.iter().map(named).collect::<Vec<_>>().join(",")))
}

type Pairs = Vec<(String, &'static str)>;

fn envoy(text: &str) -> Option<Pairs> {
    let object = ["typed_json_format:", "json_format:"].iter().find_map(|key| text.strip_prefix(key))?.trim();
    let mut pairs = Vec::new();
    if let Ok(value) = serde_json::from_str::<Value>(object) {
        walk(&value, "", &mut pairs);
        return Some(pairs);
    }
    // YAML, one key a line.
    for line in object.lines() {
        let Some((key, value)) = line.split_once(": ") else { continue };
        let unquoted = |text: &str| text.trim().trim_matches(['"', '\'']).to_owned();
        if let Some(word) = envoy_word(&unquoted(value)) {
            pairs.push((unquoted(key), word));
        }
    }
    Some(pairs)
}

fn walk(value: &Value, path: &str, pairs: &mut Pairs) {
    match value {
        Value::Object(members) => {
            for (key, value) in members {
                let path = if path.is_empty() { key.clone() } else { format!("{path}.{key}") };
                walk(value, &path, pairs);
            }
        }
        Value::String(text) => pairs.extend(envoy_word(text).map(|word| (path.to_owned(), word))),
        _ => {}
    }
}

/// What one operator of Envoy, and nothing beside it, is used for.
fn envoy_word(text: &str) -> Option<&'static str> {
    let operator = text.strip_prefix('%')?.strip_suffix('%')?.to_ascii_uppercase();
    let (name, argument) = match operator.split_once('(') {
        Some((name, rest)) => (name, rest.split(')').next().unwrap_or_default()),
        None => (&*operator, ""),
    };
    Some(match (short(name), argument) {
        ("RESPONSE_CODE", _) => "status",
        ("START_TIME", "") => "time",
        ("DURATION", _) => "duration_ms",
        ("BYTES_SENT", _) => "bytes",
        ("DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT", _) => "client",
        ("REQ", argument)
            if argument.split('?').any(|name| name == ":PATH" || name == "X-ENVOY-ORIGINAL-PATH") =>
        {
            "target"
        }
        ("REQ", ":METHOD") => "method",
        ("REQ", ":AUTHORITY" | "HOST") => "host",
        ("REQ", ":SCHEME" | "X-FORWARDED-PROTO") => "scheme",
        ("REQ", "USER-AGENT") => "user_agent",
        ("REQ", "X-REQUEST-ID") => "request_id",
        ("RESPONSE_FLAGS", "") => "response_flags",
        ("RESPONSE_CODE_DETAILS", _) => "response_code_details",
        ("RESP", "X-ENVOY-UPSTREAM-SERVICE-TIME") => "upstream_service_time",
        ("UPSTREAM_REQUEST_ATTEMPT_COUNT", _) => "upstream_request_attempt_count",
        _ => return None,
    })
}

fn haproxy(text: &str) -> Option<Pairs> {
    let (_, items) = text.split_once("%{+json}o")?;
    let mut pairs = Vec::new();
    for item in items.split("%(").skip(1) {
        let (name, rest) = item.split_once(')')?;
        let sample = rest.split_ascii_whitespace().next().unwrap_or_default().trim_matches(['"', '\'']);
        let lower = sample.to_ascii_lowercase();
        let word = match sample {
            "ST" | "[status]" => "status",
            "HM" | "[method]" | "[capture.req.method]" => "method",
            "HU" | "[pathq]" | "[url]" | "[capture.req.uri]" => "target",
            "HP" => "path",
            "ci" | "[src]" => "client",
            "B" => "bytes",
            "Ta" | "Tt" => "duration_ms",
            "ID" => "request_id",
            "t" | "tr" | "trg" | "trl" | "T" => "time",
            _ if lower.contains("hdr(host)") => "host",
            _ if lower.contains("hdr(user-agent)") => "user_agent",
            _ => continue,
        };
        pairs.push((name.split(':').next().unwrap_or_default().to_owned(), word));
    }
    Some(pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_operators_become_a_map() {
        for (text, expected) in [
            (
                r#"json_format: {"code":"%RESPONSE_CODE%","req":{"p":"%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%","x":"a %DURATION%"},"n":7}"#,
                Some("json:status=.code,target=.req.p"),
            ),
            (
                "typed_json_format:\n  code: \"%RESPONSE_CODE%\"\n  \"path\": '%REQ(:path):100%'\n  host: \"%REQ(:AUTHORITY)%\"\n",
                Some("json:status=.code,target=.path,host=.host"),
            ),
            (
                r#"log-format "%{+json}o %(client)ci %(verb)HM %(uri)HU %(code:sint)ST %(h)[capture.req.hdr(0)]""#,
                Some("json:client=.client,method=.verb,target=.uri,status=.code"),
            ),
            (
                r#"json_format: {"code":"%RESPONSE_CODE%","path":"%REQUEST_HEADER(:PATH)%","took":"%RESPONSE_HEADER(x-envoy-upstream-service-time)%"}"#,
                Some("json:status=.code,target=.path,upstream_service_time=.took"),
            ),
            (
                r#"log-format "%{+json}o %(verb)[capture.req.method] %(uri)[capture.req.uri] %(code)ST""#,
                Some("json:method=.verb,target=.uri,status=.code"),
            ),
            ("%REQ(:PATH)% %RESPONSE_CODE%", None),
            ("log-format %ci", None),
        ] {
            assert_eq!(map(text).as_deref(), expected, "{text}");
        }
    }
}
