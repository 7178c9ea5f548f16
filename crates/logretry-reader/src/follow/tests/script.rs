use std::collections::HashSet;
use std::time::Duration;

use logretry_stage::bridge::Break;
use logretry_stage::lines::Line;

use super::world::World;
use crate::follow::tail::{Start, Tail, block};
use crate::follow::volume::Taker;

/// One thing that is done to a log, or by its follower.
#[derive(Debug, Clone, Copy)]
pub(super) enum Deed {
    /// Writes so many whole lines.
    Write(u8),
    /// Writes a part of a line, so many of ten parts.
    Part(u8),
    /// Renames the log, and those that were renamed before; makes a new one at once or not.
    Rotate { create: bool },
    /// The writer opens the log anew, as nginx does on USR1.
    Reopen,
    /// Copies the log beside it.
    Copy,
    /// Truncates the log.
    Truncate,
    /// Removes the log.
    Remove,
    /// Puts a copy in its place, into which the writer writes from then on; the follower looks.
    Replace,
    /// Compresses the rotated file of this number.
    Gzip(u8),
    /// The follower looks, so many seconds after its last look.
    Look(u8),
    /// The follower looks once, and not again though there may be more.
    Glance,
    /// The follower ends and begins again.
    Restart,
}

const LOG: &str = "access.log";
/// Rotated files that are kept.
const KEPT: u8 = 3;

/// A log, whoever writes it, and whoever follows it.
pub(super) struct Stage<W: World> {
    pub(super) world: W,
    tail: Tail<W>,
    pub(super) taken: Taken,
    now: Duration,
    block: Vec<u8>,
    writer: W::Writer,
    appends: bool,
    /// Where a writer is that does not append.
    offset: u64,
    /// What is still to be written of a line, and that line.
    part: Option<(usize, String)>,
    /// All lines, whole.
    pub(super) lines: Vec<String>,
    /// Lines of which a part was destroyed before the rest was written, so that the rest stands alone.
    pub(super) broken: HashSet<String>,
}

/// What has come of the log.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) lines: Vec<String>,
    pub(super) torn: Vec<String>,
    pub(super) said: Vec<String>,
}

impl Taker for Taken {
    fn line(&mut self, _: u64, line: &Line<'_>, is_past: bool) -> Result<(), Break> {
        if !is_past {
            self.lines.push(String::from_utf8_lossy(line.text).into_owned());
        }
        Ok(())
    }

    fn torn(&mut self, _: u64, line: &Line<'_>) -> Result<(), Break> {
        self.torn.push(String::from_utf8_lossy(line.text).into_owned());
        Ok(())
    }

    fn closed(&mut self, _: u64) {}

    fn say(&mut self, sentence: std::fmt::Arguments<'_>) {
        self.said.push(sentence.to_string());
    }
}

fn tail<W: World>(world: &W) -> Tail<W> {
    Tail::new(world.clone(), world.path(LOG), 1 << 20, Duration::from_secs(5))
}

impl<W: World> Stage<W> {
    pub(super) fn new(world: W, appends: bool) -> Self {
        let writer = world.writer(LOG);
        let mut taken = Taken::default();
        let mut tail = tail(&world);
        tail.begin(Start::Beginning, &mut taken).expect("a folder");
        Self {
            world,
            tail,
            taken,
            now: Duration::ZERO,
            block: block(),
            writer,
            appends,
            offset: 0,
            part: None,
            lines: Vec::new(),
            broken: HashSet::new(),
        }
    }

    /// The follower begins only now, with all that is there.
    pub(super) fn begin_with_rotated(&mut self) {
        self.tail = tail(&self.world);
        self.tail.begin(Start::Rotated, &mut self.taken).expect("a folder");
    }

    pub(super) fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Write(lines) => (0..lines).for_each(|_| self.write_line()),
            Deed::Part(tenths) => self.write_part(tenths),
            Deed::Rotate { create } => self.rotate(create),
            Deed::Reopen => self.reopen(),
            Deed::Copy => {
                if self.world.exists(LOG) {
                    self.age();
                    self.world.copy(LOG, &format!("{LOG}.1"));
                }
            }
            Deed::Truncate => {
                if self.world.exists(LOG) {
                    self.world.truncate(LOG);
                    if let Some((_, line)) = &self.part {
                        self.broken.insert(line.clone());
                    }
                }
            }
            Deed::Remove => {
                if self.world.exists(LOG) {
                    self.world.remove(LOG);
                }
            }
            Deed::Replace => {
                self.reopen();
                self.world.copy(LOG, "copy");
                self.world.rename("copy", LOG);
                self.reopen();
                self.look(0);
            }
            Deed::Gzip(number) => {
                let name = format!("{LOG}.{number}");
                if self.world.exists(&name) {
                    self.world.gzip(&name);
                }
            }
            Deed::Look(seconds) => self.look(seconds),
            Deed::Glance => {
                self.tail.look(self.now, &mut self.block, &mut self.taken).expect("nobody breaks");
            }
            Deed::Restart => {
                let open = self.tail.open_places().into_iter().map(|(_, place)| place);
                let places = open.chain(self.tail.read_places()).collect();
                self.tail = tail(&self.world);
                self.now = Duration::ZERO;
                self.tail.begin(Start::Places(places), &mut self.taken).expect("a folder");
            }
        }
    }

    /// The lines that have been written to their ends.
    pub(super) fn written(&self) -> &[String] {
        &self.lines[..self.lines.len() - usize::from(self.part.is_some())]
    }

    /// Ends what is being written, with a line in the file that is now at the path.
    pub(super) fn end_writing(&mut self) {
        self.reopen();
        self.write_line();
    }

    /// Lets the follower look until nothing can come any more.
    pub(super) fn end_looking(&mut self) {
        (0..3).for_each(|_| self.look(6));
    }

    fn look(&mut self, seconds: u8) {
        self.now += Duration::from_secs(seconds.into());
        while self.tail.look(self.now, &mut self.block, &mut self.taken).expect("nobody breaks") {}
    }

    fn write(&mut self, text: &str) {
        if self.appends {
            self.world.append(&self.writer, text.as_bytes());
        } else {
            self.world.write_at(&self.writer, text.as_bytes(), self.offset);
            self.offset += text.len() as u64;
        }
    }

    fn write_line(&mut self) {
        self.write_part(10);
    }

    fn write_part(&mut self, tenths: u8) {
        let (from, line) = self.part.take().unwrap_or_else(|| {
            let number = self.lines.len();
            // What is written anew where a part of another line stood must not look as that did.
            let mut random = fastrand::Rng::with_seed(number as u64);
            let text: String = (0..number * 7 % 90 + 10).map(|_| random.lowercase()).collect();
            let line = format!("{number:04}-{text}-{number:04}");
            self.lines.push(line.clone());
            (0, line)
        });
        // A part never reaches into the number at the end, so that no two of them are equal.
        let to = (4 + (line.len() - 8) * usize::from(tenths) / 10).max(from);
        if tenths >= 10 {
            self.write(&format!("{}\n", &line[from..]));
        } else {
            self.write(&line[from..to]);
            self.part = Some((to, line));
        }
    }

    fn reopen(&mut self) {
        if self.part.is_some() {
            self.write_line();
        }
        let is_new = !self.world.exists(LOG);
        self.writer = self.world.writer(LOG);
        if is_new {
            self.offset = 0;
        } else {
            self.appends = true;
        }
    }

    fn rotate(&mut self, create: bool) {
        if self.world.exists(LOG) {
            self.age();
            self.world.rename(LOG, &format!("{LOG}.1"));
            if create {
                self.world.writer(LOG);
            }
        }
    }

    /// Makes room for a new rotated file.
    fn age(&mut self) {
        for end in ["", ".gz"] {
            for number in (1..=KEPT).rev() {
                let name = format!("{LOG}.{number}{end}");
                if self.world.exists(&name) {
                    if number == KEPT {
                        self.world.remove(&name);
                    } else {
                        self.world.rename(&name, &format!("{LOG}.{}{end}", number + 1));
                    }
                }
            }
        }
    }
}
