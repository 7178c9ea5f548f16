//! HAProxy's own escape inside of JSON.

use crate::keyed::plain::{Plain, percent};

impl Plain {
    /// Whether some bytes may be written as HAProxy writes them: `#22` is a quote.
    pub(crate) fn has_hash_escapes(&self) -> bool {
        memchr::memchr_iter(b'#', &self.bytes).any(|at| hash_escape(&self.bytes[at..]).is_some())
    }

    /// The bytes that HAProxy had.
    pub(crate) fn without_hash_escapes(&self) -> Self {
        let mut plain = Self { start: self.start, ..Self::default() };
        let mut at = 0;
        while let Some(&byte) = self.bytes.get(at) {
            let (byte, length) = hash_escape(&self.bytes[at..]).map_or((byte, 1), |byte| (byte, 3));
            at += length;
            plain.push(&[byte], self.ends[at - 1]);
        }
        plain
    }
}

/// HAProxy writes its hexadecimal digits in capitals, and only for bytes that it does not write.
fn hash_escape(rest: &[u8]) -> Option<u8> {
    let is_capital = |byte: &u8| byte.is_ascii_digit() || (b'A'..=b'F').contains(byte);
    let byte = percent(rest).filter(|_| rest[0] == b'#' && rest[1..3].iter().all(is_capital))?;
    matches!(byte, 0..b' ' | 0x7f.. | b'"' | b'#' | b'{' | b'|' | b'}').then_some(byte)
}
