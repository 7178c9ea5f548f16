use clap::Args;
use logretry_format::Preset;
use logretry_stage::Result;

use crate::cli::answer;

/// Lists the formats that are known by name, each with an example line.
///
/// A log in another format is read by pasting the text of its `log_format` or `LogFormat` after --format, with or without the directive around it.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  logretry formats
  lr-read --format combined access.log | head -1
  lr-read access.log \\
    --format '%h %l %u %t \"%r\" %>s %b \"%{Referer}i\" \"%{User-Agent}i\"'")]
pub(crate) struct Formats {}

impl Formats {
    #[expect(clippy::unused_self, reason = "the commands are all run the same way")]
    pub(crate) fn run(&self) -> Result<()> {
        let entries = logretry_format::presets().iter().map(|preset| {
            let Preset { name, about, spec, example, .. } = preset;
            format!("{name}\n  {about}\n  spec: {spec}\n  line: {example}\n")
        });
        answer(entries.collect::<Vec<_>>().join("\n").as_bytes())
    }
}
