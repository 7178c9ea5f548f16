use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStrExt as _;

use bstr::BString;
use logretry_format::{Detection, Format, Verdict};
use logretry_record::Shown;
use logretry_stage::Notes;
use logretry_stage::lines::{Line, Lines};

use crate::unpack::{Compression, unpack};
use crate::{Input, ReaderError};

/// How many lines are looked at to find out a format.
const LINES_MAX: usize = 200;

/// The beginning of a log, for a person who wants to know what logretry makes of it.
#[derive(Debug)]
pub struct Sample {
    /// How the log is called.
    pub name: BString,
    /// What it is compressed with.
    pub compression: Option<Compression>,
    /// Its first lines, without their line ends; at most 200.
    pub lines: Vec<BString>,
    /// How well each preset reads them.
    pub detection: Detection,
}

impl Sample {
    /// Reads the beginning of `input`. Of standard input, that is used up.
    pub fn of(input: &Input, line_bytes_max: usize) -> Result<Self, ReaderError> {
        let Opened { mut lines, name, compression } = open(input, line_bytes_max, |_| ())?;
        let sampled = take(&mut lines, &name)?;
        let detection = detect(&sampled);
        let lines = sampled.into_iter().map(|line| line.text).collect();
        Ok(Self { name, compression, lines, detection })
    }
}

pub(crate) struct Opened {
    pub(crate) lines: Lines<Box<dyn Read + Send>>,
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
    let unpacked = unpack(Counted { reader: packed, count }).map_err(|error| ReaderError::Read {
        name: name.to_string(),
        line: 0,
        error,
    })?;
    if unpacked.utf16 {
        return Err(ReaderError::Utf16 { name: name.to_string() });
    }
    let lines = Lines::new(unpacked.reader, line_bytes_max).after(unpacked.mark_bytes);
    Ok(Opened { lines, name, compression: unpacked.compression })
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

/// A line that outlives the buffer it was read into.
pub(crate) struct SampledLine {
    number: u64,
    offset: u64,
    text: BString,
    cut: bool,
}

impl SampledLine {
    pub(crate) fn as_line(&self) -> Line<'_> {
        Line { number: self.number, offset: self.offset, text: &self.text, cut: self.cut }
    }
}

/// Takes the first lines: as many as are wanted, or as many as are there before the next would have to be waited for.
pub(crate) fn take(lines: &mut Lines<impl Read>, name: &BString) -> Result<Vec<SampledLine>, ReaderError> {
    let mut sampled: Vec<SampledLine> = Vec::new();
    while sampled.is_empty() || (sampled.len() < LINES_MAX && !lines.would_wait()) {
        match lines.next() {
            Ok(Some(Line { number, offset, text, cut })) => {
                sampled.push(SampledLine { number, offset, text: text.into(), cut });
            }
            Ok(None) => break,
            Err(error) => {
                return Err(ReaderError::Read { name: name.to_string(), line: sampled.len() as u64, error });
            }
        }
    }
    Ok(sampled)
}

fn detect(sampled: &[SampledLine]) -> Detection {
    logretry_format::detect(sampled.iter().filter(|line| !line.cut).map(|line| line.text.as_slice()))
}

/// The format of the log that begins with `sampled`; says which one was chosen.
pub(crate) fn format_of(
    sampled: &[SampledLine],
    name: &BString,
    notes: &Notes,
) -> Result<Format, ReaderError> {
    let detection = detect(sampled);
    let lines = detection.lines;
    let unknown = |detail| ReaderError::UnknownFormat { name: Shown(name).to_string(), detail };
    match &detection.verdict {
        Verdict::Chosen(format) => {
            let matched = lines - detection.unmatched();
            notes.say(format_args!(
                "{}: format {}, which {matched} of {lines} lines fit",
                Shown(name),
                format.name()
            ));
            Ok(format.clone())
        }
        Verdict::Ambiguous(one, other) => {
            Err(unknown(format!("{} and {} both fit, and give different URLs", one.name(), other.name())))
        }
        Verdict::Unknown => Err(unknown(detection.scores.first().map_or_else(
            || format!("no known format fits any of its first {lines} lines"),
            |best| {
                format!("{} is the nearest, and fits {} of {lines} lines", best.format.name(), best.matched)
            },
        ))),
    }
}
