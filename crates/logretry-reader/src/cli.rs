use std::ffi::OsString;

use clap::Args;
use logretry_record::Predicate;
use logretry_stage::parse_bytes;

use crate::{Following, Reader, ReaderError, ReaderOptions, format, inputs};

/// Which logs are read, and how.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Logs")]
pub struct ReadArgs {
    /// Access logs: files, quoted globs, directories of rotated logs (read oldest first), or `-` for standard input, which is
    /// also the default. Of a directory, the files are read whose names speak of `access` (but no hidden ones); where none does, all `*.log*` that do not speak of
    /// errors. gzip, zstd, bzip2 and xz are unpacked, whatever the name says.
    #[arg(value_name = "LOG")]
    pub logs: Vec<OsString>,

    /// The format of the logs: a preset's name (`logretry formats` lists them), or the text of the `log_format` or `LogFormat` pasted
    /// from the server's configuration, or `@FILE` with that text in it, or `@/etc/nginx/nginx.conf#NAME`, or the keys of a log whose values have
    /// names (`json:status=.code,url=.req.url`, and `ltsv:`, `logfmt:`), or `regex:` and an expression with the groups `status`, `method`, `target` and so on. Given more
    /// than once, each line is tried with each in turn. Without it the format is found out for each log
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

    /// The reader that follows these logs as `follow` says, otherwise as [`ReadArgs::reader`].
    pub fn follower(
        &self,
        follow: &FollowArgs,
        predicate: Option<Predicate>,
        strict: bool,
    ) -> Result<Reader, ReaderError> {
        match follow.following(&self.logs)? {
            Some(following) => Ok(Reader::following(following, self.options(predicate, strict)?)),
            None => self.reader(predicate, strict),
        }
    }

    /// How the logs are to be read.
    pub fn options(&self, predicate: Option<Predicate>, strict: bool) -> Result<ReaderOptions, ReaderError> {
        let formats = self.format.iter().map(|spec| format(spec)).collect::<Result<_, _>>()?;
        predicate.as_ref().map(|predicate| predicate.time.checked()).transpose()?;
        Ok(ReaderOptions {
            formats,
            line_bytes_max: self.line_limit,
            predicate,
            strict,
            ..ReaderOptions::default()
        })
    }
}

/// Whether logs are followed while they grow.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Following")]
pub struct FollowArgs {
    /// Do not end with the end of the logs, but read what is written to them from now on, through rotation (renamed, copied, compressed), truncation and removal. Logs
    /// that appear in a directory or under a glob later are read from their beginning. Ctrl-C ends it
    #[arg(short, long)]
    pub follow: bool,

    /// With --follow: first read what is there already; of a directory or a glob, the rotated logs too, whenever this is given (with `run --positions`, once)
    #[arg(long, requires = "follow")]
    pub from_start: bool,

    /// With --follow: end when all the logs have been removed, and read to their ends
    #[arg(long, requires = "follow")]
    pub exit_on_delete: bool,
}

impl FollowArgs {
    /// What of `logs` is to be followed, if that is asked for.
    pub fn following(&self, logs: &[OsString]) -> Result<Option<Following>, ReaderError> {
        if !self.follow {
            return Ok(None);
        }
        let following = Following::new(logs)?;
        Ok(Some(Following { from_start: self.from_start, exit_on_delete: self.exit_on_delete, ..following }))
    }
}
