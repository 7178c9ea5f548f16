use std::path::PathBuf;

use clap::Args;
use clap::builder::{PathBufValueParser, TypedValueParser};
use logretry_record::Mark;

use crate::{Notes, Rejects, Result};

/// What happens to lines and records that cannot be used.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Lines that cannot be used")]
pub struct RejectArgs {
    /// Write every line that cannot be used to FILE, as NDJSON with its position and the reason, in the place of those of an earlier run
    #[arg(long, value_name = "FILE", value_parser = file_to_write())]
    pub rejects: Option<PathBuf>,

    /// End with exit code 5 if a line could not be used (everything else is done all the same)
    #[arg(long)]
    pub strict: bool,
}

impl RejectArgs {
    /// The context of a run that rejects as these flags say.
    pub fn context(&self, notes: Notes) -> Result<crate::Context> {
        let rejects = self.rejects.as_deref().map_or_else(|| Ok(Rejects::default()), Rejects::to_file)?;
        Ok(crate::Context::new(rejects, notes))
    }
}

/// The mark of the retry log. The filter knows our own lines by it, the writer puts it on.
#[derive(Debug, Clone, Default, Args)]
pub struct MarkArgs {
    /// The query parameter that marks a refired URL in the retry log
    #[arg(long, value_name = "NAME=VALUE", default_value_t, help_heading = "Retry log")]
    pub mark: Mark,
}

/// Takes the name of a file that is written; `-`, which elsewhere is standard input or output, is none.
pub fn file_to_write() -> impl TypedValueParser<Value = PathBuf> {
    PathBufValueParser::new().try_map(|path| {
        if path.as_os_str() == "-" {
            Err("it names no file; one that is called so is `./-`")
        } else {
            Ok(path)
        }
    })
}

/// Reads a number of bytes as flags take it: `4096`, `512KiB`, `1MiB`, `2GiB`, or with `K`, `M`, `G` for the same.
///
/// ```
/// assert_eq!(logretry_stage::parse_bytes("1MiB"), Ok(1 << 20));
/// assert!(logretry_stage::parse_bytes("1 apple").is_err());
/// ```
pub fn parse_bytes(text: &str) -> Result<usize, String> {
    let digits = text.bytes().take_while(u8::is_ascii_digit).count();
    let (number, unit) = text.split_at(digits);
    let shift = match unit.trim().to_ascii_lowercase().as_str() {
        "" | "b" => 0,
        "k" | "kib" => 10,
        "m" | "mib" => 20,
        "g" | "gib" => 30,
        _ => return Err(format!("`{text}` is not a size; write `4096`, `512KiB` or `1MiB`")),
    };
    let number: Option<usize> = number.parse().ok();
    number
        .and_then(|number| number.checked_mul(1 << shift))
        .ok_or_else(|| format!("`{text}` is not a size; write `4096`, `512KiB` or `1MiB`"))
}
