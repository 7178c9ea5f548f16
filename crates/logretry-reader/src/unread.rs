//! Lines that a crew leaves unread because a screen rules them out, until somebody has to see them after all.

use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt as _;

use bstr::BString;
use logretry_stage::bridge::Break;
use logretry_stage::lines::{Line, Lines};

use crate::ReaderError;

/// The stretches of a file in which lines were left unread.
#[derive(Debug, Default)]
pub(crate) struct Unread {
    file: Option<File>,
    stretches: Vec<Stretch>,
}

#[derive(Debug)]
struct Stretch {
    lines_before: u64,
    start: u64,
    /// The greatest number, as long as it goes on.
    end: u64,
}

impl Unread {
    pub(crate) fn is_empty(&self) -> bool {
        self.stretches.is_empty()
    }

    /// A stretch of `file` begins, before which so many lines and bytes stand.
    pub(crate) fn begin(&mut self, file: &File, (lines_before, start): (u64, u64)) -> io::Result<()> {
        if self.file.is_none() {
            self.file = Some(file.try_clone()?);
        }
        self.stretches.push(Stretch { lines_before, start, end: u64::MAX });
        Ok(())
    }

    /// The last stretch ends.
    pub(crate) fn end(&mut self, end: u64) {
        if let Some(stretch) = self.stretches.last_mut() {
            stretch.end = stretch.end.min(end);
        }
    }

    /// Gives all lines of the stretches, read or not, that begin before `end`.
    pub(crate) fn each_before(
        self,
        end: u64,
        name: &BString,
        line_bytes_max: usize,
        mut give: impl FnMut(&Line<'_>) -> Result<(), Break>,
    ) -> Result<(), Break> {
        let Some(file) = self.file else { return Ok(()) };
        for stretch in self.stretches {
            let from = At { file: &file, offset: stretch.start };
            let mut lines =
                Lines::new(from, line_bytes_max).after(stretch.start).numbered_after(stretch.lines_before);
            let mut last = stretch.lines_before;
            loop {
                match lines.next() {
                    Ok(Some(line)) if line.offset < end.min(stretch.end) => {
                        last = line.number;
                        give(&line)?;
                    }
                    Ok(_) => break,
                    Err(error) => {
                        let name = name.to_string();
                        return Err(ReaderError::Read { name, line: last, error }.into());
                    }
                }
            }
        }
        Ok(())
    }
}

/// Reads a file from a place on, and moves no cursor: whoever reads the log has the same file.
struct At<'f> {
    file: &'f File,
    offset: u64,
}

impl Read for At<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
