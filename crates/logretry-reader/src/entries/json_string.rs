/// Where a byte of JSON stands: within a string or not, and there behind a backslash or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Str {
    Outside,
    Within,
    Escaped,
}

impl Str {
    /// Where the byte behind `byte` stands.
    pub(super) fn then(self, byte: u8) -> Self {
        match (self, byte) {
            (Self::Outside, b'"') => Self::Within,
            (Self::Within, b'"') | (Self::Outside, _) => Self::Outside,
            (Self::Within, b'\\') => Self::Escaped,
            _ => Self::Within,
        }
    }
}
