//! Where to go on after a restart.

use serde::{Deserialize, Serialize};

use super::files::{Identity, ReadAt};
use super::print::{Fingerprint, Marker};
use super::rotated::Opened;

/// What had become of one file of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Place {
    /// Which file it is.
    pub(crate) fingerprint: Fingerprint,
    /// Device and inode, by which a file that was renamed is told from a copy of it. Zeros for what may be a copy itself.
    pub(crate) identity: Identity,
    /// Lines that end here or before are settled. The end of the largest file, if all of them are.
    pub(crate) settled: u64,
    /// How far it had been read, and what stands before that, to know it again. None, if it had been read to its end and closed.
    pub(crate) read: Option<(u64, Marker)>,
}

impl Place {
    /// A file that was read to its end.
    pub(crate) fn read(fingerprint: Fingerprint) -> Self {
        Self { fingerprint, identity: (0, 0), settled: u64::MAX, read: None }
    }

    /// Whether nothing is to be read of this file any more.
    pub(crate) fn is_read(&self) -> bool {
        self.read.is_none()
    }

    /// Whether a file which has the fingerprint is this one. A copy may have been made before it was read so far.
    pub(crate) fn stands_in(&self, opened: &Opened<impl ReadAt>, may_be_shorter: bool) -> bool {
        let Some((offset, marker)) = self.read else { return false };
        opened.has(offset, marker).unwrap_or(false)
            || (may_be_shorter && opened.is_shorter(offset).unwrap_or(false))
    }
}
