use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::rewrite::{push_number, write_to};

use super::{DAYS, MONTHS, TimeForm, TimePiece};

impl TimeForm {
    /// Appends `time` in the form in which `original` is written, at `offset`.
    ///
    /// What only `original` knows (the name of its zone, `Z` rather than `+00:00`) is kept.
    pub(crate) fn render(&self, original: &[u8], time: Timestamp, offset: Offset, out: &mut Vec<u8>) {
        let civil = offset.to_datetime(time);
        let mut at = 0;
        for &piece in self.pieces.iter() {
            let end = piece.end(original, at).unwrap_or(at);
            piece.render(&original[at..end], time, civil, offset, out);
            at = end;
        }
    }
}

impl TimePiece {
    fn render(self, original: &[u8], time: Timestamp, civil: DateTime, offset: Offset, out: &mut Vec<u8>) {
        match self {
            Self::Literal(byte) => out.push(byte),
            Self::Year => push(out, civil.year(), 4),
            Self::ShortYear => push(out, civil.year().rem_euclid(100), 2),
            Self::Month => push(out, civil.month(), 2),
            Self::Day => push(out, civil.day(), 2),
            Self::SpacedDay => write_to(out, format_args!("{:2}", civil.day())),
            Self::DayOfYear => push(out, civil.day_of_year(), 3),
            Self::Hour => push(out, civil.hour(), 2),
            Self::Hour12 => push(out, (civil.hour() + 11) % 12 + 1, 2),
            Self::Minute => push(out, civil.minute(), 2),
            Self::Second => push(out, civil.second(), 2),
            Self::HalfDay => out.extend_from_slice(if civil.hour() < 12 { b"AM" } else { b"PM" }),
            Self::MonthName => out.extend_from_slice(&name(&MONTHS, civil.month()).as_bytes()[..3]),
            Self::MonthNameLong => out.extend_from_slice(name(&MONTHS, civil.month()).as_bytes()),
            Self::DayName => {
                out.extend_from_slice(&name(&DAYS, civil.weekday().to_monday_one_offset()).as_bytes()[..3]);
            }
            Self::DayNameLong => {
                out.extend_from_slice(name(&DAYS, civil.weekday().to_monday_one_offset()).as_bytes());
            }
            Self::OffsetColon if original == b"Z" => out.push(b'Z'),
            Self::Offset | Self::OffsetColon => {
                let seconds = offset.seconds();
                out.push(if seconds < 0 { b'-' } else { b'+' });
                push(out, seconds.abs() / 3600, 2);
                if matches!(self, Self::OffsetColon) {
                    out.push(b':');
                }
                push(out, seconds.abs() / 60 % 60, 2);
            }
            Self::ZoneName => out.extend_from_slice(original),
            Self::Epoch(0) => write_to(out, format_args!("{}", time.as_second())),
            Self::Epoch(3) => write_to(out, format_args!("{}", time.as_millisecond())),
            Self::Epoch(_) => write_to(out, format_args!("{}", time.as_microsecond())),
            Self::Fraction(width) => {
                let digits = format!("{:09}", civil.subsec_nanosecond());
                out.extend_from_slice(&digits.as_bytes()[..width.min(9)]);
            }
        }
    }
}

/// Appends `number` with `width` digits at least.
fn push(out: &mut Vec<u8>, number: impl Into<i32>, width: usize) {
    let number = number.into();
    match u64::try_from(number) {
        Ok(number) => push_number(out, number, width),
        // A year before the first.
        Err(_) => write_to(out, format_args!("{number:0width$}")),
    }
}

/// The name that `number`, counted from 1, has.
fn name<'a>(names: &[&'a str], number: i8) -> &'a str {
    usize::try_from(number - 1).ok().and_then(|index| names.get(index)).copied().unwrap_or("???")
}

#[cfg(test)]
mod tests {
    use super::super::{TimeParts, compile};
    use super::*;

    #[test]
    fn a_time_is_found_read_and_written_again() {
        let time: Timestamp = "2026-11-02T15:04:05.678901Z".parse().expect("a time");
        let offset = Offset::from_seconds(-(3 * 3600 + 1800)).expect("an offset");
        for (form, text) in [
            (TimeForm::clf(), "02/Nov/2026:11:34:05 -0330"),
            (TimeForm::iso(), "2026-11-02T11:34:05-03:30"),
            (TimeForm::epoch_with_millis(), "1793631845.678"),
            (compile("%a %b %e %I:%M:%S %p %Y %z").expect("a form"), "Mon Nov  2 11:34:05 AM 2026 -0330"),
            (compile("%A, %d %B %y %T %z").expect("a form"), "Monday, 02 November 26 11:34:05 -0330"),
            (compile("%Y%j %R %z").expect("a form"), "2026306 11:34 -0330"),
            (compile("end:usec").expect("a form"), "1793631845678901"),
        ] {
            let mut out = Vec::new();
            form.render(text.as_bytes(), time, offset, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), text);
            assert_eq!(form.end(text.as_bytes(), 0), Some(text.len()), "{text}");
            let mut parts = TimeParts::default();
            parts.read(&form, text.as_bytes()).expect("readable");
            let read = parts.timestamp().expect("a whole time");
            assert!(time.duration_since(read).as_secs() < 60, "{text}: {read}");
        }
    }

    #[test]
    fn a_conversion_without_a_definite_end_is_named() {
        assert_eq!(compile("%Y %c").map(|_| ()), Err("%c".to_owned()));
        assert_eq!(compile("100%").map(|_| ()), Err("%".to_owned()));
    }
}
