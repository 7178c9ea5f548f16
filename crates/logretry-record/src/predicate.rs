use jiff::Timestamp;

use crate::skim::{self, Glance};
use crate::{Mark, StatusSet};

/// Which records a run is about, as data.
///
/// The filter decides by it. A reader that knows it may leave lines out early, but only by [`Predicate::rules_out`]; the
/// filter always checks again, so that this changes speed and never the records.
///
/// Clauses are joined by *and*, the entries of one clause by *or*; an empty clause takes everything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Predicate {
    /// The status that the client got; 5xx by default. None takes every line, one without a status included.
    pub status: Option<StatusSet>,
    /// Methods, compared without regard to case.
    pub methods: Vec<String>,
    /// Hosts as the log names them, compared without regard to case; `*.example.com` takes every name below it.
    pub hosts: Vec<String>,
    /// Glob patterns for the path of the target, without its query; `*` crosses `/`.
    pub paths: Vec<String>,
    /// A regular expression (the `regex` crate's syntax) searched in the target, query included.
    pub path_regex: Option<String>,
    /// A condition in the language of jq, on the JSON of the record; true is what jq's `select` takes for true.
    pub expression: Option<String>,
    /// The time of the original request.
    pub time: TimeRange,
    /// Keep lines that carry the mark or our own user agent. By default they are dropped: logretry never feeds on itself.
    pub include_marked: bool,
    /// The mark by which such lines are known.
    pub mark: Mark,
}

impl Predicate {
    /// Whether a line with this status and time certainly will not be selected. `false` is "maybe". The time is asked for only if it matters.
    pub fn rules_out(&self, status: Option<u16>, time: impl FnOnce() -> Option<Timestamp>) -> bool {
        !self.has_status(status) || (self.time != TimeRange::default() && !self.time.contains(time()))
    }

    /// Whether a line with this status is ruled out for want of a time alone: it says none, and a time is asked for.
    pub fn misses_time(&self, status: Option<u16>, time: impl FnOnce() -> Option<Timestamp>) -> bool {
        self.time != TimeRange::default() && self.has_status(status) && time().is_none()
    }

    /// Whether the record in this line of NDJSON certainly will not be selected, which is told without decoding it. `false` is
    /// "maybe".
    ///
    /// ```
    /// use logretry_record::Predicate;
    ///
    /// let wanted = Predicate::default();
    /// assert!(wanted.rules_out_line(br#"{"v":1,"original":{"status":200}}"#));
    /// assert!(!wanted.rules_out_line(br#"{"v":1,"original":{"status":502}}"#));
    /// ```
    pub fn rules_out_line(&self, line: &[u8]) -> bool {
        let Some(Glance { status, time }) = skim::glance(line) else { return false };
        if !self.has_status(status) {
            return true;
        }
        if self.time == TimeRange::default() {
            return false;
        }
        // A time that does not parse makes a reject, and not a record of another time.
        let time = time.map(|time| std::str::from_utf8(time).ok().and_then(|time| time.parse().ok()));
        time != Some(None) && !self.time.contains(time.flatten())
    }

    /// Whether `status` is wanted.
    pub fn has_status(&self, status: Option<u16>) -> bool {
        self.status.as_ref().is_none_or(|wanted| status.is_some_and(|status| wanted.contains(status)))
    }
}

impl Default for Predicate {
    /// Everything that was answered with 5xx and is not our own.
    fn default() -> Self {
        Self {
            status: Some(StatusSet::default()),
            methods: Vec::new(),
            hosts: Vec::new(),
            paths: Vec::new(),
            path_regex: None,
            expression: None,
            time: TimeRange::default(),
            include_marked: false,
            mark: Mark::default(),
        }
    }
}

/// From (inclusive) until (exclusive).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TimeRange {
    /// The first instant that is in; none: since ever.
    pub since: Option<Timestamp>,
    /// The first instant that is out again; none: for ever.
    pub until: Option<Timestamp>,
}

impl TimeRange {
    /// Whether `time` lies in the range. A line without a time lies only in the range that is open at both ends.
    pub fn contains(&self, time: Option<Timestamp>) -> bool {
        match time {
            Some(time) => {
                self.since.is_none_or(|since| since <= time) && self.until.is_none_or(|until| time < until)
            }
            None => self.since.is_none() && self.until.is_none(),
        }
    }

    /// The same range, unless its ends stand the wrong way round, so that nothing could lie in it. Two equal ends may be meant: so asks who selects from the last run until now.
    ///
    /// # Errors
    ///
    /// Its end lies before its beginning.
    pub fn checked(self) -> Result<Self, TimeRangeError> {
        match (self.since, self.until) {
            (Some(since), Some(until)) if until < since => Err(TimeRangeError { since, until }),
            _ => Ok(self),
        }
    }
}

/// A range that ends before it begins. The message fits after "cannot …".
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("select requests since `{since}` and before `{until}`, which is earlier; swap --since and --until")]
pub struct TimeRangeError {
    since: Timestamp,
    until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_range_that_ends_before_it_begins_is_refused() {
        let (early, late) = (Some(Timestamp::UNIX_EPOCH), Some(Timestamp::MAX));
        for (since, until) in [(None, None), (early, None), (None, early), (early, late), (late, late)] {
            let range = TimeRange { since, until };
            assert_eq!(range.checked(), Ok(range));
        }
        let error = TimeRange { since: late, until: early }.checked().expect_err("it is empty");
        assert!(error.to_string().contains("before `1970-01-01T00:00:00Z`"), "{error}");
    }
}
