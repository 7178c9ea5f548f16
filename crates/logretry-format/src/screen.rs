mod sieve;

use logretry_record::StatusSet;
use memchr::memmem::Finder;

use crate::format::Format;

/// Tells of most lines, without parsing them, that their status is not wanted.
///
/// In a step format the status stands between literals: in combined, behind `" ` and before a space. A screen looks for the first
/// literal and at the three digits behind it. A line is ruled out if a status stands there that is not wanted, and nowhere one
/// that begins like a wanted one. So a line of this format whose status is wanted is never ruled out, and neither is
/// one that shows no status at such a place: a line of another format, or no request at all.
///
/// ```
/// use logretry_format::{Format, Screen};
/// use logretry_record::StatusSet;
///
/// let combined = Format::compile("combined")?;
/// let screen = Screen::new(&combined, &StatusSet::default()).expect("the status stands between literals");
/// let line = |status| format!(r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a HTTP/1.1" {status} 157 "-" "-""#);
/// assert!(screen.rules_out(line(200).as_bytes()));
/// assert!(!screen.rules_out(line(502).as_bytes()));
/// assert!(!screen.rules_out(b"upstream timed out"));
/// # Ok::<(), logretry_format::SpecError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Screen {
    before: Finder<'static>,
    after: Box<[u8]>,
    wanted: StatusSet,
    /// Whether some wanted status begins with this digit.
    wanted_first: [bool; 10],
    /// The last byte of `before`, and the one before it.
    last: u8,
    before_last: Option<u8>,
}

impl Screen {
    /// A screen for lines of `format` with a status out of `wanted`; none where the status does not stand behind a literal.
    pub fn new(format: &Format, wanted: &StatusSet) -> Option<Self> {
        let (before, after) = format.around_status();
        let last = *before.last()?;
        let before_last = before.len().checked_sub(2).map(|index| before[index]);
        let mut wanted_first = [false; 10];
        for (first, wanted_first) in (0_u16..).zip(&mut wanted_first) {
            *wanted_first = (first * 100..first * 100 + 100).any(|status| wanted.contains(status));
        }
        let before = Finder::new(before).into_owned();
        Some(Self { before, after: after.into(), wanted: wanted.clone(), wanted_first, last, before_last })
    }

    /// Whether `line` certainly is not a line of the format with a wanted status. `false` is "maybe".
    pub fn rules_out(&self, line: &[u8]) -> bool {
        let length = self.before.needle().len();
        let mut unwanted = false;
        let mut rest = line;
        while let Some(found) = self.before.find(rest) {
            let behind = &rest[found + length..];
            if let [first @ b'0'..=b'9', ..] = behind
                && self.wanted_first[usize::from(first - b'0')]
            {
                return false;
            }
            unwanted |= self.shows_unwanted(behind);
            // Literals can overlap, as `" "` does with itself.
            rest = &rest[found + 1..];
        }
        unwanted
    }

    fn shows_unwanted(&self, behind: &[u8]) -> bool {
        let [a @ b'0'..=b'9', b @ b'0'..=b'9', c @ b'0'..=b'9', rest @ ..] = behind else { return false };
        let status = u16::from(a - b'0') * 100 + u16::from(b - b'0') * 10 + u16::from(c - b'0');
        !self.wanted.contains(status) && rest.starts_with(&self.after)
    }
}
