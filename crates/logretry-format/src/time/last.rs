use jiff::Timestamp;

use super::{TimeForm, TimeParts};

/// The time that was read last. Lines of the same second are many, and to compare a time with the last one costs a tenth of reading it.
#[derive(Debug, Clone, Default)]
pub(crate) struct LastTime {
    form: Option<TimeForm>,
    text: Vec<u8>,
    time: Option<Timestamp>,
}

impl LastTime {
    /// Where a time of the form `form` that begins at `start` ends.
    pub(crate) fn end(&self, form: &TimeForm, line: &[u8], start: usize) -> Option<usize> {
        if form.mask.is_some() && self.is_of(form) && line.get(start..)?.starts_with(&self.text) {
            return Some(start + self.text.len());
        }
        form.end(line, start)
    }

    /// The time that `text`, which [`TimeForm::end`] has found to be one of the form `form`, says alone.
    pub(crate) fn read(&mut self, form: &TimeForm, text: &[u8]) -> Option<Timestamp> {
        if self.text != text || !self.is_of(form) {
            if !self.is_of(form) {
                self.form = Some(form.clone());
            }
            text.clone_into(&mut self.text);
            let mut parts = TimeParts::default();
            self.time = parts.read(form, text).and_then(|()| parts.timestamp());
        }
        self.time
    }

    fn is_of(&self, form: &TimeForm) -> bool {
        self.form.as_ref().is_some_and(|own| own.is(form))
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
            assert_eq!(last.read(form, text).map(|time| time.to_string()).as_deref(), Some(time));
            assert_eq!(last.end(form, text, 0), Some(text.len()));
            assert_eq!(last.end(form, &text[1..], 0), None);
        }
    }

    #[test]
    fn a_time_of_as_many_digits_as_there_are_does_not_end_where_the_last_one_did() {
        let form = TimeForm::epoch();
        let mut last = LastTime::default();
        assert_eq!(last.read(&form, b"179532986").map(Timestamp::as_second), Some(179_532_986));
        assert_eq!(last.end(&form, b"1795329862 ", 0), Some(10));
    }

    #[test]
    fn a_time_that_there_is_not_is_none() {
        let form = TimeForm::clf();
        let mut last = LastTime::default();
        for text in
            [b"31/Feb/2026:06:41:40 +0000", b"28/Feb/2026:06:41:40 +0000", b"31/Feb/2026:06:41:40 +0000"]
        {
            assert_eq!(last.read(&form, text).is_some(), text.starts_with(b"28"));
        }
    }
}
