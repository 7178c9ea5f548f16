//! Times in whatever form a log writes them: known by their own look, and written again in the same form.

use std::io::Write as _;

use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use crate::digits::number;
use crate::keyed::forms::{Part, epoch, form, month, nanos, offset, walk};
use crate::time::{DAYS, MONTHS};

/// What the values of a line say about its time.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moment {
    date: (i16, i8, i8),
    clock: (i8, i8, i8),
    nanos: i32,
    offset: Option<Offset>,
    epoch: Option<i128>,
}

impl Moment {
    /// Adds what `text` says.
    pub(crate) fn read(&mut self, text: &[u8], part: Part) -> Option<()> {
        if part == Part::Whole
            && let Some((epoch, _)) = epoch(text)
        {
            self.epoch = Some(epoch);
            return Some(());
        }
        let form = form(text, part)?;
        let mut read = *self;
        let mut fits = true;
        walk(form, text, |letter, piece| fits &= read.take(letter, piece).is_some())?;
        *self = read;
        fits.then_some(())
    }

    fn take(&mut self, letter: u8, piece: &[u8]) -> Option<()> {
        let small = || number::<i8>(piece);
        match letter {
            b'Y' => self.date.0 = number(piece)?,
            b'm' => self.date.1 = small()?,
            b'd' => self.date.2 = small()?,
            b'b' => self.date.1 = month(piece)?,
            b'H' => self.clock.0 = small()?,
            b'M' => self.clock.1 = small()?,
            // A leap second is read as the one before it.
            b'S' => self.clock.2 = small()?.min(59),
            b'f' => self.nanos = nanos(piece.get(1..).unwrap_or_default())?,
            b'z' => self.offset = offset(piece),
            _ => {}
        }
        Some(())
    }

    /// The time, if it is a whole one. Without an offset it is taken as UTC.
    pub(crate) fn timestamp(&self) -> Option<Timestamp> {
        if let Some(epoch) = self.epoch {
            return Timestamp::from_nanosecond(epoch).ok();
        }
        let (year, month, day) = self.date;
        let (hour, minute, second) = self.clock;
        let date = Date::new(year, month, day).ok()?;
        let time = Time::new(hour, minute, second, self.nanos).ok()?;
        self.offset.unwrap_or(Offset::UTC).to_timestamp(date.to_datetime(time)).ok()
    }
}

/// Appends `time` in the form that `original` has; `None` if that is no time.
pub(crate) fn write(original: &[u8], part: Part, time: Timestamp, out: &mut Vec<u8>) -> Option<()> {
    if part == Part::Whole
        && let Some((_, digits)) = epoch(original)
    {
        let point = memchr::memchr(b'.', original);
        let decimals = point.map_or(0, |point| original.len() - point - 1).min(9);
        let scaled = time.as_nanosecond() / 10_i128.pow(9 - digits);
        let _ = write!(out, "{scaled}");
        if point.is_some() {
            write_fraction(time, digits, decimals, out);
        }
        return Some(());
    }
    let mut read = Moment::default();
    read.read(original, part)?;
    let civil = read.offset.unwrap_or(Offset::UTC).to_datetime(time);
    let name = |names: &[&str], number: i8| {
        let name = usize::try_from(number - 1).ok().and_then(|index| names.get(index)).copied();
        name.unwrap_or("???")[..3].to_owned()
    };
    let form = form(original, part)?;
    walk(form, original, |letter, piece| {
        // Writing to a Vec cannot fail.
        let _ = match letter {
            b'Y' => write!(out, "{:04}", civil.year()),
            b'm' => write!(out, "{:02}", civil.month()),
            b'd' => write!(out, "{:02}", civil.day()),
            b'b' => write!(out, "{}", name(&MONTHS, civil.month())),
            b'a' => write!(out, "{}", name(&DAYS, civil.weekday().to_monday_one_offset())),
            b'H' => write!(out, "{:02}", civil.hour()),
            b'M' => write!(out, "{:02}", civil.minute()),
            b'S' => write!(out, "{:02}", civil.second()),
            b'f' if piece.len() > 1 => {
                write_fraction(time, 0, piece.len() - 1, out);
                Ok(())
            }
            _ => out.write_all(piece),
        };
    })
}

/// `.` and the first `decimals` digits of what is left of `time` behind its first `skipped` decimals.
fn write_fraction(time: Timestamp, skipped: u32, decimals: usize, out: &mut Vec<u8>) {
    let nanos = format!("{:09}", time.as_nanosecond().rem_euclid(1_000_000_000));
    let from = usize::try_from(skipped).unwrap_or(9).min(9);
    let digits = format!("{:0<9}", &nanos[from..]);
    out.push(b'.');
    out.extend_from_slice(&digits.as_bytes()[..decimals.min(9)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_and_written_in_its_own_form() {
        let time: Timestamp = "2026-11-02T15:04:05.678901234Z".parse().expect("a time");
        for (original, anew) in [
            ("2026-11-22T06:41:40+00:00", "2026-11-02T15:04:05+00:00"),
            ("2021-12-08T14:02:43.587782192Z", "2026-11-02T15:04:05.678901234Z"),
            ("2021-11-12T16:59:45+0200", "2026-11-02T17:04:05+0200"),
            ("2015-01-13 00:32:17", "2026-11-02 15:04:05"),
            ("2012/08/15 17:00:00.363", "2026/11/02 15:04:05.678"),
            ("22/Nov/2026:06:41:40 -0330", "02/Nov/2026:11:34:05 -0330"),
            ("[22/Nov/2026:06:41:40 +0000]", "[02/Nov/2026:15:04:05 +0000]"),
            ("22/Nov/2026:06:41:42.866", "02/Nov/2026:15:04:05.678"),
            ("Sun, 22 Nov 2026 06:41:40 GMT", "Mon, 02 Nov 2026 15:04:05 GMT"),
            ("1795329862.131172", "1793631845.678901"),
            ("1795329862.1329198", "1793631845.6789012"),
            ("1795329862", "1793631845"),
            ("1712790000123", "1793631845678"),
            ("1712790000123000000", "1793631845678901234"),
        ] {
            let mut read = Moment::default();
            read.read(original.as_bytes(), Part::Whole).expect(original);
            assert!(read.timestamp().is_some(), "{original}");
            let mut out = Vec::new();
            write(original.as_bytes(), Part::Whole, time, &mut out).expect("the same form");
            assert_eq!(String::from_utf8_lossy(&out), anew);
        }
    }

    #[test]
    fn what_is_no_time_is_none() {
        for text in
            ["", "-", "0.123", "12:00:00", "2026-11-22", "2026-11-22T06:41:40+00:00x", "22/Nox/2026:06:41:40"]
        {
            assert!(Moment::default().read(text.as_bytes(), Part::Whole).is_none(), "{text}");
        }
        let mut both = Moment::default();
        both.read(b"2015-01-13", Part::Date).expect("a date");
        both.read(b"00:32:17", Part::Clock).expect("a time of day");
        assert_eq!(both.timestamp().map(|time| time.to_string()).as_deref(), Some("2015-01-13T00:32:17Z"));
    }
}
