//! Times that come again: lines of the same second are many, and to compare a time with the last one costs a tenth of reading or writing it.

use jiff::Timestamp;
use jiff::tz::Offset;

use super::{TimeForm, TimeParts, TimePiece};

/// What the time of a line says.
#[derive(Debug, Clone, Copy)]
pub(crate) struct TimeRead {
    pub(crate) time: Option<Timestamp>,
    pub(crate) offset: Offset,
}

impl TimeRead {
    pub(crate) fn of(parts: Option<TimeParts>) -> Self {
        let parts = parts.unwrap_or_default();
        Self { time: parts.timestamp(), offset: parts.offset() }
    }
}

/// The time that was read last.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastTime {
    last: Option<(TimeForm, TimeRead)>,
    text: Vec<u8>,
}

impl LastTime {
    /// Where a time of the form `form` that begins at `start` ends.
    pub(crate) fn end(&self, form: &TimeForm, line: &[u8], start: usize) -> Option<usize> {
        let has_a_width = form.mask.is_some();
        if has_a_width && self.read_of(form).is_some() && line.get(start..)?.starts_with(&self.text) {
            return Some(start + self.text.len());
        }
        form.end(line, start)
    }

    /// What `text`, which [`TimeForm::end`] has found to be a time of the form `form`, says alone.
    pub(crate) fn read(&mut self, form: &TimeForm, text: &[u8]) -> TimeRead {
        if let Some(read) = self.read_of(form).filter(|_| self.text == text) {
            return read;
        }
        let mut parts = TimeParts::default();
        let read = TimeRead::of(parts.read(form, text).map(|()| parts));
        keep(&mut self.last, form, read);
        text.clone_into(&mut self.text);
        read
    }

    /// What was read last, if that was of this form.
    fn read_of(&self, form: &TimeForm) -> Option<TimeRead> {
        self.last.as_ref().filter(|(last, _)| last.is(form)).map(|(_, read)| *read)
    }
}

/// The time that was written last.
#[derive(Debug, Default)]
pub(crate) struct LastWritten {
    /// Which second, at which offset.
    last: Option<(TimeForm, (i64, Offset))>,
    text: Vec<u8>,
}

impl LastWritten {
    /// As [`TimeForm::render`].
    pub(crate) fn render(
        &mut self,
        form: &TimeForm,
        original: &[u8],
        time: Timestamp,
        offset: Offset,
        out: &mut Vec<u8>,
    ) {
        // What has pieces without a width depends on the original too.
        let is_by_the_second =
            form.mask.is_some() && !form.pieces.iter().any(|piece| matches!(piece, TimePiece::Fraction(_)));
        if !is_by_the_second {
            return form.render(original, time, offset, out);
        }
        let what = (time.as_second(), offset);
        if !self.last.as_ref().is_some_and(|(last, written)| *written == what && last.is(form)) {
            keep(&mut self.last, form, what);
            self.text.clear();
            form.render(original, time, offset, &mut self.text);
        }
        out.extend_from_slice(&self.text);
    }
}

/// Keeps what was read or written last, and of which form it was.
fn keep<T>(last: &mut Option<(TimeForm, T)>, form: &TimeForm, what: T) {
    match last {
        Some((last, kept)) if last.is(form) => *kept = what,
        last => *last = Some((form.clone(), what)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_read_as_its_own_form_whatever_was_read_before() {
        let [european, american] =
            ["%d/%m/%Y %T %z", "%m/%d/%Y %T %z"].map(|form| super::super::compile(form).expect("a form"));
        let text = b"01/02/2026 06:41:40 +0000";
        let other = b"01/02/2026 06:41:41 +0000";
        let mut last = LastTime::default();
        for (form, text, time) in [
            (&european, text, "2026-02-01T06:41:40Z"),
            (&european, text, "2026-02-01T06:41:40Z"),
            (&american, text, "2026-01-02T06:41:40Z"),
            (&american, other, "2026-01-02T06:41:41Z"),
            (&european, other, "2026-02-01T06:41:41Z"),
        ] {
            assert_eq!(last.end(form, text, 0), Some(text.len()));
            assert_eq!(last.read(form, text).time.map(|time| time.to_string()).as_deref(), Some(time));
            assert_eq!(last.end(form, text, 0), Some(text.len()));
            assert_eq!(last.end(form, &text[1..], 0), None);
        }
    }

    #[test]
    fn a_time_of_as_many_digits_as_there_are_does_not_end_where_the_last_one_did() {
        let form = TimeForm::epoch();
        let mut last = LastTime::default();
        assert_eq!(last.read(&form, b"179532986").time.map(Timestamp::as_second), Some(179_532_986));
        assert_eq!(last.end(&form, b"1795329862 ", 0), Some(10));
    }

    #[test]
    fn a_time_that_there_is_not_is_none() {
        let form = TimeForm::clf();
        let mut last = LastTime::default();
        for text in
            [b"31/Feb/2026:06:41:40 +0000", b"28/Feb/2026:06:41:40 +0000", b"31/Feb/2026:06:41:40 +0000"]
        {
            assert_eq!(last.read(&form, text).time.is_some(), text.starts_with(b"28"));
        }
    }

    #[test]
    fn a_time_is_written_as_it_is_alone_whatever_was_written_before() {
        let forms = ["%d/%b/%Y:%T %z", "%T.%3f", "%e/%m %T", "%Y %T %Z"];
        let forms = forms.map(|form| super::super::compile(form).expect("a form"));
        let time = |text: &str| text.parse::<Timestamp>().expect("a time");
        let times = [
            "2026-11-22T06:22:52Z",
            "2026-11-22T06:22:52.9Z",
            "2026-11-22T06:22:53Z",
            "1960-01-01T00:00:00.5Z",
        ];
        let originals = ["22/Nov/2026:06:22:52 +0000", "06:22:52.123", " 7/11 06:22:52", "2026 06:22:52 UTC"];
        let mut last = LastWritten::default();
        for _ in 0..2 {
            for time in times.map(time) {
                for offset in [Offset::UTC, Offset::constant(2)] {
                    for (form, original) in forms.iter().zip(originals) {
                        let (mut written, mut alone) = (Vec::new(), Vec::new());
                        last.render(form, original.as_bytes(), time, offset, &mut written);
                        form.render(original.as_bytes(), time, offset, &mut alone);
                        assert_eq!(String::from_utf8(written), String::from_utf8(alone), "{original} {time}");
                        last.render(form, original.as_bytes(), time, offset, &mut Vec::new());
                    }
                }
            }
        }
    }
}
