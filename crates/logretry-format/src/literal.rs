//! Bytes that a format writes itself, between its fields.

/// As many bytes as are compared at once.
const WORD: usize = 8;

/// Bytes that stand in each line of a format.
#[derive(Debug, Clone)]
pub(crate) struct Literal {
    bytes: Box<[u8]>,
    /// The first eight of them as a number, and those bits of eight bytes of a line that must be the same: most literals are shorter, and none needs a call then.
    word: u64,
    mask: u64,
}

impl Literal {
    pub(crate) fn new(bytes: &[u8]) -> Self {
        let (mut word, mut mask) = ([0; WORD], [0; WORD]);
        for ((word, mask), byte) in word.iter_mut().zip(&mut mask).zip(bytes) {
            (*word, *mask) = (*byte, u8::MAX);
        }
        Self { bytes: bytes.into(), word: u64::from_le_bytes(word), mask: u64::from_le_bytes(mask) }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Whether it stands at `at` in `line`.
    #[inline]
    pub(crate) fn stands_at(&self, line: &[u8], at: usize) -> bool {
        let Some(rest) = line.get(at..) else { return false };
        match rest.first_chunk::<WORD>() {
            Some(first) => {
                (u64::from_le_bytes(*first) ^ self.word) & self.mask == 0
                    && (self.len() <= WORD || rest.starts_with(&self.bytes))
            }
            None => self.len() <= rest.len() && self.bytes.iter().zip(rest).all(|(own, byte)| own == byte),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_stands_where_its_bytes_do(line in "[ab]{0,24}", literal in "[ab]{0,12}", at in 0_usize..30) {
            let stands = line.get(at..).is_some_and(|rest| rest.starts_with(&literal));
            prop_assert_eq!(Literal::new(literal.as_bytes()).stands_at(line.as_bytes(), at), stands);
        }
    }
}
