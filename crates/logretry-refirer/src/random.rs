#[cfg(not(test))]
use std::hash::{BuildHasher as _, RandomState};

/// Chance for jitter, and for nothing that must be hard to guess: splitmix64 (Steele, Lea and Flood, 2014).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// Begins elsewhere each time; in tests where the thread's seed says.
    pub(crate) fn new() -> Self {
        #[cfg(test)]
        return Self(SEED.get());
        #[cfg(not(test))]
        Self(RandomState::new().hash_one(()))
    }

    /// A number from 0 up to 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits fit")]
    pub(crate) fn unit(&mut self) -> f64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((mixed ^ (mixed >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
std::thread_local! {
    /// Where chance begins in a test: always at the same place, unless the test says otherwise.
    pub(crate) static SEED: std::cell::Cell<u64> = const { std::cell::Cell::new(7) };
}
