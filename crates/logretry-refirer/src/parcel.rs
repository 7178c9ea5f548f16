//! A record that goes to disk while it waits for its first request, and comes back.
//!
//! ```text
//!   │ bytes of the rest │ {"due_ns":…}, the rest │ {"v":1,"id":"5b0f…",…}, the record as on the pipe │
//! ```
//!
//! What would be sent is not written down: the same record gives the same request, so it is judged once more. The rest is what cannot be told from the
//! record, what an earlier run has done with it and when it is due; most have none.

use std::io;
use std::time::Duration;

use logretry_record::{RECORD_BYTES_MAX, Reason, Record, Retry};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;

use crate::Options;
use crate::lane::Job;

/// What is known of a job besides its record.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
struct Rest {
    /// Nanoseconds from the beginning of the run.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_ns: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    in_doubt: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    last: Option<Retry>,
    answers: u32,
    sent: bool,
}

/// Bytes that hold how long the rest is.
const LENGTH_BYTES: usize = size_of::<u32>();

/// Writes `job`, which this run has not sent yet, in place of what `parcel` holds. False says that it is too large to be read again.
pub(crate) fn pack(job: &Job, start: Instant, parcel: &mut Vec<u8>) -> bool {
    let due_ns = job.due.map(|due| due.saturating_duration_since(start).as_nanos());
    let rest = Rest {
        due_ns: due_ns.map(|due_ns| u64::try_from(due_ns).unwrap_or(u64::MAX)),
        in_doubt: job.in_doubt,
        last: job.last.clone(),
        answers: job.answers,
        sent: job.sent,
    };
    parcel.clear();
    parcel.extend_from_slice(&[0; LENGTH_BYTES]);
    if rest != Rest::default() {
        serde_json::to_writer(&mut *parcel, &rest).expect("it is always JSON");
    }
    let begin = parcel.len();
    let length = u32::try_from(begin - LENGTH_BYTES).unwrap_or_default();
    parcel[..LENGTH_BYTES].copy_from_slice(&length.to_le_bytes());
    job.record.encode(parcel);
    parcel.len() - begin <= RECORD_BYTES_MAX
}

/// The job that [`pack`] wrote. One that may not be sent after all comes with the reason: the file of its body has changed meanwhile.
pub(crate) fn unpack(
    parcel: &[u8],
    start: Instant,
    options: &Options,
) -> io::Result<Result<Box<Job>, (Record, Reason)>> {
    let invalid =
        |error: &dyn std::fmt::Display| io::Error::new(io::ErrorKind::InvalidData, error.to_string());
    let (rest, line) = split(parcel).ok_or_else(|| invalid(&"it is cut off"))?;
    let rest: Rest = if rest.is_empty() {
        Rest::default()
    } else {
        serde_json::from_slice(rest).map_err(|error| invalid(&error))?
    };
    let record = Record::decode(line).map_err(|error| invalid(&error))?;
    let planned = match options.judge(&record) {
        Ok(planned) => planned,
        Err(reason) => return Ok(Err((record, reason))),
    };
    let mut job = Job::new(record, planned);
    job.due = rest.due_ns.map(|due_ns| start + Duration::from_nanos(due_ns));
    job.in_doubt = rest.in_doubt;
    job.last = rest.last;
    job.answers = rest.answers;
    job.sent = rest.sent;
    Ok(Ok(job))
}

fn split(parcel: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, parcel) = parcel.split_first_chunk()?;
    parcel.split_at_checked(u32::from_le_bytes(*length) as usize)
}

#[cfg(test)]
mod tests;
