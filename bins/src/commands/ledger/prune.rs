use std::path::PathBuf;

use clap::{ArgGroup, Args};
use jiff::{Span, Timestamp, Zoned};
use logretry_filter::parse_moment;
use logretry_stage::{Fatal, Result};

use super::{look, open_to};
use crate::cli::answer;

/// Makes a ledger forget the outcomes from before a time.
///
/// A request whose outcome is forgotten would be sent again if its line were read again. So prune what is older than any log that logretry will still read:
/// than the rotated ones that are kept, say. Kept are how many outcomes there were of which, what has not ended, and what the retry log does not hold yet. The file does not
/// shrink; its room is used again.
///
/// It is refused while a run is using the ledger.
#[derive(Debug, Args)]
#[command(group(ArgGroup::new("age").required(true).args(["before", "older_than"])))]
#[command(after_help = "\
Examples:
  logretry ledger prune retry.log.ledger --older-than 90d
  logretry ledger prune retry.log.ledger --before 2025-12-31")]
pub(crate) struct Prune {
    /// The ledger: beside the retry log, if not named otherwise
    #[arg(value_name = "LEDGER")]
    ledger: PathBuf,

    /// Outcomes from before this time: `2026-08-01`, `2026-08-01T06:00:00Z`, `06:00` (today)
    #[arg(long, value_name = "TIME", value_parser = moment)]
    before: Option<Timestamp>,

    /// Outcomes that are older than this: `90d`, `12w`, `36h`
    #[arg(long, value_name = "AGE", value_parser = ago)]
    older_than: Option<Timestamp>,
}

impl Prune {
    pub(crate) async fn run(self) -> Result<()> {
        // Asked before anything is opened to be written: it may be somebody's file.
        drop(look(&self.ledger)?);
        let Some(before) = self.before.or(self.older_than) else {
            return Err(Fatal::usage("prune without --before or --older-than"));
        };
        let path = self.ledger.clone();
        let forget = move || {
            let ledger = open_to("prune", &path)?;
            let number = ledger.forget_before(before).map_err(Fatal::new)?;
            ledger.close().wait().map_err(Fatal::new)?;
            Ok::<_, Fatal>(number)
        };
        let number = tokio::task::spawn_blocking(forget).await.map_err(Fatal::new)??;
        let noun = if number == 1 { "outcome" } else { "outcomes" };
        let mut text = format!("{number} {noun} from before {before:.0} forgotten\n");
        if number > 0 {
            text += "If their lines are read again, their requests are sent again.\n";
        }
        answer(text.as_bytes())
    }
}

/// A time that has passed. Before one that is still to come lies everything, also what nobody meant who wrote a wrong year.
fn moment(text: &str) -> Result<Timestamp, String> {
    let now = Zoned::now();
    let moment = parse_moment(text, &now).map_err(|error| error.to_string())?;
    if moment > now.timestamp() {
        return Err(format!("{moment:.0} is still to come; to forget all, write `--older-than 1s`"));
    }
    Ok(moment)
}

/// The time that lies so far back: `90d` means 90 days of the calendar.
fn ago(text: &str) -> Result<Timestamp, String> {
    let wrong = || format!("`{text}` is not an age; write `90d`, `12w` or `36h`");
    let age: Span = text.trim().parse().map_err(|_| wrong())?;
    if !age.is_positive() {
        return Err(wrong());
    }
    Zoned::now().checked_sub(age).map(|time| time.timestamp()).map_err(|_| wrong())
}
