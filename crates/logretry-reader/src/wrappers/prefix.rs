use super::{Layer, Wrapper, stamp, syslog};

/// The longest name of a container or pod that is looked for.
const NAME_BYTES_MAX: usize = 300;

/// `web-1  | …`: names are padded to the longest.
pub(super) fn compose(line: &[u8]) -> Option<Layer<'_>> {
    let head = &line[..line.len().min(NAME_BYTES_MAX)];
    let bar = memchr::memchr(b'|', head)?;
    let name = head[..bar].trim_ascii_end();
    let is_name = name.first()?.is_ascii_alphanumeric()
        && name.len() < bar
        && name.iter().all(|byte| byte.is_ascii_alphanumeric() || b"._-@".contains(byte));
    let text = &line[bar + 1..];
    let text = if text.is_empty() { Some(text) } else { text.strip_prefix(b" ") };
    is_name.then_some(Layer::prefix(Wrapper::Compose, text?).of_stream(name))
}

/// `[pod/web-5c7/nginx] …`.
pub(super) fn kubectl(line: &[u8]) -> Option<Layer<'_>> {
    let head = &line[..line.len().min(NAME_BYTES_MAX)];
    let name = &head[b"[".len()..memchr::memchr(b']', head)?];
    let text = &line[name.len() + 2..];
    let text = if text.is_empty() { Some(text) } else { text.strip_prefix(b" ") };
    let is_name = name.starts_with(b"pod/") && name.iter().all(u8::is_ascii_graphic);
    is_name.then_some(Layer::prefix(Wrapper::Kubectl, text?).of_stream(name))
}

/// `2026-11-22T06:41:41.000000001Z …`, always with a zone. `HAProxy` writes a level before it (`log stdout format timed`): `<6>2026-11-22T06:41:41.000001+00:00 …`.
pub(super) fn timestamp(line: &[u8]) -> Option<Layer<'_>> {
    let line = syslog::after_priority(line).unwrap_or(line);
    let length = stamp::iso(line)?;
    let text = line[length..].strip_prefix(b" ")?;
    let has_zone =
        line[length - 1] == b'Z' || line[stamp::ISO_BYTES..length].iter().any(|byte| b"+-".contains(byte));
    has_zone.then(|| Layer::prefix(Wrapper::Timestamps, text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_containers_and_pods_are_peeled() {
        for (line, expected) in [
            ("web-1  | a | b", Some(("web-1", "a | b"))),
            ("shop_web_1 | a", Some(("shop_web_1", "a"))),
            ("web.1.x8q@node1    |  a", Some(("web.1.x8q@node1", " a"))),
            ("web-1  |", Some(("web-1", ""))),
            ("web-1| a", None),
            ("web-1 |a", None),
            ("not a name | a", None),
            ("| a", None),
        ] {
            let layer = compose(line.as_bytes());
            let seen = layer.as_ref().map(|layer| (&*layer.stream, &*layer.text));
            assert_eq!(seen, expected.map(|(s, t)| (s.as_bytes(), t.as_bytes())), "{line}");
        }
        for (line, expected) in [
            ("[pod/web-5c7/nginx] a ] b", Some(("pod/web-5c7/nginx", "a ] b"))),
            ("[pod/web-5c7/nginx]", Some(("pod/web-5c7/nginx", ""))),
            ("[2026-11-22T06:41:40.310Z] a", None),
            ("[pod/web-5c7/nginx]a", None),
            ("[pod/web", None),
        ] {
            let layer = kubectl(line.as_bytes());
            let seen = layer.as_ref().map(|layer| (&*layer.stream, &*layer.text));
            assert_eq!(seen, expected.map(|(s, t)| (s.as_bytes(), t.as_bytes())), "{line}");
        }
    }

    #[test]
    fn a_time_with_a_zone_is_peeled() {
        for (line, expected) in [
            ("2026-11-22T06:41:41.000000001Z a", Some("a")),
            ("2026-11-22T06:41:41+02:00 a", Some("a")),
            ("<6>2026-11-22T06:41:41.000001+00:00 a", Some("a")),
            ("2026-11-22T06:41:41 a", None),
            ("2026-11-22T06:41:41Za", None),
        ] {
            let peeled = timestamp(line.as_bytes()).map(|layer| layer.text.into_owned());
            assert_eq!(peeled, expected.map(|text| text.as_bytes().to_vec()), "{line}");
        }
    }
}
