//! The ids of many lines, hashed side by side.
//!
//! BLAKE3 mixes each block of 64 bytes into what came out of the one before it. In that chain every step waits for the last one, and most of a processor idles. Lines do not wait for each other: side by side, up to
//! sixteen of them take hardly longer than one. The library does that for the parts of a long text; its door to it, [`Platform`], is public but not documented, which is why `Cargo.toml` names one version, and why tests
//! compare each id with what [`RecordId::of_line`] makes of the line.
//!
//! Only lines of as many blocks can go together, and only whole blocks can, which is why an id is of a line that is filled up.

use blake3::IncrementCounter;
use blake3::platform::Platform;

use super::{BLOCK, FILL, RecordId, TAG, filled};

/// Lines that are hashed at once.
const LANES: usize = 16;
/// A longer text is a tree, and no chain.
const BLOCKS_MAX: usize = 16;

/// What a chain starts with, and the flags of its first block, its last, and the last of all (BLAKE3, §2.2, §2.4 and §2.6).
const IV: [u32; 8] =
    [0x6a09_e667, 0xbb67_ae85, 0x3c6e_f372, 0xa54f_f53a, 0x510e_527f, 0x9b05_688c, 0x1f83_d9ab, 0x5be0_cd19];
const CHUNK_START: u8 = 1;
const CHUNK_END: u8 = 1 << 1;
const ROOT: u8 = 1 << 3;

/// Gives many lines their ids: where the processor has AVX-512, at a tenth of what [`RecordId::of_line`] costs for each.
///
/// ```
/// use logretry_record::{RecordId, RecordIds};
///
/// let lines = [b"one line".as_slice(), b"another"];
/// assert_eq!(RecordIds::default().of_lines(lines), lines.map(|line| RecordId::of_line(line, 0)));
/// ```
#[derive(Debug)]
pub struct RecordIds {
    platform: Platform,
    /// By the number of blocks, less one.
    chains: [Chains; BLOCKS_MAX],
    ids: Vec<RecordId>,
}

/// Lines of as many blocks, as they are hashed.
#[derive(Debug, Default)]
struct Chains {
    /// One text behind the other, each filled up.
    bytes: Vec<u8>,
    /// Which line each text is of.
    lines: Vec<usize>,
}

impl Default for RecordIds {
    fn default() -> Self {
        Self { platform: Platform::detect(), chains: Default::default(), ids: Vec::new() }
    }
}

impl RecordIds {
    /// The ids of `lines` (without their line ends), in their order, if none of them has an equal line before it in its source.
    pub fn of_lines<'l>(&mut self, lines: impl IntoIterator<Item = &'l [u8]>) -> &[RecordId] {
        let Self { platform, chains, ids } = self;
        ids.clear();
        for line in lines {
            let Some(chains) = chains.get_mut(filled(line) / BLOCK - 1) else {
                ids.push(RecordId::of_line(line, 0));
                continue;
            };
            chains.push(line, ids.len());
            ids.push(RecordId([0; 16]));
            if chains.lines.len() == LANES {
                chains.hash(*platform, ids);
            }
        }
        for chains in chains {
            chains.hash(*platform, ids);
        }
        ids
    }
}

impl Chains {
    fn push(&mut self, line: &[u8], index: usize) {
        let end = self.bytes.len() + filled(line);
        self.bytes.extend_from_slice(TAG);
        self.bytes.extend_from_slice(&0_u64.to_le_bytes());
        self.bytes.extend_from_slice(line);
        // More than is wanted, and the rest taken back: to append as many as are wanted needs a call.
        self.bytes.extend_from_slice(FILL);
        self.bytes.truncate(end);
        self.lines.push(index);
    }

    /// Gives its lines their ids, and forgets them.
    fn hash(&mut self, platform: Platform, ids: &mut [RecordId]) {
        if self.lines.is_empty() {
            return;
        }
        let length = self.bytes.len() / self.lines.len();
        let mut out = [0; 32 * LANES];
        BY_BLOCKS[length / BLOCK - 1](platform, &self.bytes, &mut out);
        for (&index, hash) in self.lines.iter().zip(out.as_chunks::<32>().0) {
            ids[index] = RecordId::of_hash(hash);
        }
        self.bytes.clear();
        self.lines.clear();
    }
}

/// Hashes texts of a length that stand one behind the other; what comes out is 32 bytes for each.
type Hash = fn(Platform, &[u8], &mut [u8]);

/// By how many blocks there are, less one.
const BY_BLOCKS: [Hash; BLOCKS_MAX] = [
    hash::<64>,
    hash::<128>,
    hash::<192>,
    hash::<256>,
    hash::<320>,
    hash::<384>,
    hash::<448>,
    hash::<512>,
    hash::<576>,
    hash::<640>,
    hash::<704>,
    hash::<768>,
    hash::<832>,
    hash::<896>,
    hash::<960>,
    hash::<1024>,
];

fn hash<const BYTES: usize>(platform: Platform, bytes: &[u8], out: &mut [u8]) {
    let texts = bytes.as_chunks::<BYTES>().0;
    let mut inputs = [&[0; BYTES]; LANES];
    for (input, text) in inputs.iter_mut().zip(texts) {
        *input = text;
    }
    let end = CHUNK_END | ROOT;
    platform.hash_many(&inputs[..texts.len()], &IV, 0, IncrementCounter::No, 0, CHUNK_START, end, out);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_of_any_length_has_the_id_that_it_has_alone() {
        let text: Vec<u8> = (0..=255).cycle().take(1200).collect();
        let lines = (0..text.len()).map(|length| &text[length % 7..length.max(length % 7)]);
        let alone: Vec<RecordId> = lines.clone().map(|line| RecordId::of_line(line, 0)).collect();
        assert_eq!(RecordIds::default().of_lines(lines), alone);
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(24))]

        #[test]
        fn many_lines_have_the_ids_that_they_have_alone(
            lines in prop::collection::vec(prop_oneof![3 => "[ -~]{150,250}", 1 => "[ -~]{0,70}", 1 => "[ -~]{0,1100}"], 0..80),
            more in prop::collection::vec("[ -~]{0,200}", 0..40),
        ) {
            let mut ids = RecordIds::default();
            for lines in [lines, more] {
                let alone: Vec<RecordId> = lines.iter().map(|line| RecordId::of_line(line.as_bytes(), 0)).collect();
                prop_assert_eq!(ids.of_lines(lines.iter().map(String::as_bytes)), alone);
            }
        }
    }
}
