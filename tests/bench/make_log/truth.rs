//! What is in a log, for whoever checks what was read from it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::event::Event;
use crate::writers::Writer;

/// What is in the log.
#[derive(Debug, Default)]
pub(crate) struct Truth {
    log: Sha256,
    bytes: u64,
    told: Told,
}

/// What is in a slice of it.
#[derive(Debug, Default)]
pub(crate) struct Told {
    lines: u64,
    malformed: u64,
    statuses: BTreeMap<u16, u64>,
    /// The targets that failed, as they are to be sent again.
    failed: Vec<String>,
}

const FIRST: usize = 1000;

impl Told {
    pub(crate) fn add(&mut self, event: &Event<'_>, writer: Writer) {
        self.lines += 1;
        *self.statuses.entry(event.status).or_default() += 1;
        self.malformed += u64::from(event.target.is_empty() && writer.writes_malformed());
        if event.status >= 500 {
            // The odd ones of them hold these two and nothing else that a URL may not.
            self.failed.push(event.target.replace('"', "%22").replace('\\', "%5C"));
        }
    }
}

impl Truth {
    /// The next slice.
    pub(crate) fn add(&mut self, log: &[u8], told: Told) {
        self.log.update(log);
        self.bytes += log.len() as u64;
        self.told.lines += told.lines;
        self.told.malformed += told.malformed;
        self.told.failed.extend(told.failed);
        for (status, count) in told.statuses {
            *self.told.statuses.entry(status).or_default() += count;
        }
    }

    pub(crate) fn into_json(
        mut self,
        format: &str,
        (seed, failing, rps, from): (u64, f64, f64, u64),
    ) -> String {
        let first: Vec<_> = self.told.failed.iter().take(FIRST).cloned().collect();
        self.told.failed.sort_unstable();
        let mut sorted = Sha256::new();
        for target in &self.told.failed {
            sorted.update(target);
            sorted.update(b"\n");
        }
        let truth = json!({
            "format": format, "seed": seed, "failing": failing, "rps": rps, "from": from,
            "lines": self.told.lines, "bytes": self.bytes, "sha256": hex(&self.log.finalize()),
            "malformed": self.told.malformed,
            "statuses": self.told.statuses.iter().map(|(status, count)| (status.to_string(), *count)).collect::<BTreeMap<_, _>>(),
            "failed": self.told.failed.len(), "failed_targets_sorted_sha256": hex(&sorted.finalize()),
            "failed_targets_first": first,
        });
        format!("{truth:#}\n")
    }
}

fn hex(digest: &[u8]) -> String {
    digest.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}
