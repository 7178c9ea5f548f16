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
        (self == Self::Csv).then(crate::table::header)
    }
}
