use super::{Layer, Wrapper, syslog};

/// `<190>1 2026-11-22T06:41:41.400123+00:00 web1 nginx 1718 ID47 [meta sequenceId="1"] …` (RFC 5424 §6), with the count of bytes before it that streams
/// have (RFC 6587 §3.4.1) or without. Heroku leaves the structured data out.
pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let rest = syslog::after_priority(after_count(line))?.strip_prefix(b"1 ")?;
    let (time, rest) = token(rest)?;
    (time == b"-" || super::stamp::iso(time) == Some(time.len())).then_some(())?;
    let (_host, rest) = token(rest)?;
    let (_app, rest) = token(rest)?;
    let (_process, rest) = token(rest)?;
    let (_message_id, rest) = token(rest)?;
    let rest = match rest {
        [b'-'] => b"",
        [b'-', b' ', rest @ ..] => rest,
        [b'[', ..] => after_elements(rest).unwrap_or(rest),
        _ => rest,
    };
    // RFC 5424 §6.4: UTF-8 begins with a byte order mark.
    Some(Layer::prefix(Wrapper::Rfc5424, rest.strip_prefix(b"\xef\xbb\xbf").unwrap_or(rest)))
}

fn after_count(line: &[u8]) -> &[u8] {
    let digits = line.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits > 0 { line[digits..].strip_prefix(b" ").unwrap_or(line) } else { line }
}

fn token(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = memchr::memchr(b' ', text).filter(|&space| space > 0)?;
    Some((&text[..space], &text[space + 1..]))
}

/// What stands behind `[id name="value" …][…] `; in a value, `\` takes the meaning from `"`, `\` and `]`.
fn after_elements(text: &[u8]) -> Option<&[u8]> {
    let (mut at, mut in_value) = (0, false);
    loop {
        match (*text.get(at)?, in_value) {
            (b'\\', true) => at += 1,
            (b'"', _) => in_value = !in_value,
            (b']', false) => match text.get(at + 1) {
                Some(b'[') => {}
                Some(b' ') => return Some(&text[at + 2..]),
                Some(_) => return None,
                None => return Some(b""),
            },
            _ => {}
        }
        at += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_begins_behind_the_structured_data() {
        for (line, text) in [
            ("<190>1 2026-11-22T06:41:41.4+00:00 web1 nginx 1718 - - a b", Some("a b")),
            ("<190>1 2026-11-22T06:41:41Z web1 nginx - ID47 [meta sequenceId=\"1\"] a", Some("a")),
            (r#"<190>1 - - - - - [a b="\"]\\ ] "][c] [not] data"#, Some("[not] data")),
            ("<190>1 - - - - - - \u{feff}a", Some("a")),
            ("<190>1 - - - - - -", Some("")),
            ("<158>1 2012-10-11T03:47:20+00:00 host heroku router - at=error", Some("at=error")),
            ("83 <158>1 2012-10-11T03:47:20+00:00 host heroku router - - at=error", Some("at=error")),
            ("<190>Nov 22 06:41:41 web1 nginx: a", None),
            ("<1900>1 - - - - - - a", None),
            ("<190>1 yesterday web1 nginx 1718 - - a", None),
            ("83 a", None),
        ] {
            let peeled = peel(line.as_bytes()).map(|layer| layer.text.into_owned());
            assert_eq!(peeled, text.map(|text| text.as_bytes().to_vec()), "{line}");
        }
    }
}
