//! Times, piece by piece: how they are found, read, and written anew in the same form.
//!
//! A [`TimeForm`] is a list of pieces (`%d`, `/`, `%b` …). The times of nginx and Apache are such lists written by us; the
//! rest comes from `%{…}t`. A log may spread one time over several fields (`%{%T}t.%{msec_frac}t%{%z}t`), so reading
//! collects [`TimeParts`] field by field and makes the timestamp at the end.

mod forms;
mod java;
mod last;
mod parts;
mod render;
mod strftime;

use std::sync::Arc;

pub(crate) use java::compile_java;
pub(crate) use last::{LastTime, LastWritten, TimeRead};
pub(crate) use parts::TimeParts;
pub(crate) use strftime::compile;

/// The pieces of a time as it is logged.
#[derive(Debug, Clone)]
pub(crate) struct TimeForm {
    pieces: Arc<[TimePiece]>,
    /// What each byte must be, where all pieces have a fixed width: the fast way to the end.
    mask: Option<Arc<[Byte]>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Byte {
    Is(u8),
    Digit,
    Letter,
    Sign,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum TimePiece {
    Literal(u8),
    /// `%Y`.
    Year,
    /// `%y`: two digits, of the years 1970 to 2069.
    ShortYear,
    Month,
    Day,
    /// `%e`: a day with a space in front of one digit.
    SpacedDay,
    /// `%j`.
    DayOfYear,
    Hour,
    /// `%I`.
    Hour12,
    Minute,
    Second,
    /// `%p`: `AM` or `PM`.
    HalfDay,
    /// `%b`.
    MonthName,
    /// `%B`.
    MonthNameLong,
    /// `%a`.
    DayName,
    /// `%A`.
    DayNameLong,
    /// `+hhmm`.
    Offset,
    /// `+hh:mm`, or `Z`.
    OffsetColon,
    /// `%Z`: letters; of these only `UTC`, `GMT` and `Z` say what they mean.
    ZoneName,
    /// Seconds, milliseconds, microseconds since 1970.
    Epoch(u32),
    /// The digits of the fraction of a second.
    Fraction(usize),
}

pub(crate) const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];

/// In `jiff`'s order: Monday is 1.
pub(crate) const DAYS: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];

impl TimeForm {
    pub(crate) fn new(pieces: &[TimePiece]) -> Self {
        let mask: Option<Vec<Vec<Byte>>> = pieces.iter().map(|piece| piece.mask()).collect();
        Self { pieces: pieces.into(), mask: mask.map(|mask| mask.concat().into()) }
    }

    /// Whether `other` is this very form, and not just one with the same pieces.
    fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pieces, &other.pieces)
    }

    /// Whether it says nothing about its offset from UTC.
    pub(crate) fn has_no_offset(&self) -> bool {
        !self.pieces.iter().any(|piece| {
            matches!(
                piece,
                TimePiece::Offset | TimePiece::OffsetColon | TimePiece::ZoneName | TimePiece::Epoch(_)
            )
        }) && self.pieces.last() != Some(&TimePiece::Literal(b'Z'))
    }

    /// Whether its last piece has as many digits as there are.
    pub(crate) fn ends_open(&self) -> bool {
        matches!(self.pieces.last(), Some(TimePiece::Epoch(_) | TimePiece::ZoneName))
    }

    /// Where a time of this form that begins at `start` ends.
    pub(crate) fn end(&self, line: &[u8], start: usize) -> Option<usize> {
        let Some(mask) = &self.mask else {
            return self.pieces.iter().try_fold(start, |at, piece| piece.end(line, at));
        };
        let end = start + mask.len();
        let fits = line.get(start..end)?.iter().zip(&**mask).all(|(&byte, mask)| match mask {
            Byte::Is(wanted) => byte == *wanted,
            Byte::Digit => byte.is_ascii_digit(),
            Byte::Letter => byte.is_ascii_alphabetic(),
            Byte::Sign => matches!(byte, b'+' | b'-'),
        });
        fits.then_some(end)
    }
}

impl TimePiece {
    /// How many bytes it has, if that is always the same.
    fn width(self) -> Option<usize> {
        Some(match self {
            Self::Literal(_) => 1,
            Self::ShortYear | Self::Month | Self::Day | Self::Hour | Self::Minute | Self::Second => 2,
            Self::DayOfYear | Self::MonthName | Self::DayName => 3,
            Self::Year => 4,
            Self::Offset => 5,
            Self::Fraction(width) => width,
            _ => return None,
        })
    }

    /// What its bytes must be, if it has a width.
    fn mask(self) -> Option<Vec<Byte>> {
        let width = self.width()?;
        Some(match self {
            Self::Literal(byte) => vec![Byte::Is(byte)],
            Self::MonthName | Self::DayName => vec![Byte::Letter; width],
            Self::Offset => [vec![Byte::Sign], vec![Byte::Digit; width - 1]].concat(),
            _ => vec![Byte::Digit; width],
        })
    }

    /// Where the piece that begins at `at` ends.
    pub(crate) fn end(self, line: &[u8], at: usize) -> Option<usize> {
        let rest = line.get(at..)?;
        let length = match self {
            Self::Literal(byte) => usize::from(*rest.first()? == byte),
            Self::SpacedDay if rest.first() == Some(&b' ') => 2 * digits(&rest[1..], 1),
            Self::Year => digits(rest, 4),
            Self::DayOfYear => digits(rest, 3),
            Self::ShortYear
            | Self::Month
            | Self::Day
            | Self::Hour
            | Self::Hour12
            | Self::Minute
            | Self::Second
            | Self::SpacedDay => digits(rest, 2),
            Self::HalfDay => 2 * usize::from(matches!(rest.get(..2)?, b"AM" | b"PM")),
            Self::MonthName => month(rest).map(|_| 3)?,
            Self::MonthNameLong => named(rest, &MONTHS, usize::MAX)?.1,
            Self::DayName => named(rest, &DAYS, 3)?.1,
            Self::DayNameLong => named(rest, &DAYS, usize::MAX)?.1,
            Self::Offset => match rest.get(..5)? {
                [b'+' | b'-', hhmm @ ..] if digits(hhmm, 4) == 4 => 5,
                _ => 0,
            },
            Self::OffsetColon => match rest {
                [b'Z', ..] => 1,
                [b'+' | b'-', hh1, hh2, b':', mm1, mm2, ..]
                    if [hh1, hh2, mm1, mm2].iter().all(|digit| digit.is_ascii_digit()) =>
                {
                    6
                }
                _ => 0,
            },
            Self::ZoneName => rest.iter().take_while(|byte| byte.is_ascii_alphabetic()).count(),
            Self::Epoch(_) => rest.iter().take(20).take_while(|byte| byte.is_ascii_digit()).count(),
            Self::Fraction(width) => digits(rest, width),
        };
        (length > 0).then_some(at + length)
    }
}

/// The month whose name's first three letters `rest` begins with, from 1.
pub(crate) fn month(rest: &[u8]) -> Option<i8> {
    Some(match rest.first_chunk()? {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// `width` if `rest` begins with as many digits, else 0.
fn digits(rest: &[u8], width: usize) -> usize {
    match rest.get(..width) {
        Some(digits) if digits.iter().all(u8::is_ascii_digit) => width,
        _ => 0,
    }
}

/// Which of `names`, cut to `width`, `rest` begins with, counted from 1, and its length.
pub(crate) fn named(rest: &[u8], names: &[&str], width: usize) -> Option<(i8, usize)> {
    (1..).zip(names).find_map(|(number, name)| {
        let name = &name.as_bytes()[..name.len().min(width)];
        rest.starts_with(name).then_some((number, name.len()))
    })
}
