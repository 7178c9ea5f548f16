use logretry_record::Reason;

use crate::transport::Request;

/// Where it is written down that a request is about to be sent.
///
/// It is asked last: after pace and breaker, with a connection in hand, just before the first byte. So whatever stands in it without an
/// outcome is what was really on its way, and a connection that could not be made leaves no trace in it.
pub(crate) trait Journal: Send + Sync + 'static {
    /// Returns when the intent is as durable as the request needs it. An error is the reason for which it must not be sent.
    fn intend(&self, request: &Request) -> impl Future<Output = Result<(), Reason>> + Send;
}

/// Nothing is written down.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Forgets;

impl Journal for Forgets {
    async fn intend(&self, _: &Request) -> Result<(), Reason> {
        Ok(())
    }
}
