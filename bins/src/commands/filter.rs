use clap::Parser;
use logretry_filter::SelectArgs;
use logretry_stage::{Context, MarkArgs, Result, Sink as _, Source as _, Stage as _, pipe};

use crate::cli::{Common, Program, Setup};

/// Lets those records pass that are to be sent again, byte for byte as they came.
///
/// It decides in this order, and counts what it drops under the first answer: is it our own (it carries the mark, or our user agent)? has it the status,
/// method, host, path and time asked for, and does --where hold? is it a duplicate, outside of the sample, over the limit? Without flags it keeps what was answered with 5xx.
#[derive(Debug, Parser)]
#[command(name = "lr-filter", version, after_help = EXAMPLES)]
pub struct Filter {
    #[command(flatten)]
    select: SelectArgs,

    #[command(flatten)]
    mark: MarkArgs,

    #[command(flatten)]
    common: Common,
}

const EXAMPLES: &str = "\
Examples:
  lr-read access.log | lr-filter --status 502-504 --path '/api/*' | jq -r .id
  lr-read access.log | lr-filter --dedupe --limit 100 |
    lr-refire --base-url https://shop.example | lr-write
  lr-read access.log | lr-filter --where '.original.bytes > 1000' |
    jq -r .original.target
  lr-read access.log | lr-filter --since '2026-11-22 06:00' | jq -s length";

impl Program for Filter {
    fn setup(&self) -> Setup {
        Setup::of_stage("lr-filter", &self.common, true)
    }

    async fn run(self, cx: &Context) -> Result<()> {
        let filter = self.select.filter(&self.mark.mark)?;
        let mut input = pipe::Input::stdin();
        // Under --strict every line is to be read, and none passed over.
        if !self.common.rejects.strict {
            input = input.screened_by(self.select.needed(&self.mark.mark));
        }
        let records = input.open(cx);
        Box::pin(pipe::Output::stdout().drain(filter.apply(records, cx), cx)).await
    }
}
