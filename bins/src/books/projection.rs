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
    /// What a new file begins with.
    head: Vec<u8>,
    /// How often a new file had been asked for when this one was opened.
    asked: u64,
}

impl Projected {
    pub(crate) fn new(log: RetryLog, head: Vec<u8>, cx: Context) -> Self {
        let asked = cx.reopen().asked();
        Self { log, cx, head, asked }
    }
}

impl Projection for Projected {
    fn name(&self) -> String {
        format!("the retry log `{}`", self.log.path().display())
    }

    fn resume(&mut self, mark: Option<&str>, lines: Vec<Vec<u8>>) -> io::Result<()> {
        let done = self.log.complete(mark.and_then(|mark| mark.parse().ok()), &lines)?;
        let name = Shown(self.log.path().as_os_str().as_encoded_bytes());
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
                "`{name}` has {bytes} bytes at its end that logretry did not write; they stay"
            ));
        }
        Ok(())
    }

    fn append(&mut self, lines: &[u8], number: u64) -> io::Result<()> {
        self.log.append(lines)?;
        self.cx.tally().write(number);
        Ok(())
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
        if self.log.path().metadata()?.len() == 0 { self.log.append(&self.head) } else { Ok(()) }
    }
}
