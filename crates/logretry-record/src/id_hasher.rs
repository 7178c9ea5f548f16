use std::hash::Hasher;

/// A hasher for ids, and for parts of them: they are hashes already, BLAKE3's, so nobody who writes log lines can choose where they go in a map, and hashing
/// them once more would only take time.
#[derive(Debug, Default)]
pub struct IdHasher(u64);

impl Hasher for IdHasher {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        if let Some(first) = bytes.first_chunk() {
            self.0 ^= u64::from_le_bytes(*first);
        }
    }

    fn write_u64(&mut self, part: u64) {
        self.0 ^= part;
    }

    /// The length of an id, which tells nothing.
    fn write_usize(&mut self, _: usize) {}
}
