//! Following logs that grow, through everything that is done to logs.
//!
//! A log is a path. What stands there is one file after the other, and each of them is a *volume* of the log, with a first line and a last one. The ids of
//! records count equal lines in their volume, so that a line has the same id when it is read again in `access.log.7.gz`.
//!
//! A follower looks when the system tells it that something has happened in the folder (inotify, for one), and once a second in any case:
//! a network file system tells nothing. Each look asks what is at the path and reads what is new. It sees, and does:
//!
//! | seen | done |
//! |---|---|
//! | another file at the path | the old one is read to its end, then the new one. The old one stays open until nothing has come in it for 5 s and its writer has moved on; then its last line is given even without a line end |
//! | another file at the path, which begins with all that has been read of the old one, and that has no name any more | a copy was put in its place (rsync, editors): it is read on behind that |
//! | the old file has no name any more when it would be closed, and a rotated one begins with all that has been read of it, and has more | that was such a copy before it was rotated: it is read on behind that |
//! | the file is shorter, or the 256 bytes before the place of reading are not what they were | it has been truncated, or written anew: what had not been read of it is looked for in a copy beside it (copytruncate), else a possible loss is told; then it is read from its beginning |
//! | rotated files younger than those that are known | they came and went between two looks: they are read first, compressed or not |
//! | rotated files beside a log of which nothing has been read, where it is kept how far it gets, and what is there is asked for | they are read first in the same way |
//! | one of them is renamed or compressed while they are looked at | it may have been at neither of its names: they are looked at once more |
//! | the file begins otherwise than when files were looked for that came before it | it was truncated that very moment: they are looked for once more |
//! | a rotated file without a line | it may be a copy that is just being made: it is read when its first line shows that it is none |
//! | another file in a folder of logs | one whose name and first line are as those of a log that is followed is a rotated one; any other is a log of its own, read from its beginning |
//! | a line without an end | it is waited for. If its file has been truncated meanwhile, it is rejected as torn, and never taken for a whole one |
//! | NUL bytes before a line | a hole that truncating has left under a writer that does not append: passed over, and told |
//! | a folder or a file of a pattern that may not be looked at | told once; the others are followed |
//! | nothing at the path | the file that was there is read on, and a new one is waited for |
//!
//! Which file is which is told by its first line and by the bytes before a place in it (`Fingerprint`, `Marker`), for inodes are used again, and a
//! compressed or copied file has another one. Where to go on after a restart is told by [`Progress`].
//!
//! What cannot be had: lines that were written and truncated away between two looks, without a copy.

mod files;
mod listed;
mod log;
mod members;
mod places;
mod print;
mod progress;
mod rotated;
mod run;
mod tail;
mod volume;
mod wake;

#[cfg(test)]
mod tests;

pub use members::Following;
pub use progress::Progress;
pub(crate) use run::run;
