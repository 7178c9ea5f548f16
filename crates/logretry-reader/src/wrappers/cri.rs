use std::borrow::Cow;

use super::{Layer, Part, Wrapper, stamp};

/// `2026-11-22T06:41:41.000000001Z stdout F …`: a time, the stream, tags, of which the first says whether the line is full or partial (Kubernetes' CRI logging,
/// `design-proposals/node/kubelet-cri-logging.md`), and the line, cut at 16 KiB.
pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let rest = line[stamp::iso(line)?..].strip_prefix(b" ")?;
    let stream: &[u8] = if rest.starts_with(b"stdout ") {
        b"stdout"
    } else if rest.starts_with(b"stderr ") {
        b"stderr"
    } else {
        return None;
    };
    let tagged = &rest[stream.len() + 1..];
    let (tags, text) = match memchr::memchr(b' ', tagged) {
        Some(space) => (&tagged[..space], &tagged[space + 1..]),
        None => (tagged, b"".as_slice()),
    };
    let part = match tags {
        [b'F'] | [b'F', b':', ..] => Part::End,
        [b'P'] | [b'P', b':', ..] => Part::More,
        _ => return None,
    };
    Some(Layer { wrapper: Wrapper::Cri, stream: Cow::Borrowed(stream), text: Cow::Borrowed(text), part })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tags_say_whether_a_line_goes_on() {
        for (line, expected) in [
            ("2026-11-22T06:41:41.000000001Z stdout F a b", Some(("stdout", "a b", Part::End))),
            ("2026-11-22T06:41:41+01:00 stderr P  a", Some(("stderr", " a", Part::More))),
            ("2026-11-22T06:41:41Z stdout F:x a", Some(("stdout", "a", Part::End))),
            ("2026-11-22T06:41:41Z stdout F ", Some(("stdout", "", Part::End))),
            ("2026-11-22T06:41:41Z stdout F", Some(("stdout", "", Part::End))),
            ("2026-11-22T06:41:41Z stdout X a", None),
            ("2026-11-22T06:41:41Z stdlog F a", None),
            ("2026-11-22 stdout F a", None),
        ] {
            let layer = peel(line.as_bytes());
            let seen = layer.as_ref().map(|layer| (&*layer.stream, &*layer.text, layer.part));
            assert_eq!(seen, expected.map(|(s, t, part)| (s.as_bytes(), t.as_bytes(), part)), "{line}");
        }
    }
}
