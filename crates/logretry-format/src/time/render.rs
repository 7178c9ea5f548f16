use std::io::Write as _;

use jiff::Timestamp;
use jiff::tz::Offset;

use super::{DAYS, MONTHS, TimeForm, TimePiece};

impl TimeForm {
    /// Appends `time` in the form in which `original` is written, at `offset`.
    ///
    /// What only `original` knows (the name of its zone, `Z` rather than `+00:00`) is kept.
    pub(crate) fn render(&self, original: &[u8], time: Timestamp, offset: Offset, out: &mut Vec<u8>) {
        let mut at = 0;
        for &piece in self.pieces.iter() {
            let end = piece.end(original, at).unwrap_or(at);
            piece.render(&original[at..end], time, offset, out);
            at = end;
        }
    }
}

impl TimePiece {
    fn render(self, original: &[u8], time: Timestamp, offset: Offset, out: &mut Vec<u8>) {
        let civil = offset.to_datetime(time);
        let seconds = offset.seconds();
        let sign = if seconds < 0 { '-' } else { '+' };
        let (hours, minutes) = (seconds.abs() / 3600, seconds.abs() / 60 % 60);
        // Writing to a Vec cannot fail.
        let _ = match self {
            Self::Literal(byte) => out.write_all(&[byte]),
            Self::Year => write!(out, "{:04}", civil.year()),
            Self::ShortYear => write!(out, "{:02}", civil.year().rem_euclid(100)),
            Self::Month => write!(out, "{:02}", civil.month()),
            Self::Day => write!(out, "{:02}", civil.day()),
            Self::SpacedDay => write!(out, "{:2}", civil.day()),
            Self::DayOfYear => write!(out, "{:03}", civil.day_of_year()),
            Self::Hour => write!(out, "{:02}", civil.hour()),
            Self::Hour12 => write!(out, "{:02}", (civil.hour() + 11) % 12 + 1),
            Self::Minute => write!(out, "{:02}", civil.minute()),
            Self::Second => write!(out, "{:02}", civil.second()),
            Self::HalfDay => out.write_all(if civil.hour() < 12 { b"AM" } else { b"PM" }),
            Self::MonthName => out.write_all(&name(&MONTHS, civil.month()).as_bytes()[..3]),
            Self::MonthNameLong => out.write_all(name(&MONTHS, civil.month()).as_bytes()),
            Self::DayName => {
                out.write_all(&name(&DAYS, civil.weekday().to_monday_one_offset()).as_bytes()[..3])
            }
            Self::DayNameLong => {
                out.write_all(name(&DAYS, civil.weekday().to_monday_one_offset()).as_bytes())
            }
            Self::Offset => write!(out, "{sign}{hours:02}{minutes:02}"),
            Self::OffsetColon if original == b"Z" => out.write_all(b"Z"),
            Self::OffsetColon => write!(out, "{sign}{hours:02}:{minutes:02}"),
            Self::ZoneName => out.write_all(original),
            Self::Epoch(0) => write!(out, "{}", time.as_second()),
            Self::Epoch(3) => write!(out, "{}", time.as_millisecond()),
            Self::Epoch(_) => write!(out, "{}", time.as_microsecond()),
            Self::Fraction(width) => {
                let digits = format!("{:09}", civil.subsec_nanosecond());
                out.write_all(&digits.as_bytes()[..width.min(9)])
            }
        };
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
