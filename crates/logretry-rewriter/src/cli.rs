use std::io::Write;
use std::path::PathBuf;

use clap::Args;
use logretry_record::Mark;
use logretry_stage::{Fatal, Reopen, file_to_write};

use crate::{DeadLetters, Form, LogFileError, Rewriter};

/// Where the retry log goes, and what it looks like.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Retry log")]
pub struct WriteArgs {
    /// Append the retry log to FILE; without it, it goes to standard output
    #[arg(short, long, value_name = "FILE", value_parser = file_to_write())]
    pub output: Option<PathBuf>,

    /// The form of its lines. A file that was begun in another one is refused
    #[arg(long = "as", value_name = "FORM", value_enum, default_value_t)]
    pub form: Form,

    /// Append the records that did not recover, and that this run does not send again, to FILE: NDJSON that lr-refire takes. What a run with a ledger leaves unsent, without a
    /// connection or cut off is not among them: the same command again sends it, or `logretry held` lists it. (With --follow, what is not read again is.) What stands in FILE already is not
    /// added again, but for what was sent once more since, as without a ledger, and failed once more: of several that are the same request, lr-refire sends one
    #[arg(long, value_name = "FILE", value_parser = file_to_write())]
    pub dead_letter: Option<PathBuf>,
}

impl WriteArgs {
    /// What a summary calls the place that the retry log goes to.
    pub fn place(&self) -> String {
        self.output.as_ref().map_or_else(|| "standard output".to_owned(), |path| path.display().to_string())
    }

    /// The sink that these flags ask for. Opens the retry log.
    pub fn rewriter(
        &self,
        mark: &Mark,
        reopen: &Reopen,
    ) -> Result<Rewriter<Box<dyn Write + Send>>, LogFileError> {
        match &self.output {
            Some(path) => Rewriter::append_to(path, self.form, mark.clone(), reopen),
            None => Ok(Rewriter::to_stdout(self.form, mark.clone())),
        }
    }

    /// The stage that keeps dead letters, if these flags ask for it. Opens their file.
    pub fn dead_letters(&self, reopen: &Reopen) -> Result<DeadLetters, Fatal> {
        self.dead_letter
            .as_ref()
            .map_or_else(|| Ok(DeadLetters::default()), |path| DeadLetters::append_to(path, reopen))
    }
}
