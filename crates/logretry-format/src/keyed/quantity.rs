//! Durations as logs write them: a number, sometimes with its unit behind it.

use std::io::Write as _;

/// What a duration is counted in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unit {
    Nanos,
    Micros,
    Millis,
    Seconds,
}

/// Behind a number, longest first: `120ms`, `0.12s`.
const SUFFIXES: [(&[u8], Unit); 6] = [
    ("µs".as_bytes(), Unit::Micros),
    ("μs".as_bytes(), Unit::Micros),
    (b"us", Unit::Micros),
    (b"ns", Unit::Nanos),
    (b"ms", Unit::Millis),
    (b"s", Unit::Seconds),
];

impl Unit {
    fn in_ms(self) -> f64 {
        match self {
            Self::Nanos => 1e-6,
            Self::Micros => 1e-3,
            Self::Millis => 1.0,
            Self::Seconds => 1e3,
        }
    }
}

/// Milliseconds.
pub(crate) fn read(text: &[u8], unit: Unit) -> Option<f64> {
    let (number, suffix) = take_apart(text);
    let unit = suffix.map_or(unit, |(_, unit)| unit);
    let number: f64 = std::str::from_utf8(number).ok()?.parse().ok()?;
    // Rounded to nanoseconds, so that 1.002 s is 1002 ms and not a neighbour of it.
    Some((number * unit.in_ms() * 1e6).round() / 1e6).filter(|ms| ms.is_finite() && *ms >= 0.0)
}

/// Appends `ms` in the unit and with the decimals of `original`; of seconds at least three.
pub(crate) fn write(original: &[u8], unit: Unit, ms: f64, out: &mut Vec<u8>) {
    let (number, suffix) = take_apart(original);
    let unit = suffix.map_or(unit, |(_, unit)| unit);
    let decimals = memchr::memchr(b'.', number).map_or(0, |point| number.len() - point - 1).min(9);
    let decimals = if unit == Unit::Seconds { decimals.max(3) } else { decimals };
    // Writing to a Vec cannot fail.
    let _ = write!(out, "{:.decimals$}", ms / unit.in_ms());
    out.extend_from_slice(suffix.map_or(b"", |(suffix, _)| suffix));
}

type Suffix = (&'static [u8], Unit);

fn take_apart(text: &[u8]) -> (&[u8], Option<Suffix>) {
    let found = SUFFIXES.iter().find_map(|suffix| Some((text.strip_suffix(suffix.0)?, *suffix)));
    match found {
        Some((number, suffix)) => (number, Some(suffix)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_duration_keeps_its_unit_and_its_decimals() {
        for (text, unit, ms, anew) in [
            ("0.120", Unit::Seconds, Some(120.0), "1.500"),
            ("0.000002701", Unit::Seconds, Some(0.002_701), "1.500000000"),
            ("1", Unit::Seconds, Some(1000.0), "1.500"),
            ("357313", Unit::Nanos, Some(0.357_313), "1500000000"),
            ("0.12s", Unit::Millis, Some(120.0), "1.500s"),
            ("30000ms", Unit::Seconds, Some(30_000.0), "1500ms"),
            ("1.5µs", Unit::Seconds, Some(0.0015), "1500000.0µs"),
            ("-1", Unit::Millis, None, "1500"),
            ("-", Unit::Millis, None, "1500"),
        ] {
            assert_eq!(read(text.as_bytes(), unit), ms, "{text}");
            let mut out = Vec::new();
            write(text.as_bytes(), unit, 1500.0, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), anew, "{text}");
        }
    }
}
