use std::path::{Path, PathBuf};

use clap::Parser;
use logretry_filter::EarlyArgs;
use logretry_reader::{FollowArgs, ReadArgs};
use logretry_stage::{Context, Result, pipe};

use crate::cli::{Common, Program, Setup};
use crate::files::leave_out;

/// Reads access logs and writes each request as a record: one JSON object a line.
///
/// Logs are read one after the other, rotated ones oldest first, and unpacked on the way. Each line is tried with the formats
/// of --format in turn, or with the one that was found out from the log's first lines. A line that fits becomes a record. A blank line, a comment
/// and, with --status, --since or --until, a line that these do not want is screened. Any other line is rejected: it is counted, the first ones
/// are shown, and --rejects keeps them all. Of a server that has been asked again, lines that logretry itself has caused become records too: lr-filter drops them.
///
/// With --follow it goes on with what is written to the logs, through rotation, and ends when it is stopped.
#[derive(Debug, Parser)]
#[command(name = "lr-read", version, after_help = EXAMPLES)]
pub struct Read {
    #[command(flatten)]
    logs: ReadArgs,

    #[command(flatten)]
    follow: FollowArgs,

    #[command(flatten)]
    early: EarlyArgs,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  lr-read access.log | jq -r '[.original.status, .original.target] | @tsv'
  lr-read --status 502,504 access.log | lr-filter |
    lr-refire --base-url https://shop.example | lr-write -o retry.log
  zcat -f access.log* | lr-read --format combined --rejects rejects.ndjson";

impl Program for Read {
    fn setup(&self) -> Setup {
        Setup::of_stage("lr-read", &self.common, false)
    }

    async fn run(self, cx: &Context) -> Result<()> {
        let early = &self.early;
        let asks = early.status.is_some() || early.since.is_some() || early.until.is_some();
        let wanted = asks.then(|| early.predicate());
        let reader = self.logs.follower(&self.follow, wanted, self.common.rejects.strict)?;
        let written =
            self.common.rejects.rejects.iter().map(PathBuf::as_path).chain([Path::new("/dev/stdout")]);
        let reader = leave_out(reader, &self.logs.logs, written);
        pipe::Output::stdout().drain_encoded(reader.open_encoded(cx), cx).await
    }
}
