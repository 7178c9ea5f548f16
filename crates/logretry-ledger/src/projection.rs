use std::io;

/// The retry log, as the ledger sees it: lines that are appended after what they tell is in the ledger for good.
///
/// The ledger's thread calls it, with the lines in the order of their events. Whatever fails ends the sending.
pub trait Projection: Send + 'static {
    /// What a message calls it: ``the retry log `retry.log` ``.
    fn name(&self) -> String;

    /// Completes the log, which may have been cut off anywhere by a crash: `lines` are those of which it is not known whether they are
    /// in it. They belong after the place that `mark` tells, an earlier answer of [`Projection::sync`]; none says that nothing was written before.
    fn resume(&mut self, mark: Option<&str>, lines: Vec<Vec<u8>>) -> io::Result<()>;

    /// Appends so many whole lines.
    fn append(&mut self, lines: &[u8], number: u64) -> io::Result<()>;

    /// Makes durable what was appended, and says how far the log is, in words of its own. None if it cannot say that: a pipe, a terminal.
    fn sync(&mut self) -> io::Result<Option<String>>;

    /// Whether somebody wants the log to go on in a new file; asked before lines are appended, and in quiet moments.
    fn wants_new_file(&self) -> bool {
        false
    }

    /// Goes on in a new file, if the one that it had was moved away.
    fn reopen(&mut self) -> io::Result<()>;
}
