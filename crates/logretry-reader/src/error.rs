use std::io;
use std::path::{Path, PathBuf};

use logretry_format::SpecError;
use logretry_record::TimeRangeError;
use logretry_stage::Fatal;
use rustix::io::Errno;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReaderError {
    /// A file or directory that does not open.
    #[error("open `{}`: {error}{}", path.display(), raise_the_limit(error))]
    Open {
        /// What was to be opened.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// Standard input, or nothing, is to be followed.
    #[error("follow standard input: it is read as it grows; leave `--follow` out, or name a log")]
    FollowStdin,
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
    /// A file of `--format @FILE` that cannot be read.
    #[error(
        "read the format from `{}`: {error}; name a file that holds a format, as in `--format @access.format` or \
         `--format @/etc/nginx/nginx.conf#main`",
        path.display()
    )]
    FormatFile {
        /// The file.
        path: PathBuf,
        /// What the system says.
        #[source]
        error: io::Error,
    },
    /// A file that holds no format that can be used.
    #[error("use the format in `{}`: {error}{}", path.display(), name_one(path, error))]
    FormatInFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with what it holds.
        #[source]
        error: SpecError,
    },
    /// A time range in which no line lies.
    #[error(transparent)]
    Times(#[from] TimeRangeError),
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
    /// A log of what went wrong inside the server.
    #[error(
        "tell the format of `{name}`: most of its lines are those of an error log, which tells no statuses; name the access log"
    )]
    ErrorLog {
        /// The log.
        name: String,
    },
    /// What other stages read.
    #[error(
        "read `{name}` as a log: its lines are records, as lr-filter, lr-refire and lr-write take them{}",
        redirected(name)
    )]
    Records {
        /// The file.
        name: String,
    },
    /// What could not be used of a log before.
    #[error(
        "read `{name}` as a log: its lines are rejects, which `--rejects` has kept; name the log that they name"
    )]
    Rejects {
        /// The file.
        name: String,
    },
    /// Logs of which no line is a request, nor anything else that the formats know.
    #[error(
        "use any line of `{name}`{}; `logretry explain {name}` finds out their format, and --format may be given more than once",
        and_more(*others)
    )]
    Useless {
        /// The first of the logs.
        name: String,
        /// How many more there are.
        others: usize,
    },
    /// A log in UTF-16.
    #[error("read `{name}`: it is UTF-16; turn it into UTF-8 first (`iconv -f UTF-16 -t UTF-8`)")]
    Utf16 {
        /// The log.
        name: String,
    },
    /// Several files in one.
    #[error("read `{name}`: it is an archive of files; unpack it first (`{archive}`)")]
    Archive {
        /// The log.
        name: String,
        /// What unpacks it.
        archive: &'static str,
    },
    /// A log that is compressed in a way that is not read.
    #[error("read `{name}`: it is compressed in a way that is not read; unpack it first (`{program}`)")]
    Packed {
        /// The log.
        name: String,
        /// What unpacks it.
        program: &'static str,
    },
    /// A file that is no more where it was when it was named, nor beside it.
    #[error(
        "read `{}` as it was: it has been rotated since, and is at no other name beside it (has it been compressed?); run the same again", path.display()
    )]
    Rotated {
        /// Where it was.
        path: PathBuf,
    },
    /// A file that has become shorter since it was named.
    #[error(
        "read all of `{name}`: it has been emptied meanwhile, as logrotate's copytruncate does; run again, over the copy too"
    )]
    Emptied {
        /// The log.
        name: String,
    },
    /// Reading or unpacking failed on the way.
    #[error("read `{name}` beyond line {line}: {error}{}", leave_out(name, error))]
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

/// What to do where the system opens no more files for this process.
fn raise_the_limit(error: &io::Error) -> &'static str {
    let is_limit = Errno::from_io_error(error) == Some(Errno::MFILE);
    if is_limit { "; raise the limit (`ulimit -n`, or `LimitNOFILE` of a service)" } else { "" }
}

/// What to do about a log that is damaged, as a decompressor finds it: what the system says has a number.
fn leave_out(name: &str, error: &io::Error) -> &'static str {
    let is_damaged = error.raw_os_error().is_none() && name != "-";
    if is_damaged { "; to go on without what is damaged, move it away or name the other logs" } else { "" }
}

fn and_more(others: usize) -> String {
    if others == 0 { String::new() } else { format!(" and {others} more") }
}

/// How they take a file; those of a pipe have no name to give.
fn redirected(name: &str) -> String {
    if name == "-" { String::new() } else { format!(" (`lr-refire … < {name}`)") }
}

/// How a format of a configuration is named, where that is what is missing.
fn name_one(path: &Path, error: &SpecError) -> String {
    match error {
        SpecError::SeveralInConfig { .. } | SpecError::NotInConfig { .. } => {
            format!(" (`@{}#NAME`)", path.display())
        }
        _ => String::new(),
    }
}

impl From<ReaderError> for Fatal {
    fn from(error: ReaderError) -> Self {
        match error {
            ReaderError::FollowStdin
            | ReaderError::Format(_)
            | ReaderError::FormatFile { .. }
            | ReaderError::FormatInFile { .. }
            | ReaderError::Times(_) => Self::usage(error),
            _ => Self::new(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_how_to_go_on_without_a_log_that_is_damaged() {
        let said =
            |name: &str, error| ReaderError::Read { name: name.to_owned(), line: 7, error }.to_string();
        let damaged = || io::Error::from(io::ErrorKind::UnexpectedEof);
        let expected = "read `a.gz` beyond line 7: unexpected end of file; to go on without what is damaged, move it away or name the other logs";
        assert_eq!(said("a.gz", damaged()), expected);
        assert_eq!(said("-", damaged()), "read `-` beyond line 7: unexpected end of file");
        assert!(said("a.gz", Errno::IO.into()).ends_with("(os error 5)"));
    }

    #[test]
    fn a_limit_is_told_from_a_file_that_is_not_there() {
        let said = |errno: Errno| ReaderError::Open { path: "a.log".into(), error: errno.into() }.to_string();
        assert_eq!(said(Errno::NOENT), "open `a.log`: No such file or directory (os error 2)");
        assert!(said(Errno::MFILE).contains("raise the limit (`ulimit -n`"), "{}", said(Errno::MFILE));
    }
}
