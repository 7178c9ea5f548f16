use std::io;

use logretry_ledger::Projection;
use logretry_record::Shown;
use logretry_rewriter::RetryLog;
use logretry_stage::Context;

#[cfg(feature = "cli")]
pub(crate) use printed::Printed;

#[cfg(feature = "cli")]
mod printed;

/// The retry log as the ledger's copy.
#[derive(Debug)]
pub(crate) struct Projected {
    log: RetryLog,
    cx: Context,
    /// What an empty file begins with.
    head: Vec<u8>,
    /// How often a new file had been asked for when this one was opened, for certain.
    asked: u64,
    /// How many records had ended before.
    ended: usize,
}

impl Projected {
    pub(crate) fn new(log: RetryLog, head: Vec<u8>, ended: usize, cx: Context) -> Self {
        // Since the log was opened, so was the ledger, which takes its time: what has been asked for may be meant for this file, and to open the same one again does no harm.
        Self { log, cx, head, asked: 0, ended }
    }
}

impl Projection for Projected {
    fn name(&self) -> String {
        format!("the retry log `{}`", self.log.path().display())
    }

    fn resume(&mut self, mark: Option<&str>, lines: Vec<Vec<u8>>) -> io::Result<()> {
        let path = self.log.path().to_owned();
        let name = Shown(path.as_os_str().as_encoded_bytes());
        if mark.is_none() && path.metadata().is_ok_and(|found| found.is_file() && found.len() > 0) {
            self.cx.notes().say(format_args!(
                "`{name}` has lines already, and the ledger is new to it: what they tell of is sent again, if it is selected again"
            ));
        }
        if mark.is_none() && lines.is_empty() && self.ended > 0 {
            let ended = self.ended;
            self.cx.notes().say(format_args!(
                "the ledger has had no retry log in a file so far: `{name}` will not have the lines of {ended} requests that have ended; `logretry ledger ls` lists them"
            ));
        }
        if let Some(first) = lines.first() {
            self.log.begin(&self.head, first)?;
        }
        let done = self.log.complete(mark.and_then(|mark| mark.parse().ok()), &lines)?;
        if done.appended > 0 {
            let torn = if done.was_torn { ", one of them torn" } else { "" };
            let appended = done.appended;
            self.cx.notes().say(format_args!(
                "the last run was cut off: {appended} lines that `{name}` should have are appended to it{torn}"
            ));
        }
        if done.foreign_bytes > 0 {
            let bytes = done.foreign_bytes;
            self.cx.notes().say(format_args!(
                "`{name}` has {bytes} bytes at its end of which the ledger knows nothing: another program has written them, or the ledger is an older copy, and what they tell of is sent again; they stay"
            ));
        }
        Ok(())
    }

    fn append(&mut self, lines: &[u8], number: u64) -> io::Result<()> {
        if self.log.is_removed()? {
            self.log.reopen()?;
        }
        self.log.begin(&self.head, lines)?;
        let (written, end) = self.log.append_counted(lines, number);
        self.cx.tally().write(written);
        end
    }

    fn sync(&mut self) -> io::Result<Option<String>> {
        Ok(self.log.sync()?.map(|mark| mark.to_string()))
    }

    fn wants_new_file(&self) -> bool {
        self.cx.reopen().asked() != self.asked
    }

    fn reopen(&mut self) -> io::Result<()> {
        self.asked = self.cx.reopen().asked();
        self.log.reopen()?;
        self.log.begin(&self.head, &[])
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn a_log_that_is_rotated_while_the_ledger_is_opened_is_opened_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.log");
        let (log, cx) = (RetryLog::open(&path).expect("a log"), Context::default());
        std::fs::rename(&path, folder.path().join("retry.log.1")).expect("moved");
        cx.reopen().ask();
        let mut log = Projected::new(log, Vec::new(), 0, cx);
        assert!(log.wants_new_file());
        log.reopen().expect("a new log");
        assert!(!log.wants_new_file());
        log.append(b"1\n", 1).expect("a line");
        assert_eq!(std::fs::read_to_string(&path).expect("a new log"), "1\n");
    }

    #[test]
    fn a_table_begins_with_its_head_when_it_was_cut_off_or_moved_away() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.csv");
        let read = || std::fs::read_to_string(&path).expect("a table");
        let open = || {
            let log = RetryLog::open(&path).expect("a table");
            Projected::new(log, b"head\n".to_vec(), 0, Context::default())
        };
        let mut table = open();
        table.resume(None, Vec::new()).expect("nothing is missing");
        table.append(b"head\n1\n", 2).expect("lines");
        File::options().write(true).open(&path).and_then(|file| file.set_len(0)).expect("a cut");
        table.append(b"2\n", 1).expect("a line");
        table.append(b"3\n", 1).expect("a line");
        assert_eq!(read(), "head\n2\n3\n");
        std::fs::remove_file(&path).expect("a table");
        table.append(b"4\n", 1).expect("a line");
        assert_eq!(read(), "head\n4\n", "what was removed with it is not missed");

        // The process dies, and logrotate comes before the next one.
        let mark = table.sync().expect("synced");
        for (lines, table) in [(["4\n", "5\n"], "head\n4\n5\n"), (["head\n", "1\n"], "head\n1\n")] {
            std::fs::remove_file(&path).expect("it was there");
            let lines = lines.map(|line| line.as_bytes().to_vec()).to_vec();
            open().resume(mark.as_deref(), lines).expect("two lines are missing");
            assert_eq!(read(), table);
        }
    }
}
