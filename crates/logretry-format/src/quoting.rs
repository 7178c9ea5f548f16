//! A configuration's own quoting: a format string as it stands there, undone, with the place of every byte kept.

use crate::error::SpecError;
use crate::field::Piece;

/// Text whose every byte knows where in the spec it came from.
#[derive(Debug, Clone, Default)]
pub(crate) struct Text {
    bytes: Vec<u8>,
    at: Vec<usize>,
}

impl Text {
    /// `text`, which begins at byte `at` of the spec.
    pub(crate) fn plain(text: &str, at: usize) -> Self {
        Self { bytes: text.as_bytes().to_vec(), at: (at..at + text.len()).collect() }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Where byte `index` stands in the spec; one past the last is fine.
    pub(crate) fn at(&self, index: usize) -> usize {
        self.at.get(index).or(self.at.last()).copied().unwrap_or(0)
    }

    /// The bytes from `from` to `to` as text for a message.
    pub(crate) fn shown(&self, from: usize, to: usize) -> String {
        let bytes = self.bytes.get(from..to.min(self.bytes.len())).unwrap_or_default();
        String::from_utf8_lossy(bytes).into_owned()
    }

    pub(crate) fn push(&mut self, byte: u8, at: usize) {
        self.bytes.push(byte);
        self.at.push(at);
    }

    pub(crate) fn append(&mut self, other: &Self) {
        self.bytes.extend_from_slice(&other.bytes);
        self.at.extend_from_slice(&other.at);
    }

    /// The literal that begins at byte `start`, and where it ends: everything up to the next `sign`, or the `sign` itself where it is
    /// doubled. None where a directive begins.
    pub(crate) fn literal(&self, start: usize, sign: u8) -> Option<(Vec<u8>, usize)> {
        let rest = self.bytes.get(start..)?;
        match rest {
            [first, second, ..] if *first == sign && *second == sign => Some((vec![sign], start + 2)),
            [first, ..] if *first == sign => None,
            _ => {
                let length = memchr::memchr(sign, rest).unwrap_or(rest.len());
                Some((rest[..length].to_vec(), start + length))
            }
        }
    }

    /// The pieces of a format. `directive` adds those of what begins with `sign` at a byte, and tells where that ends; what is between is literal.
    pub(crate) fn pieces(
        &self,
        sign: u8,
        mut directive: impl FnMut(usize, &mut Vec<Piece>) -> Result<usize, SpecError>,
    ) -> Result<Vec<Piece>, SpecError> {
        let mut pieces = Vec::new();
        let mut start = 0;
        while start < self.bytes.len() {
            start = match self.literal(start, sign) {
                Some((literal, end)) => {
                    pieces.push(Piece::Literal(literal));
                    end
                }
                None => directive(start, &mut pieces)?,
            };
        }
        Ok(pieces)
    }

    /// Without the line end that some formats spell out.
    pub(crate) fn without_line_end(mut self) -> Self {
        while self.bytes.last() == Some(&b'\n') {
            self.bytes.pop();
            self.at.pop();
        }
        self
    }

    /// Undoes `\` before each byte that `meaning` knows; other backslashes stay.
    pub(crate) fn unescape(&self, meaning: impl Fn(u8) -> Option<u8>) -> Self {
        let mut out = Self::default();
        let mut index = 0;
        while let Some(&byte) = self.bytes.get(index) {
            let meant =
                (byte == b'\\').then(|| self.bytes.get(index + 1)).flatten().and_then(|&b| meaning(b));
            out.push(meant.unwrap_or(byte), self.at(index));
            index += if meant.is_some() { 2 } else { 1 };
        }
        out
    }
}

/// One word of a configuration line.
#[derive(Debug, Clone)]
pub(crate) struct Word {
    /// Without its quotes, its backslashes still there.
    pub(crate) text: Text,
    pub(crate) quote: Option<u8>,
    pub(crate) at: usize,
}

/// Splits `text`, which begins at byte `at` of the spec, into words as nginx and Apache both do: white space separates, `'…'`
/// and `"…"` hold together, a backslash keeps the next byte from ending a quote. nginx's `;` ends the line.
pub(crate) fn words(text: &str, at: usize, semicolon_ends: bool) -> Result<Vec<Word>, SpecError> {
    let bytes = text.as_bytes();
    let mut words = Vec::new();
    let mut index = 0;
    while let Some(&byte) = bytes.get(index) {
        if byte.is_ascii_whitespace() {
            index += 1;
            continue;
        }
        if byte == b';' && semicolon_ends {
            let rest = text[index + 1..].trim_start();
            if rest.is_empty() {
                return Ok(words);
            }
            return Err(SpecError::Directive {
                directive: "log_format",
                needs: "to be the only directive: nothing may follow its `;`",
                at: at + text.len() - rest.len(),
            });
        }
        let quote = matches!(byte, b'"' | b'\'').then_some(byte);
        let start = index + usize::from(quote.is_some());
        let end = end_of_word(bytes, start, quote, semicolon_ends)
            .ok_or(SpecError::UnbalancedQuote { at: at + index })?;
        words.push(Word { text: Text::plain(&text[start..end], at + start), quote, at: at + index });
        index = end + usize::from(quote.is_some());
    }
    Ok(words)
}

fn end_of_word(bytes: &[u8], start: usize, quote: Option<u8>, semicolon_ends: bool) -> Option<usize> {
    let mut index = start;
    loop {
        match (bytes.get(index), quote) {
            (None, Some(_)) => return None,
            (None, None) => return Some(index),
            (Some(b'\\'), _) => index += 2,
            (Some(&byte), Some(quote)) if byte == quote => return Some(index),
            (Some(byte), None) if byte.is_ascii_whitespace() || (*byte == b';' && semicolon_ends) => {
                return Some(index);
            }
            _ => index += 1,
        }
        if index > bytes.len() {
            return quote.is_none().then_some(bytes.len());
        }
    }
}
