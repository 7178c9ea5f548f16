use std::collections::HashMap;
use std::fmt;
use std::time::Duration;

use bstr::BString;
use logretry_record::{LineCounter, Shown};
use logretry_stage::bridge::{Break, Closed, Feed};
use logretry_stage::lines::Line;

use super::files::Files;
use super::progress::Progress;
use super::tail::Tail;
use super::volume::Taker;
use crate::desk::Desk;
use crate::reader::{look_around, settle_on};
use crate::search::Search;
use crate::{ReaderError, ReaderOptions};

/// Makes records of the lines of a followed log. Its format is found out once, however many files there come.
pub(crate) struct Log<'a> {
    options: &'a ReaderOptions,
    desk: Desk<'a>,
    /// Until the format is known.
    search: Option<Search>,
    /// Of each line that is kept for the search: its volume, and whether it is past.
    turns: Vec<(u64, bool)>,
    told_to_wait: bool,
    /// The counters of the volumes that are not being read just now.
    counters: HashMap<u64, LineCounter>,
    volume: u64,
    lines: u64,
}

/// Different lines that are remembered of a volume, to number equal ones. A log that is never rotated can have any number of them.
const LINES_MAX: usize = 1 << 18;

impl<'a> Log<'a> {
    pub(crate) fn new(name: BString, options: &'a ReaderOptions, progress: Option<Progress>) -> Self {
        let search = Search::new(name.clone(), None, options.line_bytes_max);
        let mut desk = Desk::new(name, options.formats.clone(), options);
        desk.counter = counter();
        desk.progress = progress.map(|progress| (progress, 0));
        Self {
            options,
            desk,
            search: Some(search),
            turns: Vec::new(),
            told_to_wait: false,
            counters: HashMap::new(),
            volume: 0,
            lines: 0,
        }
    }

    /// Takes what is read, for `feed`.
    pub(crate) fn feeding<'l>(&'l mut self, feed: &'l mut Feed) -> Feeding<'l, 'a> {
        Feeding { log: self, feed }
    }

    /// Lets `tail` look, and says whether there is more at once; tells how far the log has been read, also where that ends.
    pub(crate) fn look_at<S: Files>(
        &mut self,
        tail: &mut Tail<S>,
        now: Duration,
        block: &mut [u8],
        feed: &mut Feed,
    ) -> Result<bool, Break> {
        let was_searching = self.search.is_some();
        let looked = tail.look(now, block, &mut self.feeding(feed));
        let looked = looked.and_then(|more| self.look(feed).map(|()| more));
        // Of lines that were kept until then nobody knows how far they have been handed on.
        if looked.is_ok() || !was_searching {
            self.tell_progress(tail);
        }
        looked
    }

    /// Looks at lines that wait for their format, when no more are here.
    pub(crate) fn look(&mut self, feed: &mut Feed) -> Result<(), Break> {
        let Some(search) = &mut self.search else { return Ok(()) };
        if search.kept.is_empty() {
            return Ok(());
        }
        if self.options.formats.is_empty() {
            let Some(searched) = search.look(true) else {
                if !self.told_to_wait {
                    self.told_to_wait = true;
                    let name = Shown(&self.desk.name);
                    match search.doubt() {
                        Some(doubt) => feed.notes().say(format_args!(
                            "{name}: {doubt}; give its format with --format, for it is not read as long as that is so"
                        )),
                        None => feed.notes().say(format_args!(
                            "{name}: no known format fits its lines yet; waiting for more of them"
                        )),
                    }
                }
                return Ok(());
            };
            settle_on(&searched, &mut self.desk, feed)?;
        } else {
            look_around(search, self.options.line_bytes_max, &mut self.desk, feed);
        }
        let kept = self.search.take().map(|search| search.kept).unwrap_or_default();
        for (kept, (volume, is_past)) in kept.iter().zip(std::mem::take(&mut self.turns)) {
            self.take(volume, &kept.as_line(), is_past, feed)?;
        }
        Ok(())
    }

    /// Tells how far the log has been read, if all of that has been handed on.
    pub(crate) fn tell_progress<S: Files>(&self, tail: &mut Tail<S>) {
        if self.search.as_ref().is_some_and(|search| !search.kept.is_empty()) || self.desk.is_in_pieces() {
            return;
        }
        if let Some((progress, _)) = &self.desk.progress {
            progress.read(&self.desk.name, tail.open_places(), tail.read_places());
        }
        tail.told();
    }

    /// Rejects what is still in pieces.
    pub(crate) fn end(&mut self, feed: &mut Feed) -> Result<(), Break> {
        self.look(feed)?;
        self.desk.close(feed)
    }

    fn take(&mut self, volume: u64, line: &Line<'_>, is_past: bool, feed: &mut Feed) -> Result<(), Break> {
        self.turn_to(volume);
        self.desk.is_past = is_past;
        self.desk.take(line, feed)
    }

    fn turn_to(&mut self, volume: u64) {
        if self.volume != volume {
            let next = self.counters.remove(&volume).unwrap_or_else(counter);
            let last = std::mem::replace(&mut self.desk.counter, next);
            self.counters.insert(self.volume, last);
            self.volume = volume;
            if let Some((_, number)) = &mut self.desk.progress {
                *number = volume;
            }
        }
    }
}

fn counter() -> LineCounter {
    LineCounter::within(LINES_MAX)
}

/// A log, with the way its records take.
pub(crate) struct Feeding<'l, 'a> {
    log: &'l mut Log<'a>,
    feed: &'l mut Feed,
}

impl Taker for Feeding<'_, '_> {
    fn line(&mut self, volume: u64, line: &Line<'_>, is_past: bool) -> Result<(), Break> {
        let Self { log, feed } = self;
        log.lines += 1;
        // Lines that are past, or unwanted, are fed to nobody who could say that a drain has begun.
        if log.lines.is_multiple_of(4096) && feed.context().is_draining() {
            return Err(Closed.into());
        }
        if line.offset == 0 && (line.text.starts_with(b"\xff\xfe") || line.text.starts_with(b"\xfe\xff")) {
            return Err(ReaderError::Utf16 { name: log.desk.name.to_string() }.into());
        }
        let Some(search) = &mut log.search else { return log.take(volume, line, is_past, feed) };
        search.keep(line);
        log.turns.push((volume, is_past));
        if search.is_window_full() { log.look(feed) } else { Ok(()) }
    }

    fn torn(&mut self, volume: u64, line: &Line<'_>) -> Result<(), Break> {
        self.log.turn_to(volume);
        self.log.desk.is_past = false;
        self.log.desk.torn(line, self.feed)
    }

    fn closed(&mut self, volume: u64) {
        // Lines of it may still wait for their format; then its counter is made once more, and stays: there are few.
        if self.log.search.is_none() {
            self.log.counters.remove(&volume);
        }
    }

    fn say(&mut self, sentence: fmt::Arguments<'_>) {
        let name = Shown(&self.log.desk.name);
        self.feed.notes().say(format_args!("{name}: {sentence}"));
    }
}
