use std::io;
use std::path::PathBuf;

use logretry_format::SpecError;
use logretry_stage::Fatal;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// A file or directory that does not open.
    #[error("open `{}`: {error}", path.display())]
    Open {
        /// What was to be opened.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A pattern that fits no file, or is no pattern.
    #[error("find a file that fits `{pattern}`{}", detail.as_deref().unwrap_or(""))]
    NoMatch {
        /// The pattern as it was given.
        pattern: String,
        /// What is wrong with the pattern.
        detail: Option<String>,
    },
    /// A directory without logs.
    #[error("find an access log in the directory `{}`; name the files themselves", path.display())]
    NoLogs {
        /// The directory.
        path: PathBuf,
    },
    /// A specification of a format that does not compile.
    #[error("use the format: {0}")]
    Format(#[from] SpecError),
    /// A log in a format that no preset reads.
    #[error(
        "tell the format of `{name}`: {detail}; give it with --format (paste the `log_format` or `LogFormat` of the server), \
         or see what `logretry explain {name}` says"
    )]
    UnknownFormat {
        /// The log.
        name: String,
        /// What was tried.
        detail: String,
    },
    /// A log in UTF-16.
    #[error("read `{name}`: it is UTF-16; turn it into UTF-8 first (`iconv -f UTF-16 -t UTF-8`)")]
    Utf16 {
        /// The log.
        name: String,
    },
    /// Reading or unpacking failed on the way.
    #[error("read `{name}` beyond line {line}: {error}")]
    Read {
        /// The log.
        name: String,
        /// The last line that was read.
        line: u64,
        /// What the system or the decompressor says.
        #[source]
        error: io::Error,
    },
}

impl From<ReaderError> for Fatal {
    fn from(error: ReaderError) -> Self {
        match error {
            ReaderError::Format(_) => Self::usage(error),
            _ => Self::new(error),
        }
    }
}
