use std::fs::File;
use std::io::{self, Read as _};
use std::path::Path;

use logretry_record::Record;

use crate::{LogFileError, table};

/// What a line of the retry log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Form {
    /// The log line itself, with the URL marked and the refire's status, time, size and duration
    #[default]
    Same,
    /// The marked URL alone
    Url,
    /// A line in combined format, whatever the log's was
    Combined,
    /// The record as NDJSON, with the URL of its refire marked
    Json,
    /// A row of a table, before and after, under a header
    Csv,
}

impl Form {
    /// What stands at the head of a new retry log in this form: column names, if it is a table.
    pub fn header(self) -> Option<Vec<u8>> {
        (self == Self::Csv).then(table::header)
    }

    /// Refuses to append lines in this form to a retry log at `path` that was begun in another one: nobody could read the file then. Log lines in two formats are no
    /// two forms, for logs may be mixed as well.
    ///
    /// # Errors
    ///
    /// If it was, or if it cannot be read.
    pub fn refuse_another(self, path: &Path) -> Result<(), LogFileError> {
        // Where it cannot be opened, whoever opens it to append to it says what is wrong.
        let Some(file) = path.is_file().then(|| File::open(path).ok()).flatten() else { return Ok(()) };
        let failed = |error| LogFileError { path: path.to_owned(), error };
        let mut head = Vec::new();
        file.take(HEAD_BYTES).read_to_end(&mut head).map_err(failed)?;
        let line = head.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let Some(other) = self.other_than(line) else { return Ok(()) };
        Err(failed(io::Error::other(format!(
            "it was begun with {other}, and other lines would not be read beside them; give that form as before"
        ))))
    }

    /// What `line`, the first one of a retry log, is, where it was not written in this form. A log line may be a record too, or as good as any URL.
    fn other_than(self, line: &[u8]) -> Option<&'static str> {
        let is_url = line.starts_with(b"http://") || line.starts_with(b"https://");
        let is_nothing_else = || line.iter().all(|byte| byte.is_ascii_graphic() && !b",;|\"".contains(byte));
        let is_table = table::header().starts_with(line);
        let is_record = line.starts_with(Record::BEGINNING);
        match self {
            _ if line.is_empty() => None,
            Self::Csv if is_table => None,
            Self::Json | Self::Same if is_record => None,
            Self::Url if is_url => None,
            _ if is_table => Some("a table (`--as csv`)"),
            _ if is_record => Some("records (`--as json`)"),
            _ if is_url && is_nothing_else() => Some("URLs (`--as url`)"),
            Self::Same | Self::Combined => None,
            Self::Csv | Self::Json | Self::Url => Some("log lines (`--as same` or `combined`)"),
        }
    }
}

/// So much of a retry log is looked at to find its first line.
const HEAD_BYTES: u64 = 16 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_retry_log_keeps_the_form_that_it_was_begun_in() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.log");
        let all = [Form::Same, Form::Combined, Form::Url, Form::Json, Form::Csv];
        let taken = |head: &[u8]| {
            std::fs::write(&path, head).expect("a file");
            all.into_iter().filter(|form| form.refuse_another(&path).is_ok()).collect::<Vec<_>>()
        };
        assert_eq!(taken(b""), all);
        assert_eq!(taken(b"203.0.113.9 - - [22/Nov"), [Form::Same, Form::Combined]);
        assert_eq!(
            taken(b"http://shop.example/a?b=1,2&retry=True\n"),
            [Form::Same, Form::Combined, Form::Url]
        );
        assert_eq!(taken(b"http://shop.example/a?retry=True\nx"), [Form::Url]);
        assert_eq!(
            taken(b"https://shop.example/a?retry=True 200\n"),
            [Form::Same, Form::Combined, Form::Url]
        );
        assert_eq!(taken(b"{\"v\":1,\"id\":\"5b\"}\n"), [Form::Same, Form::Json]);
        assert_eq!(taken(b"{\"status\":200}\n"), [Form::Same, Form::Combined]);
        assert_eq!(taken(&table::header()), [Form::Csv]);
        std::fs::remove_file(&path).expect("a file");
        assert!(Form::Csv.refuse_another(&path).is_ok(), "it is new");
    }
}
