//! A file in blocks of whole lines, which several threads read at once.
//!
//! Every block takes the lines that begin in its part of the file, so that where the parts meet no line is lost or read twice, and no thread need wait for another to know which
//! lines are its own. It is read by offset into a buffer, never mapped: a log that is truncated meanwhile gives a short read, and not a signal that ends the process.

use std::fs::File;
use std::io;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;

use memchr::{memchr, memrchr};

/// How much more is read at once of a line that is longer than its block.
const MORE_BYTES: usize = 64 << 10;

/// What of a file is there to be read: from the beginning of a line to where the file ended when it was asked.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Blocks<'f> {
    pub(crate) file: &'f File,
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) line_bytes_max: usize,
    /// Each block takes the lines of so many bytes. With what is made of them, they should fit into a core's cache.
    pub(crate) block_bytes: usize,
}

/// Some lines.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub(crate) bytes: Vec<u8>,
    /// Where in `bytes` its lines are; each ends with `\n`.
    pub(crate) lines: Range<usize>,
    /// Where in the file `bytes` begin.
    pub(crate) offset: u64,
    /// Behind its lines is something that cannot be read in blocks: a line without an end, or one that is too long, or less than there was.
    pub(crate) is_last: bool,
}

impl Block {
    pub(crate) fn text(&self) -> &[u8] {
        &self.bytes[self.lines.clone()]
    }

    /// Where in the file its lines end; none, if it has none.
    pub(crate) fn end(&self) -> Option<u64> {
        (!self.lines.is_empty()).then(|| self.offset + self.lines.end as u64)
    }
}

impl Blocks<'_> {
    pub(crate) fn count(&self) -> u64 {
        (self.end - self.start).div_ceil(self.block_bytes as u64)
    }

    /// Reads a block into `bytes`, whose old content is forgotten.
    pub(crate) fn read(&self, index: u64, bytes: Vec<u8>) -> io::Result<Block> {
        let from = self.start + index * self.block_bytes as u64;
        let to = self.end.min(from + self.block_bytes as u64);
        // The byte before shows whether a line begins here.
        let lead = u64::from(index > 0);
        let mut block = Block { bytes, offset: from - lead, ..Block::default() };
        let mut length = self.fill(&mut block, 0, in_memory(to - from + lead))?;
        block.is_last = length as u64 != to - block.offset;
        let own = &block.bytes[..length];
        let start = if lead == 0 { Some(0) } else { memchr(b'\n', own).map(|found| found + 1) };
        let Some(start) = start.filter(|&start| start < length) else { return Ok(block) };
        let mut line_start = memrchr(b'\n', own).map_or(0, |found| found + 1);
        let mut searched = length;
        while line_start < length && !block.is_last {
            let room = self.end - (block.offset + length as u64);
            // Two bytes more than allowed, for the line end: only then is it certainly too long.
            if room == 0 || length - line_start > self.line_bytes_max.saturating_add(2) {
                block.is_last = true;
                break;
            }
            let more = in_memory(room).min(MORE_BYTES);
            length += self.fill(&mut block, length, more)?;
            block.is_last = length == searched;
            if let Some(found) = memchr(b'\n', &block.bytes[searched..length]) {
                line_start = searched + found + 1;
                break;
            }
            searched = length;
        }
        block.lines = start..line_start.max(start);
        Ok(block)
    }

    /// Reads up to `wanted` bytes behind the first `at` of the block; fewer only at the end of the file.
    fn fill(&self, block: &mut Block, at: usize, wanted: usize) -> io::Result<usize> {
        if block.bytes.len() < at + wanted {
            block.bytes.resize(at + wanted, 0);
        }
        let mut done = 0;
        while done < wanted {
            let place = block.offset + (at + done) as u64;
            match self.file.read_at(&mut block.bytes[at + done..at + wanted], place) {
                Ok(0) => break,
                Ok(read) => done += read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(done)
    }
}

/// A part of a file that is to be in memory. Where numbers are too small for it, less is read at once.
fn in_memory(bytes: u64) -> usize {
    usize::try_from(bytes).unwrap_or(usize::MAX)
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    /// The lines of each block, and what is left behind the last one.
    fn blocks(text: &str, block_bytes: usize, line_bytes_max: usize) -> (Vec<String>, String) {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(text.as_bytes()).expect("a disk");
        let blocks = Blocks { file: &file, start: 0, end: text.len() as u64, line_bytes_max, block_bytes };
        let (mut lines, mut end) = (Vec::new(), 0);
        for index in 0..blocks.count() {
            let block = blocks.read(index, vec![b'\n'; 9]).expect("a block");
            lines.push(String::from_utf8_lossy(block.text()).into_owned());
            end = block.end().map_or(end, in_memory);
            if block.is_last {
                break;
            }
        }
        (lines, text[end..].to_owned())
    }

    #[test]
    fn a_line_is_in_the_block_that_it_begins_in() {
        let (lines, rest) = blocks("one\ntwo\nthree\nfour\n", 4, 100);
        assert_eq!(
            (lines, &*rest),
            (["one\n", "two\n", "three\n", "four\n", ""].map(str::to_owned).to_vec(), "")
        );
        let (lines, rest) = blocks("one\ntwo\nthree\nfour\n", 7, 100);
        assert_eq!((lines, &*rest), (["one\ntwo\n", "three\n", "four\n"].map(str::to_owned).to_vec(), ""));
        let (lines, rest) = blocks("\n\n\n\n", 1, 100);
        assert_eq!((lines, &*rest), (["\n"; 4].map(str::to_owned).to_vec(), ""));
    }

    #[test]
    fn what_is_no_whole_line_is_left() {
        let (lines, rest) = blocks("one\ntwo\nthr", 4, 100);
        assert_eq!((lines, &*rest), (["one\n", "two\n", ""].map(str::to_owned).to_vec(), "thr"));
        let long = "x".repeat(3 * MORE_BYTES) + "\nthree\n";
        let (lines, rest) = blocks(&("one\n".to_owned() + &long), 4, 5);
        assert_eq!((lines, rest), (["one\n", ""].map(str::to_owned).to_vec(), long));
    }

    #[test]
    fn whatever_the_size_of_the_blocks_all_lines_are_read_once() {
        let text: String = (0..200).map(|line| "x".repeat(line * 7919 % 90) + "\n").collect();
        for block_bytes in 1..300 {
            let (lines, rest) = blocks(&(text.clone() + "tail"), block_bytes, 100);
            assert_eq!((lines.concat(), &*rest), (text.clone(), "tail"), "{block_bytes}");
        }
    }

    #[test]
    fn a_file_that_has_become_shorter_ends_early() {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(b"one\ntwo\nthree\n").expect("a disk");
        let blocks = Blocks { file: &file, start: 0, end: 14, line_bytes_max: 100, block_bytes: 6 };
        file.set_len(10).expect("a disk");
        let block = blocks.read(1, Vec::new()).expect("a block");
        assert_eq!((block.text(), block.is_last), (&b""[..], true));
    }
}
