use std::fmt;
use std::str::FromStr;

/// A set of HTTP statuses, written `5xx`, `502,504`, `500-599`, or any of these joined by commas.
///
/// ```
/// use logretry_record::StatusSet;
///
/// let set: StatusSet = "5xx,429".parse()?;
/// assert!(set.contains(503) && set.contains(429) && !set.contains(404));
/// # Ok::<(), logretry_record::StatusSetError>(())
/// ```
#[derive(Clone, PartialEq, Eq)]
pub struct StatusSet {
    /// One bit for each of 0 to 999.
    bits: [u64; 16],
}

impl StatusSet {
    /// Whether `status` is in the set; statuses over 999 never are.
    pub fn contains(&self, status: u16) -> bool {
        self.bits.get(usize::from(status / 64)).is_some_and(|word| word & (1 << (status % 64)) != 0)
    }

    /// Everything that is a success: `2xx,3xx`.
    pub fn successes() -> Self {
        let mut set = Self::empty();
        set.add(200, 399);
        set
    }

    /// What is in one of the two.
    #[must_use]
    pub fn union(mut self, other: &Self) -> Self {
        self.bits.iter_mut().zip(other.bits).for_each(|(word, other)| *word |= other);
        self
    }

    fn empty() -> Self {
        Self { bits: [0; 16] }
    }

    fn add(&mut self, from: u16, to: u16) {
        for status in from..=to {
            self.bits[usize::from(status / 64)] |= 1 << (status % 64);
        }
    }
}

impl Default for StatusSet {
    /// `5xx`.
    fn default() -> Self {
        let mut set = Self::empty();
        set.add(500, 599);
        set
    }
}

impl FromStr for StatusSet {
    type Err = StatusSetError;

    fn from_str(text: &str) -> Result<Self, StatusSetError> {
        let mut set = Self::empty();
        for item in text.split(',') {
            let (from, to) = range(item.trim()).ok_or_else(|| StatusSetError(item.trim().to_owned()))?;
            set.add(from, to);
        }
        Ok(set)
    }
}

fn range(item: &str) -> Option<(u16, u16)> {
    if let [class @ b'0'..=b'9', b'x' | b'X', b'x' | b'X'] = item.as_bytes() {
        let first = u16::from(class - b'0') * 100;
        return Some((first, first + 99));
    }
    let (from, to) = item.split_once('-').unwrap_or((item, item));
    let (from, to) = (number(from)?, number(to)?);
    (from <= to).then_some((from, to))
}

/// Three digits, or the `0` that a record has where there was no answer.
fn number(text: &str) -> Option<u16> {
    let digits = text == "0" || (text.len() == 3 && text.bytes().all(|byte| byte.is_ascii_digit()));
    digits.then(|| text.parse().ok()).flatten()
}

impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut separator = "";
        let mut status = 0;
        while status <= 999 {
            if !self.contains(status) {
                status += 1;
                continue;
            }
            let from = status;
            while status <= 999 && self.contains(status) {
                status += 1;
            }
            let to = status - 1;
            f.write_str(separator)?;
            match (from, to) {
                _ if from == to => write!(f, "{from:03}")?,
                _ if from % 100 == 0 && to == from + 99 => write!(f, "{}xx", from / 100)?,
                _ => write!(f, "{from:03}-{to:03}")?,
            }
            separator = ",";
        }
        Ok(())
    }
}

impl fmt::Debug for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "StatusSet({self})")
    }
}

/// A part of a status set that is none of `5xx`, `502` and `500-599`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not a status, a class or a range; write `5xx`, `502`, `500-504`, or several joined by commas"
)]
pub struct StatusSetError(String);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_printed_as_it_is_written() {
        for text in ["5xx", "502", "502,504", "000,4xx", "500-504,520-530"] {
            assert_eq!(text.parse::<StatusSet>().map(|set| set.to_string()), Ok(text.to_owned()));
        }
        assert_eq!("500-599".parse(), Ok(StatusSet::default()));
    }

    #[test]
    fn no_answer_is_written_as_in_a_log_or_as_in_a_record() {
        for (text, log) in [("0", "000"), ("0,5xx", "000,5xx"), ("0-599", "000-599")] {
            assert_eq!(text.parse::<StatusSet>(), log.parse(), "{text}");
        }
    }

    #[test]
    fn what_is_no_status_is_named() {
        for text in ["", "5", "00", "5xx,", "50x", "504-500", "5000", "+50", "5xx;404"] {
            assert!(text.parse::<StatusSet>().is_err(), "{text:?} was taken");
        }
        let error = "5xx,abc".parse::<StatusSet>().expect_err("abc is no status");
        assert!(error.to_string().contains("`abc`"));
    }
}
