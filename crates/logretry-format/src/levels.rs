//! What processors can, for tests.

use fearless_simd::{Level, Simd};

/// What this processor can, and what lesser ones can.
pub(crate) fn levels() -> Vec<Level> {
    let level = Level::new();
    #[cfg(target_arch = "x86_64")]
    let lesser = [
        level.as_avx2().map(Simd::level),
        level.as_sse4_2().map(Simd::level),
        level.as_sse2().map(Simd::level),
    ];
    #[cfg(not(target_arch = "x86_64"))]
    let lesser: [Option<Level>; 0] = [];
    lesser.into_iter().flatten().chain([level]).collect()
}
