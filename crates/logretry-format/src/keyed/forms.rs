//! The forms of times.

use jiff::tz::Offset;

use crate::digits::number;
use crate::time::MONTHS;

/// The forms of a time, in strftime's letters; `%f` is a fraction with its point, `%z` an offset in any form, and both may be
/// missing.
const FORMS: [&str; 6] = [
    "%Y-%m-%dT%H:%M:%S%f%z",
    "%Y-%m-%d %H:%M:%S%f%z",
    "%Y/%m/%d %H:%M:%S%f%z",
    "%d/%b/%Y:%H:%M:%S%f%z",
    "[%d/%b/%Y:%H:%M:%S%f%z]",
    "%a, %d %b %Y %H:%M:%S%f%z",
];

const DATES: [&str; 2] = ["%Y-%m-%d", "%d/%b/%Y"];
const CLOCKS: [&str; 1] = ["%H:%M:%S%f"];

/// Which part of a time a value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    Whole,
    Date,
    Clock,
}

/// Nanoseconds since 1970, and how many decimals of a second its whole part counts.
pub(crate) fn epoch(text: &[u8]) -> Option<(i128, u32)> {
    let point = memchr::memchr(b'.', text).unwrap_or(text.len());
    let (whole, fraction) = (&text[..point], text.get(point + 1..).unwrap_or_default());
    // What has fewer digits is no time after 1973 and may be anything.
    let decimals = match whole.len() {
        9 | 10 => 0,
        12 | 13 => 3,
        15 | 16 => 6,
        18 | 19 => 9,
        _ => return None,
    };
    let scale = 10_i128.pow(9 - decimals);
    let nanos = i128::from(nanos(fraction)?) * scale / 1_000_000_000;
    Some((i128::from(number::<i64>(whole)?) * scale + nanos, decimals))
}

pub(crate) fn form(text: &[u8], part: Part) -> Option<&'static str> {
    let forms = match part {
        Part::Whole => FORMS.as_slice(),
        Part::Date => &DATES,
        Part::Clock => &CLOCKS,
    };
    forms.iter().copied().find(|form| walk(form, text, |_, _| {}).is_some())
}

/// Takes `text` apart as `form` says; `None` if it has another form. Literals have the letter 0.
pub(crate) fn walk(form: &str, text: &[u8], mut each: impl FnMut(u8, &[u8])) -> Option<()> {
    let mut rest = text;
    let mut letters = form.bytes();
    while let Some(byte) = letters.next() {
        let letter = if byte == b'%' { letters.next()? } else { 0 };
        let length = match letter {
            0 => usize::from(*rest.first()? == byte),
            b'Y' => 4,
            b'b' | b'a' => 3,
            b'f' => match rest {
                [b'.' | b',', tail @ ..] => 1 + tail.iter().take_while(|byte| byte.is_ascii_digit()).count(),
                _ => 0,
            },
            b'z' => offset_length(rest),
            _ => 2,
        };
        let (piece, tail) = rest.split_at_checked(length)?;
        let fits = match letter {
            0 => length == 1,
            b'b' => month(piece).is_some(),
            b'a' => piece.iter().all(u8::is_ascii_alphabetic),
            b'f' => length != 1 && length <= 10,
            b'z' => true,
            _ => piece.iter().all(u8::is_ascii_digit),
        };
        if !fits {
            return None;
        }
        each(letter, piece);
        rest = tail;
    }
    rest.is_empty().then_some(())
}

fn offset_length(rest: &[u8]) -> usize {
    let space = usize::from(rest.first() == Some(&b' '));
    let length = match &rest[space..] {
        [b'Z'] | [b'Z', b']', ..] => 1,
        [b'U', b'T', b'C', ..] | [b'G', b'M', b'T', ..] => 3,
        [b'+' | b'-', tail @ ..] => match tail {
            [a, b, b':', c, d, ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => 6,
            [a, b, c, d, ..] if [a, b, c, d].iter().all(|byte| byte.is_ascii_digit()) => 5,
            _ => return 0,
        },
        _ => return 0,
    };
    space + length
}

pub(crate) fn offset(text: &[u8]) -> Option<Offset> {
    let text = text.trim_ascii_start();
    let (sign, hours, minutes) = match text {
        b"Z" | b"UTC" | b"GMT" => return Some(Offset::UTC),
        [sign, h1, h2, b':', m1, m2] | [sign, h1, h2, m1, m2] => (*sign, [*h1, *h2], [*m1, *m2]),
        _ => return None,
    };
    let seconds = i32::try_from(number::<i64>(&hours)? * 3600 + number::<i64>(&minutes)? * 60).ok()?;
    Offset::from_seconds(if sign == b'-' { -seconds } else { seconds }).ok()
}

pub(crate) fn month(name: &[u8]) -> Option<i8> {
    (1..).zip(MONTHS).find(|(_, month)| month.as_bytes()[..3] == *name).map(|(number, _)| number)
}

/// The nanoseconds that the digits of a fraction are.
pub(crate) fn nanos(fraction: &[u8]) -> Option<i32> {
    let fraction = &fraction[..fraction.len().min(9)];
    let scale = 10_i64.pow(9 - u32::try_from(fraction.len()).ok()?);
    i32::try_from(number::<i64>(fraction)? * scale).ok()
}
