//! Times as they stand at the beginning of wrapped lines. They are recognised, not read: most lines have their own (see [`time`](super::time) for those that have not).

const SHAPE: &[u8] = b"dddd-dd-ddTdd:dd:dd";

/// Bytes of an ISO 8601 time before its fraction and its zone.
pub(super) const ISO_BYTES: usize = SHAPE.len();

/// How many bytes the ISO 8601 time at the beginning of `text` has: `2026-11-22T06:41:41`, with a fraction and a zone or without.
pub(super) fn iso(text: &[u8]) -> Option<usize> {
    fits(text, SHAPE).then_some(())?;
    let at = SHAPE.len() + fraction(&text[SHAPE.len()..]);
    let zone = zone(&text[at..]);
    (!zone.is_empty() || !matches!(text.get(at), Some(b'+' | b'-'))).then_some(at + zone.len())
}

/// The zone at the beginning of `text`: `Z`, `+01:00`, `-0100`, or nothing.
pub(super) fn zone(text: &[u8]) -> &[u8] {
    let length = match text {
        [b'Z', ..] => 1,
        [b'+' | b'-', rest @ ..] if fits(rest, b"dd:dd") => 6,
        [b'+' | b'-', rest @ ..] if fits(rest, b"dddd") => 5,
        _ => 0,
    };
    &text[..length]
}

/// How many bytes the time without a zone at the beginning of `text` has, as loggers write it: `2026-11-22 06:41:41,123`, `2026/11/22 06:41:41`.
pub(super) fn plain(text: &[u8]) -> Option<usize> {
    const SHAPES: [&[u8]; 3] = [b"dddd-dd-dd dd:dd:dd", b"dddd/dd/dd dd:dd:dd", SHAPE];
    let shape = SHAPES.iter().find(|shape| fits(text, shape))?;
    Some(shape.len() + fraction(&text[shape.len()..]))
}

/// How many bytes the time of RFC 3164 at the beginning of `text` has: `Nov  2 06:41:41`, with a year (`Nov 2 2026`) or a fraction, as some write it.
pub(super) fn bsd(text: &[u8]) -> Option<usize> {
    const MONTHS: [&[u8; 3]; 12] =
        [b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec"];
    MONTHS.iter().any(|month| text.starts_with(*month)).then_some(())?;
    let after_day = [b" dd ".as_slice(), b"  d ", b" d "]
        .iter()
        .find_map(|day| fits(&text[3..], day).then_some(3 + day.len()))?;
    let year = if fits(&text[after_day..], b"dddd ") { 5 } else { 0 };
    let at = after_day + year;
    fits(&text[at..], b"dd:dd:dd").then(|| at + 8 + fraction(&text[at + 8..]))
}

/// Whether `text` begins as `shape` does, in which `d` is any digit.
fn fits(text: &[u8], shape: &[u8]) -> bool {
    let fits =
        |(byte, wanted): (&u8, &u8)| if *wanted == b'd' { byte.is_ascii_digit() } else { byte == wanted };
    text.len() >= shape.len() && text.iter().zip(shape).all(fits)
}

fn fraction(text: &[u8]) -> usize {
    match text {
        [b'.' | b',', rest @ ..] => match rest.iter().take_while(|byte| byte.is_ascii_digit()).count() {
            0 => 0,
            digits => digits + 1,
        },
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_recognised_by_their_shape() {
        for (text, length) in [
            ("2026-11-22T06:41:41Z x", Some(20)),
            ("2026-11-22T06:41:41.400123+00:00 x", Some(32)),
            ("2026-11-22T06:41:41+0100 x", Some(24)),
            ("2026-11-22T06:41:41 x", Some(19)),
            ("2026-11-22T06:41:41+x", None),
            ("2026-11-22T06:41", None),
            ("2026-11-22", None),
        ] {
            assert_eq!(iso(text.as_bytes()), length, "{text}");
        }
        for (text, length) in [
            ("2026-11-22 06:41:41,123 x", Some(23)),
            ("2026/11/22 06:41:41 x", Some(19)),
            ("2026-11-22T06:41:41 x", Some(19)),
            ("2026-11-22  06:41:41", None),
        ] {
            assert_eq!(plain(text.as_bytes()), length, "{text}");
        }
        for (text, length) in [
            ("Nov  2 06:41:41 x", Some(15)),
            ("Nov 2 06:41:41 x", Some(14)),
            ("Nov 22 06:41:41.866 x", Some(19)),
            ("Nov 22 2026 06:41:41 x", Some(20)),
            ("Now 22 06:41:41 x", None),
            ("Nov 22 06:41", None),
            ("Nov", None),
        ] {
            assert_eq!(bsd(text.as_bytes()), length, "{text}");
        }
    }
}
