use jiff::Timestamp;
use jiff::civil::{Date, Time};
use jiff::tz::Offset;

use super::{TimeForm, TimePiece, month};
use crate::digits::number;

/// What the time fields of a line say together.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct TimeParts {
    year: Option<i16>,
    month: Option<i8>,
    day: Option<i8>,
    day_of_year: Option<i16>,
    hour: i8,
    minute: i8,
    second: i8,
    afternoon: Option<bool>,
    nanos: i32,
    offset: Option<Offset>,
    /// Nanoseconds since 1970.
    epoch: Option<i128>,
}

impl TimeParts {
    /// Adds what `text`, which [`TimeForm::end`] has found to be a time of the form `form`, says.
    pub(crate) fn read(&mut self, form: &TimeForm, text: &[u8]) -> Option<()> {
        let mut at = 0;
        for &piece in form.pieces.iter() {
            // Every second piece of a time.
            if let TimePiece::Literal(_) = piece {
                at += 1;
                continue;
            }
            let end = match piece.width() {
                Some(width) => at + width,
                None => piece.end(text, at)?,
            };
            self.read_piece(piece, text.get(at..end)?)?;
            at = end;
        }
        Some(())
    }

    fn read_piece(&mut self, piece: TimePiece, text: &[u8]) -> Option<()> {
        let small = || number::<i8>(text);
        match piece {
            TimePiece::Year => self.year = Some(number(text)?),
            TimePiece::ShortYear => {
                let year = i16::from(small()?);
                self.year = Some(if year < 70 { 2000 + year } else { 1900 + year });
            }
            TimePiece::Month => self.month = Some(small()?),
            TimePiece::MonthName | TimePiece::MonthNameLong => self.month = Some(month(text)?),
            TimePiece::Day => self.day = Some(small()?),
            TimePiece::SpacedDay => self.day = Some(number(text.trim_ascii_start())?),
            TimePiece::DayOfYear => self.day_of_year = Some(number(text)?),
            TimePiece::Hour | TimePiece::Hour12 => self.hour = small()?,
            TimePiece::Minute => self.minute = small()?,
            // A leap second is read as the one before it.
            TimePiece::Second => self.second = small()?.min(59),
            TimePiece::HalfDay => self.afternoon = Some(text == b"PM"),
            TimePiece::Offset | TimePiece::OffsetColon => self.offset = Some(offset(text)?),
            TimePiece::ZoneName if matches!(text, b"UTC" | b"GMT" | b"Z") => self.offset = Some(Offset::UTC),
            TimePiece::Epoch(digits) => {
                self.epoch = Some(i128::from(number::<i64>(text)?) * 10_i128.pow(9 - digits));
            }
            TimePiece::Fraction(width) => {
                let scale = 10_i64.pow(u32::try_from(9 - width).ok()?);
                self.nanos = i32::try_from(number::<i64>(text)? * scale).ok()?;
            }
            TimePiece::Literal(_) | TimePiece::ZoneName | TimePiece::DayName | TimePiece::DayNameLong => {}
        }
        Some(())
    }

    /// The offset that the line's times are written in; UTC where it gives none.
    pub(crate) fn offset(&self) -> Offset {
        self.offset.unwrap_or(Offset::UTC)
    }

    /// The time, if the parts make a whole one. Without an offset it is taken as UTC.
    pub(crate) fn timestamp(&self) -> Option<Timestamp> {
        if let Some(epoch) = self.epoch {
            return Timestamp::from_nanosecond(epoch + i128::from(self.nanos)).ok();
        }
        let year = self.year?;
        let date = match (self.month, self.day, self.day_of_year) {
            (Some(month), Some(day), _) => Date::new(year, month, day).ok()?,
            (_, _, Some(day)) => Date::new(year, 1, 1).ok()?.with().day_of_year(day).build().ok()?,
            _ => return None,
        };
        let hour = match self.afternoon {
            None => self.hour,
            Some(afternoon) => self.hour % 12 + if afternoon { 12 } else { 0 },
        };
        let time = Time::new(hour, self.minute, self.second, self.nanos).ok()?;
        self.offset().to_timestamp(date.to_datetime(time)).ok()
    }
}

/// `+hhmm`, `+hh:mm` or `Z`.
fn offset(text: &[u8]) -> Option<Offset> {
    let (sign, hours, minutes) = match text {
        b"Z" => return Some(Offset::UTC),
        [sign, hours @ .., b':', m1, m2] | [sign, hours @ .., m1, m2] => (sign, hours, [*m1, *m2]),
        _ => return None,
    };
    let seconds = i32::try_from(number::<i64>(hours)? * 3600 + number::<i64>(&minutes)? * 60).ok()?;
    Offset::from_seconds(if *sign == b'-' { -seconds } else { seconds }).ok()
}
