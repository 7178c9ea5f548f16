use super::{Layer, Wrapper, stamp};

/// Syslog with its times as RFC 3164 or as ISO 8601 has them, with a priority or without:
/// `<190>Nov 22 06:41:41 web1 nginx[1718]: …`, `2026-11-22T06:41:41.400123+00:00 web1 nginx: …`.
pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let rest = after_priority(line);
    let dated = rest.unwrap_or(line);
    let (wrapper, length) = match stamp::bsd(dated) {
        Some(length) => (Wrapper::Rfc3164, length),
        None => (Wrapper::SyslogIso, stamp::iso(dated)?),
    };
    let behind = dated[length..].strip_prefix(b" ")?;
    // Behind a mere time, a word with a colon may be anything, `INFO:` for one. Only syslog's own marks say that it is the program.
    let is_certain = rest.is_some() || wrapper == Wrapper::Rfc3164;
    let (stream, text) = after_tag(behind, is_certain)?;
    Some(Layer::prefix(wrapper, text).of_stream(stream))
}

/// What stands behind `<190>` (RFC 3164 §4.1.1: up to 191).
pub(super) fn after_priority(line: &[u8]) -> Option<&[u8]> {
    let digits = line.strip_prefix(b"<")?;
    let count = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if matches!(count, 1..=3) { digits[count..].strip_prefix(b">") } else { None }
}

/// The host and the program, and what stands behind `web1 nginx[1718]: `. `HAProxy` and nginx (`nohostname`) may leave the host out.
fn after_tag(text: &[u8], is_certain: bool) -> Option<(&[u8], &[u8])> {
    let first = memchr::memchr(b' ', text).unwrap_or(text.len());
    let (tag, end) = match is_tag(&text[..first]) {
        Some(tag) if is_certain || tag.ends_with(b"]") => (tag, first),
        Some(_) => return None,
        None => {
            let rest = text.get(first + 1..)?;
            // Services that log JSON (Fastly) may name no program. What begins with JSON itself has braces within.
            let json = rest.trim_ascii_start();
            if json.starts_with(b"{") && !text.starts_with(b"{") {
                return Some((&text[..first], json));
            }
            let second = memchr::memchr(b' ', rest).unwrap_or(rest.len());
            let tag = is_tag(&rest[..second])?;
            (&text[..first + 1 + tag.len()], first + 1 + second)
        }
    };
    Some((tag, text.get(end + 1..).unwrap_or_default()))
}

/// `nginx:` or `nginx[1718]:`, without its colon.
fn is_tag(word: &[u8]) -> Option<&[u8]> {
    let tag = word.strip_suffix(b":")?;
    let name = tag.split(|&byte| byte == b'[').next()?;
    let is_name = !name.is_empty()
        && tag.len() <= 128
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-/@()+".contains(byte));
    // `::1` and other addresses have colons within.
    is_name.then_some(tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn host_and_program_are_peeled_where_they_stand() {
        for (line, expected) in [
            ("<190>Nov  2 06:41:41 web1 nginx: a b", Some(("web1 nginx", "a b"))),
            ("Nov 22 06:41:41 web1 nginx[1718]: a", Some(("web1 nginx[1718]", "a"))),
            ("<134>Nov 22 06:41:43 haproxy[466]: a", Some(("haproxy[466]", "a"))),
            ("<190>Nov 22 06:41:41 nginx: a", Some(("nginx", "a"))),
            ("2026-11-22T06:41:41.400123+00:00 web1 nginx: a", Some(("web1 nginx", "a"))),
            ("<190>2026-11-22T06:41:41Z web1 nginx[1]:  a", Some(("web1 nginx[1]", " a"))),
            ("2012-10-11T03:47:20+00:00 heroku[router]: at=error", Some(("heroku[router]", "at=error"))),
            ("Nov 22 06:41:41 web1 nginx:", Some(("web1 nginx", ""))),
            ("2026-11-22T06:41:41.6+00:00 1.1.1.1  { \"a\": 1 }", Some(("1.1.1.1", "{ \"a\": 1 }"))),
            ("<134>2026-11-22T06:41:41Z cache-1 {}", Some(("cache-1", "{}"))),
            ("2026-11-22T06:41:41Z {\"request\": {\"method\": \"GET\"}}", None),
            ("2026-11-22T06:41:41Z {\"agent\":\"() { :;}; a\"}", None),
            ("2026-11-22T06:41:41Z INFO: a", None),
            ("2026-11-22T06:41:41Z 203.0.113.9 - - a", None),
            ("Nov 22 06:41:41 web1 nginx", None),
            ("<x>Nov 22 06:41:41 web1 nginx: a", None),
            ("<190>web1 nginx: a", None),
            ("Nov 22 06:41:41", None),
        ] {
            let layer = peel(line.as_bytes());
            let seen = layer.as_ref().map(|layer| (&*layer.stream, &*layer.text));
            assert_eq!(seen, expected.map(|(s, t)| (s.as_bytes(), t.as_bytes())), "{line}");
        }
    }
}
