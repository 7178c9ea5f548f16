//! Where lines end, found 64 bytes at a time: lines are short, and to begin a search for each end costs more than the search.

use fearless_simd::{Level, Simd, dispatch, prelude::*, u8x64};

const STEP: usize = 64;

/// Calls `each` with the place of each `\n` in `text`, from left to right.
pub(crate) fn for_each_line_end(text: &[u8], mut each: impl FnMut(usize)) {
    dispatch!(Level::new(), simd => find_with(simd, text, &mut each));
}

#[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
#[inline(always)]
fn find_with<S: Simd>(simd: S, text: &[u8], each: &mut impl FnMut(usize)) {
    let (steps, rest) = text.as_chunks::<STEP>();
    let mut last = [0; STEP];
    last[..rest.len()].copy_from_slice(rest);
    for (step, start) in steps.iter().chain([&last]).zip((0..).step_by(STEP)) {
        let mut ends = u8x64::from_slice(simd, step).simd_eq(u8x64::splat(simd, b'\n')).to_bitmask();
        while ends != 0 {
            each(start + ends.trailing_zeros() as usize);
            ends &= ends - 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_line_end_is_found_and_nothing_else(text in prop::collection::vec(prop::sample::select(b"\n\x0b\x8aab\0".to_vec()), 0..300)) {
            let mut found = Vec::new();
            for_each_line_end(&text, |end| found.push(end));
            prop_assert_eq!(found, memchr::memchr_iter(b'\n', &text).collect::<Vec<_>>());
        }
    }
}
