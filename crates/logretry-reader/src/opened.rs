use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;

use bstr::BString;

use crate::entries::Entries;
use crate::unpack::{Compression, unpack};
use crate::{Input, ReaderError};

/// A log of which nothing has been read yet but what shows what it is.
pub(crate) struct Opened {
    pub(crate) entries: Entries,
    pub(crate) name: BString,
    pub(crate) compression: Option<Compression>,
}

/// Opens and unpacks `input`; `count` is told of the bytes that are read, as they lie on disk.
pub(crate) fn open(
    input: &Input,
    line_bytes_max: usize,
    count: impl FnMut(u64) + Send + 'static,
) -> Result<Opened, ReaderError> {
    let name = BString::from(input.name().as_bytes());
    let packed: Box<dyn Read + Send> = match input {
        Input::Stdin => Box::new(io::stdin()),
        Input::File(path) => {
            Box::new(File::open(path).map_err(|error| ReaderError::Open { path: path.clone(), error })?)
        }
    };
    let read_error = |error| ReaderError::Read { name: name.to_string(), line: 0, error };
    let unpacked = unpack(Counted { reader: packed, count }).map_err(read_error)?;
    if unpacked.utf16 {
        return Err(ReaderError::Utf16 { name: name.to_string() });
    }
    let entries = Entries::new(unpacked.reader, line_bytes_max, unpacked.mark_bytes).map_err(read_error)?;
    Ok(Opened { entries, name, compression: unpacked.compression })
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
