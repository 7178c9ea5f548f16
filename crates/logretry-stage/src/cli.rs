use std::path::PathBuf;

use clap::Args;

use crate::{Notes, Rejects, Result};

/// What happens to lines and records that cannot be used.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Lines that cannot be used")]
pub struct RejectArgs {
    /// Write every line that cannot be used to FILE, as NDJSON with its position and the reason
    #[arg(long, value_name = "FILE")]
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
