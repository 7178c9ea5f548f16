use std::fs::File;
use std::io::{self, Read, Seek as _, SeekFrom};
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt as _;

use bstr::BString;
use logretry_stage::lines::Lines;

use crate::ahead::Ahead;
use crate::arrival::Arrival;
use crate::entries::Entries;
use crate::named::Named;
use crate::unpack::{Compression, compression, unpack};
use crate::{Input, ReaderError};

/// A log of which nothing has been read yet but what shows what it is.
pub(crate) struct Opened {
    pub(crate) entries: Entries,
    pub(crate) name: BString,
    pub(crate) compression: Option<Compression>,
    /// How its bytes come.
    pub(crate) arrival: Arrival,
    /// The file, if it holds the log's lines as they are.
    pub(crate) plain: Option<File>,
}

/// Opens and unpacks what was `named`; `count` is told of the bytes that are read, as they lie on disk.
pub(crate) fn open(
    named: &Named,
    line_bytes_max: usize,
    count: impl FnMut(u64) + Send + 'static,
) -> Result<Opened, ReaderError> {
    let name = BString::from(named.input.name().as_bytes());
    let mut plain = None;
    let mut from: Option<Box<dyn AsFd + Send>> = None;
    let packed: Box<dyn Read + Send> = match &named.input {
        Input::Stdin => {
            from = Some(Box::new(io::stdin()));
            Box::new(Once { reader: io::stdin(), has_ended: false })
        }
        Input::File(path) => {
            let file = named.open(path)?;
            // Without the handle it is read as well, only more slowly.
            plain =
                file.try_clone().ok().filter(|file| file.metadata().is_ok_and(|metadata| metadata.is_file()));
            if let Ok(file) = file.try_clone() {
                from = Some(Box::new(file));
            }
            Box::new(file)
        }
    };
    let read_error = |error| ReaderError::Read { name: name.to_string(), line: 0, error };
    let unpacked = unpack(Counted { reader: packed, count }).map_err(read_error)?;
    if unpacked.utf16 {
        return Err(ReaderError::Utf16 { name: name.to_string() });
    }
    // What is unpacked may be here when nothing more comes.
    let arrival = Arrival::of(from.filter(|_| unpacked.compression.is_none()));
    let reader = match unpacked.compression {
        None => unpacked.reader,
        Some(_) => Box::new(Ahead::of(unpacked.reader).map_err(read_error)?),
    };
    let entries = Entries::new(reader, line_bytes_max, unpacked.mark_bytes).map_err(read_error)?;
    let plain = plain.filter(|_| unpacked.compression.is_none() && matches!(entries, Entries::Lines(_)));
    Ok(Opened { entries, name, compression: unpacked.compression, arrival, plain })
}

/// Whether it is a file that one thread reads, because it is compressed or small. What is no file can only be looked at once.
pub(crate) fn is_read_by_one(named: &Named, crew_bytes_min: u64) -> bool {
    let (Input::File(path), Some(bytes)) = (&named.input, named.bytes()) else { return false };
    if bytes < crew_bytes_min {
        return true;
    }
    let mut head = Vec::new();
    let is_read = named.open(path).is_ok_and(|file| file.take(HEAD_BYTES).read_to_end(&mut head).is_ok());
    is_read && compression(&head).is_some()
}

/// Enough of a file to tell its compression.
const HEAD_BYTES: u64 = 6;

/// The lines of `file` from `offset` on, before which `lines` lines stand.
pub(crate) fn lines_from(
    file: &File,
    (lines, offset): (u64, u64),
    line_bytes_max: usize,
    count: impl FnMut(u64) + Send + 'static,
) -> io::Result<Entries> {
    let mut reader = file.try_clone()?;
    reader.seek(SeekFrom::Start(offset))?;
    let reader: Box<dyn Read + Send> = Box::new(Counted { reader, count });
    Ok(Entries::Lines(Lines::new(reader, line_bytes_max).after(offset).numbered_after(lines)))
}

struct Counted<R, C> {
    reader: R,
    count: C,
}

impl<R: Read, C: FnMut(u64)> Read for Counted<R, C> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.reader.read(buffer)?;
        (self.count)(read as u64);
        Ok(read)
    }
}

/// What is not read again once it has ended. A terminal would go on after Ctrl-D, and want another one for each time that it is asked.
struct Once<R> {
    reader: R,
    has_ended: bool,
}

impl<R: Read> Read for Once<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.has_ended {
            return Ok(0);
        }
        let read = self.reader.read(buffer)?;
        self.has_ended = read == 0 && !buffer.is_empty();
        Ok(read)
    }
}
