use bstr::BString;
use logretry_format::{Detection, Format, Parsed};
use logretry_record::{Origin, Record, RecordId};

use crate::capture;
use crate::error_log::is_error_log;
use crate::named::Named;
use crate::search::{Search, Searched};
use crate::survey::Survey;
use crate::wrappers::Wrapper;
use crate::{Compression, Input, ReaderError, opened};

/// The beginning of a log, for a person who wants to know what logretry makes of it.
#[derive(Debug)]
pub struct Sample {
    /// How the log is called.
    pub name: BString,
    /// What it is compressed with.
    pub compression: Option<Compression>,
    /// What is around the lines, the outermost first; empty where a line stands as the web server wrote it.
    pub wrappers: Vec<Wrapper>,
    /// Its first lines as the web server wrote them, without wrappers and line ends, those in pieces put together; at most 200. Where nothing in the
    /// first 200 lines is in a known format, the first lines among which something is.
    pub lines: Vec<BString>,
    /// The number of each of these lines in the log, from 1: that of its first piece.
    pub numbers: Vec<u64>,
    /// How well each preset reads them.
    pub detection: Detection,
}

impl Sample {
    /// The record of the line at `index`, which `parsed` has read in `format`; of a capture with headers and body.
    ///
    /// # Errors
    ///
    /// What is wrong with a captured exchange, as a fragment that fits after "cannot use the line: ".
    pub fn record(&self, index: usize, format: &Format, parsed: &Parsed<'_>) -> Result<Record, String> {
        let text = &self.lines[index];
        let mut exchange = parsed.exchange();
        let line =
            capture::complete(format, text, &mut exchange, usize::MAX)?.unwrap_or_else(|| text.clone());
        let origin = Origin::new(self.name.clone(), self.numbers[index], 0, format.name(), line);
        Ok(Record::new(RecordId::of_line(text, 0), origin, exchange))
    }

    /// Whether most of its lines are those of an error log, which tells no statuses.
    pub fn is_error_log(&self) -> bool {
        is_error_log(self.lines.iter().map(|line| line.as_slice()))
    }

    /// Reads the beginning of `input`. Of standard input, that is used up.
    pub fn of(input: &Input, line_bytes_max: usize) -> Result<Self, ReaderError> {
        Self::in_formats(input, line_bytes_max, &[])
    }

    /// The same, where it is known that the log is in one of `formats`: they decide which lines are wrapped. None: as [`Sample::of`].
    pub fn in_formats(input: &Input, line_bytes_max: usize, formats: &[Format]) -> Result<Self, ReaderError> {
        let opened::Opened { mut entries, name, compression, arrival, .. } =
            opened::open(&Named::of(input.clone()), line_bytes_max, |_| ())?;
        let mut search = Search::new(name.clone(), entries.wrapper(), line_bytes_max).in_what_comes(arrival);
        let (detection, survey, wrappers, depth) = if formats.is_empty() {
            let Searched { found, survey, wrappers } = search.run(&mut entries)?;
            if let Some(error) = search.take_error().filter(|_| found.is_unknown()) {
                return Err(error);
            }
            (found.detection, survey, wrappers, found.depth)
        } else {
            search.read(&mut entries)?;
            let survey = Survey::of(&search.kept, line_bytes_max);
            let wrappers = search.around(&survey, formats).map(|(_, wrappers)| wrappers).unwrap_or_default();
            let depth = wrappers.len().saturating_sub(usize::from(entries.wrapper().is_some()));
            (survey.detect().detection, survey, wrappers, depth)
        };
        let numbers = survey.lines.iter().map(|line| line.place.number).collect();
        let lines = survey.lines.iter().map(|line| line.at(depth).into()).collect();
        Ok(Self { name, compression, wrappers, lines, numbers, detection })
    }
}
