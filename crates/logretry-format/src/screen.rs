mod sieve;

use logretry_record::StatusSet;
use memchr::memmem::Finder;

use self::sieve::Wanted;
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
    wanted_first: Wanted,
    /// The last byte of `before`, and the one before it.
    last: u8,
    before_last: Option<u8>,
    /// Whether those two and the first byte of `after` are all there is.
    is_short: bool,
}

impl Screen {
    /// A screen for lines of `format` with a status out of `wanted`; none where the status does not stand behind a literal.
    pub fn new(format: &Format, wanted: &StatusSet) -> Option<Self> {
        let (before, after) = format.around_status();
        let last = *before.last()?;
        // No line has such literals, and the sieve, which looks at many lines at once, would find them.
        if before.contains(&b'\n') || after.contains(&b'\n') {
            return None;
        }
        Some(Self {
            before: Finder::new(before).into_owned(),
            after: after.into(),
            wanted_first: Wanted::new(wanted),
            last,
            before_last: before.len().checked_sub(2).map(|index| before[index]),
            is_short: before.len() <= 2 && after.len() <= 1,
        })
    }

    /// Whether `line` certainly is not a line of the format with a wanted status. `false` is "maybe".
    pub fn rules_out(&self, line: &[u8]) -> bool {
        let length = self.before.needle().len();
        let mut unwanted = false;
        let mut rest = line;
        while let Some(found) = self.before.find(rest) {
            let behind = &rest[found + length..];
            if behind.first().is_some_and(|&first| self.wanted_first.contains(first)) {
                return false;
            }
            // All statuses that begin with this digit are unwanted.
            unwanted |= matches!(behind, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9', rest @ ..] if rest.starts_with(&self.after));
            // Literals can overlap, as `" "` does with itself.
            rest = &rest[found + 1..];
        }
        unwanted
    }
}
