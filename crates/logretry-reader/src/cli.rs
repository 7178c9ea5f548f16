use std::ffi::OsString;

use clap::Args;
use logretry_record::Predicate;
use logretry_stage::parse_bytes;

use crate::{Reader, ReaderError, ReaderOptions, format, inputs};

/// Which logs are read, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct ReadArgs {
    /// Access logs: files, quoted globs, directories of rotated logs (read oldest first), or `-` for standard input, which is
    /// also the default. gzip, zstd, bzip2 and xz are unpacked, whatever the name says.
    #[arg(value_name = "LOG")]
    pub logs: Vec<OsString>,

    /// The format of the logs: a preset's name (`logretry formats` lists them), or the text of the `log_format` or `LogFormat` pasted
    /// from the server's configuration, or `@FILE` with that text in it, or `@/etc/nginx/nginx.conf#NAME`. Given more than once, each
    /// line is tried with each in turn. Without it the format is found out for each log
    #[arg(long, value_name = "SPEC")]
    pub format: Vec<String>,

    /// Lines longer than this are rejected, so that a broken log cannot fill the memory
    #[arg(long, value_name = "BYTES", default_value = "1MiB", value_parser = parse_bytes)]
    pub line_limit: usize,
}

impl ReadArgs {
    /// The reader that these flags ask for, which may leave out what `predicate` will not select, and leave it unread unless that is `strict`.
    pub fn reader(&self, predicate: Option<Predicate>, strict: bool) -> Result<Reader, ReaderError> {
        Ok(Reader::new(inputs(&self.logs)?, self.options(predicate, strict)?))
    }

    /// How the logs are to be read.
    pub fn options(&self, predicate: Option<Predicate>, strict: bool) -> Result<ReaderOptions, ReaderError> {
        let formats = self.format.iter().map(|spec| format(spec)).collect::<Result<_, _>>()?;
        Ok(ReaderOptions {
            formats,
            line_bytes_max: self.line_limit,
            predicate,
            strict,
            ..ReaderOptions::default()
        })
    }
}
