use futures_util::StreamExt as _;
use logretry_stage::{Context, RecordStream, Result, Sink};

#[cfg(feature = "cli")]
pub(crate) use once::FiledOnce;

#[cfg(feature = "cli")]
mod once;

/// The end of a run whose lines the books write: it only takes the records.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Filed;

impl Sink for Filed {
    async fn drain(self, input: impl RecordStream, _: &Context) -> Result<()> {
        let mut input = std::pin::pin!(input);
        while let Some(item) = input.next().await {
            item?;
        }
        Ok(())
    }
}
