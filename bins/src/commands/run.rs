use clap::Args;
use logretry_filter::SelectArgs;
use logretry_reader::{Input, ReadArgs, Reader, inputs};
use logretry_record::Record;
use logretry_refirer::{RefireArgs, Refirer};
use logretry_rewriter::WriteArgs;
use logretry_stage::{Context, Fatal, MarkArgs, Result, Watch};

use crate::cli::Common;

/// Reads logs, sends their failed requests again, and writes the retry log.
///
/// It is `lr-read | lr-filter | lr-refire | lr-write` in one process, with the flags of all four. Nothing is sent before the logs, the flags and the retry
/// log have been found to be in order. Ctrl-C sends nothing more and waits for the requests under way; a second one cuts them off.
///
/// Look first: `logretry plan` takes the same flags and sends nothing.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Run {
    #[command(flatten)]
    pub(crate) flags: RunFlags,
}

/// The flags of all four stages.
#[derive(Debug, Args)]
pub(crate) struct RunFlags {
    #[command(flatten)]
    pub(crate) read: ReadArgs,

    #[command(flatten)]
    pub(crate) select: SelectArgs,

    #[command(flatten)]
    pub(crate) refire: RefireArgs,

    #[command(flatten)]
    pub(crate) write: WriteArgs,

    #[command(flatten)]
    pub(crate) mark: MarkArgs,

    #[command(flatten)]
    pub(crate) common: Common,
}

const EXAMPLES: &str = "\
Examples:
  logretry run access.log --base-url https://shop.example -o retry.log
  logretry run access.log --base-url https://shop.example -o retry.log \\
    --method GET,HEAD --path '/api/*' --rate 5/s
  logretry run access.log --base-url https://shop.example --as csv |
    cut -d, -f 3,5";

impl Run {
    pub(crate) async fn run(self, cx: &Context) -> Result<()> {
        let RunFlags { read, select, refire, write, mark, common } = self.flags;
        let mark = mark.mark;
        let inputs = inputs(&read.logs)?;
        let filter = select.filter(&mark)?;
        let refirer = Refirer::new(refire.into_options(&mark)?)?;
        let reading = read.options(Some(select.needed(&mark)), common.rejects.strict)?;
        let reader = Reader::new(inputs.clone(), reading);
        refuse_to_append_to_a_log(&inputs, &write)?;
        let rewriter = write.rewriter(&mark)?;
        crate::link(reader, filter, refirer, Watch(|_: &Record| ()), rewriter, cx).await
    }
}

/// The retry log must not be one of the logs: the reader would read what the writer writes.
fn refuse_to_append_to_a_log(inputs: &[Input], write: &WriteArgs) -> Result<()> {
    let Some(output) = &write.output else { return Ok(()) };
    let same = inputs.iter().any(|input| match input {
        Input::Stdin => false,
        Input::File(path) => is_same_file(path, output),
    });
    if same {
        let message =
            format!("write the retry log into `{}`: it is one of the logs to read", output.display());
        return Err(Fatal::usage(message));
    }
    Ok(())
}

fn is_same_file(one: &std::path::Path, other: &std::path::Path) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    let identity = |path| std::fs::metadata(path).ok().map(|metadata| (metadata.dev(), metadata.ino()));
    identity(one).is_some_and(|one| Some(one) == identity(other))
}
