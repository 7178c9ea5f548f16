use bstr::BString;
use logretry_format::{Format, Spans, Verdict};

use crate::wrappers::{DEPTH_MAX, Part, peel};

/// Formats for lines that are in none of the log's: containers write the logs of several programs into one, and a server's configuration changes
/// in the middle of a file.
///
/// Trying every preset on a line costs some microseconds. So that noise stays cheap, the first thousand lines that fit nothing are all tried, and of what comes
/// after them one in sixteen; once a format is found, all its lines are read.
///
/// A format that also reads the lines of the log's own is only looser: the odd line that it alone reads is rather damaged than another's. It must be seen
/// three times before it is taken.
#[derive(Debug, Default)]
pub(crate) struct Fallback {
    tried: u64,
    found: u32,
    /// Lines that the log's own format reads.
    own: Vec<BString>,
    /// The looser formats, and how many lines only they read.
    looser: Vec<(String, usize)>,
}

/// Lines that only a looser format reads until it is taken.
pub(crate) const LOOSER_LINES_MIN: usize = 3;

const TRIED_ALL: u64 = 1000;
const TRIED_THEN: u64 = 16;
/// Formats that one log can have beside the two of its detection.
const FOUND_MAX: u32 = 6;

impl Fallback {
    /// A fallback for a log whose own format reads the lines `own`.
    pub(crate) fn new(own: Vec<BString>) -> Self {
        Self { own, ..Self::default() }
    }

    /// The one preset that `text` is in, with as few wrappers off as possible. Where two would make different requests of it, there is none.
    pub(crate) fn try_on(&mut self, text: &[u8]) -> Option<Format> {
        self.tried += 1;
        if self.found >= FOUND_MAX || (self.tried > TRIED_ALL && !self.tried.is_multiple_of(TRIED_THEN)) {
            return None;
        }
        find(text, DEPTH_MAX)
    }

    /// When `format`, which one more line is in, is to be read.
    pub(crate) fn takes(&mut self, format: &Format) -> Takes {
        if self.found >= FOUND_MAX {
            return Takes::Never;
        }
        if self.own.iter().any(|line| format.parse(line, &mut Spans::new()).is_ok()) {
            let name = format.name();
            let index =
                self.looser.iter().position(|(looser, _)| looser == name).unwrap_or(self.looser.len());
            if index == self.looser.len() {
                self.looser.push((name.to_owned(), 0));
            }
            self.looser[index].1 += 1;
            if self.looser[index].1 < LOOSER_LINES_MIN {
                return Takes::Later;
            }
        }
        self.found += 1;
        Takes::Now
    }
}

/// When a format is to be read that a line has shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Takes {
    Now,
    /// Once it has been seen more often.
    Later,
    Never,
}

fn find(text: &[u8], depth_max: usize) -> Option<Format> {
    match logretry_format::detect([text].into_iter()).verdict {
        Verdict::Chosen(format) => return Some(format),
        Verdict::Ambiguous(..) => return None,
        Verdict::Unknown => {}
    }
    let layer =
        peel(text).filter(|layer| depth_max > 0 && !matches!(layer.part, Part::More | Part::Lost(_)))?;
    find(&layer.text, depth_max - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINE: &[u8] = br#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" 502 157"#;

    #[test]
    fn a_line_shows_its_format_behind_its_wrappers() {
        let find = |text: &[u8]| Fallback::default().try_on(text).map(|format| format.name().to_owned());
        assert_eq!(find(LINE).as_deref(), Some("common"));
        assert_eq!(find(&[b"Nov 22 06:22:52 web1 nginx: ", LINE].concat()).as_deref(), Some("common"));
        assert_eq!(find(b"noise"), None);
    }

    #[test]
    fn a_looser_format_needs_three_lines() {
        let mut fallback = Fallback::new(vec![LINE.into()]);
        let format = fallback.try_on(LINE).expect("a format");
        let takes: Vec<Takes> = (0..3).map(|_| fallback.takes(&format)).collect();
        assert_eq!(takes, [Takes::Later, Takes::Later, Takes::Now]);
    }

    #[test]
    fn noise_is_tried_less_often_after_a_while() {
        let mut fallback = Fallback::default();
        for _ in 0..TRIED_ALL {
            assert!(fallback.try_on(b"noise").is_none());
        }
        let tries_until_found = (1..=TRIED_THEN).find(|_| fallback.try_on(LINE).is_some());
        assert!(tries_until_found.is_some());
    }
}
