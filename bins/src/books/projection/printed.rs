use std::io;

use logretry_ledger::Projection;
use logretry_stage::{Context, hand_over, pipe};

/// A retry log on standard output. Nobody can tell how far it came there, so lines of which that is not known come again.
#[derive(Debug)]
pub(crate) struct Printed {
    cx: Context,
}

impl Printed {
    pub(crate) fn new(cx: Context) -> Self {
        Self { cx }
    }
}

impl Projection for Printed {
    fn name(&self) -> String {
        "the retry log to standard output".to_owned()
    }

    fn resume(&mut self, _: Option<&str>, lines: Vec<Vec<u8>>) -> io::Result<()> {
        let number = lines.len() as u64;
        if number == 0 { Ok(()) } else { self.append(&lines.concat(), number) }
    }

    fn append(&mut self, lines: &[u8], number: u64) -> io::Result<()> {
        let (written, end) = hand_over(lines, number, &mut pipe::direct_stdout());
        self.cx.tally().write(written);
        end
    }

    fn sync(&mut self) -> io::Result<Option<String>> {
        Ok(None)
    }

    fn reopen(&mut self) -> io::Result<()> {
        Ok(())
    }
}
