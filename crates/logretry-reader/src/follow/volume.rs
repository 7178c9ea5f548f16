//! One file of a log, read from its first byte on while it grows.

use std::io::{self, Read};
use std::sync::Arc;
use std::time::Duration;

use logretry_stage::bridge::Break;
use logretry_stage::lines::Line;
use memchr::memchr;

use super::files::{Identity, ReadAt};
use super::places::Place;
use super::print::{Fingerprint, MARKER_BYTES, Marker};
use super::rotated::Sequence;

/// Takes what a follower reads.
pub(crate) trait Taker {
    /// A line of the volume with this number. One that `is_past` was there before the follower was to begin: it only counts for the ids of the lines behind it.
    fn line(&mut self, volume: u64, line: &Line<'_>, is_past: bool) -> Result<(), Break>;

    /// The beginning of a line whose end will not come.
    fn torn(&mut self, volume: u64, line: &Line<'_>) -> Result<(), Break>;

    /// Nothing more comes of this volume.
    fn closed(&mut self, volume: u64);

    /// Something that a person should know of this log.
    fn say(&mut self, sentence: std::fmt::Arguments<'_>);
}

/// Where the bytes come from.
pub(crate) enum Body<F> {
    /// A file that may grow.
    Plain(Arc<F>),
    /// A copy that was made of it, which does not.
    Copied(Arc<F>),
    /// A compressed one, which does not either.
    Packed(Box<dyn Read + Send>),
}

/// How a file may begin of which nothing has been read yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// In any way.
    Any,
    /// As it did when files were looked for that came before it: with this line, or with none that is whole. If not, it has been truncated since, and what it held
    /// is in a copy.
    Seen(Option<Fingerprint>),
    /// It had no line when it was found: it may be a copy that is just being made.
    Doubtful,
}

/// One file of a log.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the file")]
pub(crate) struct Volume<F> {
    /// Counted from the first one that was opened for this log.
    pub(crate) number: u64,
    pub(crate) identity: Identity,
    pub(crate) fingerprint: Option<Fingerprint>,
    pub(crate) beginning: Beginning,
    /// When it last had something new.
    pub(crate) grown_at: Duration,
    /// Whether its last line is a whole one though it has no end. In a copy, it need not be.
    pub(crate) ends_whole: bool,
    /// Whether another volume goes on where this one ends, amid a line perhaps.
    is_continued: bool,
    /// Where reading had ended before a restart, as long as it has not come there again.
    resumed: Option<Place>,
    /// NUL bytes that were passed over and not told of yet.
    pub(crate) hole_bytes: u64,
    body: Body<F>,
    /// Whether the last read came to the end.
    was_at_end: bool,
    /// Bytes that have been read, and those just before that place.
    pub(crate) read_to: u64,
    before_read: Vec<u8>,
    /// Where the last whole line ends.
    line_end: u64,
    /// What has come of the next line, which begins at `line_start`.
    line_start: u64,
    pending: Vec<u8>,
    /// Whether more of it has come than is kept.
    is_overlong: bool,
    lines: u64,
    /// Lines that end here or before are past.
    past_until: u64,
    line_bytes_max: usize,
}

/// What reading on has shown.
#[derive(Debug)]
pub(crate) enum Seen {
    /// Nothing new.
    Still,
    /// Something new, all of it.
    Grown,
    /// Something new, and there is more.
    More,
    /// The file is not what it was: it has been truncated, and perhaps written anew.
    Cut,
    /// The file, of which nothing has been read yet, does not begin as it did when files were looked for that came before it. Nothing is taken.
    Changed,
    /// Reading failed.
    Failed(io::Error),
}

/// Bytes that are read at once.
pub(crate) const BLOCK_BYTES: usize = 256 << 10;
/// Blocks after which others have their turn, and it is told how far it was read.
const BLOCKS_MAX: usize = 4;
/// The bytes of a line's beginning that its fingerprint needs.
const LINE_BYTES_MIN: usize = 4096;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl<F: ReadAt> Volume<F> {
    pub(crate) fn new(number: u64, body: Body<F>, identity: Identity, line_bytes_max: usize) -> Self {
        Self {
            number,
            identity,
            fingerprint: None,
            beginning: Beginning::Any,
            grown_at: Duration::ZERO,
            ends_whole: true,
            is_continued: false,
            resumed: None,
            hole_bytes: 0,
            body,
            was_at_end: false,
            read_to: 0,
            before_read: Vec::new(),
            line_end: 0,
            line_start: 0,
            pending: Vec::new(),
            is_overlong: false,
            lines: 0,
            past_until: 0,
            line_bytes_max,
        }
    }

    /// The same, of which the lines that end at `offset` or before are past.
    pub(crate) fn past(mut self, offset: u64) -> Self {
        self.past_until = offset;
        self
    }

    /// The same, which can be told of although it has not been read yet.
    pub(crate) fn known(mut self) -> Self {
        self.fingerprint = self.fingerprint.or_else(|| self.head());
        self
    }

    /// The first line, if it has a whole one, and nothing has been read yet.
    pub(crate) fn head(&self) -> Option<Fingerprint> {
        let file = self.file().filter(|_| self.read_to == 0).cloned()?;
        Fingerprint::of(Sequence { file, offset: 0 }).ok().flatten()
    }

    /// The first line; from now on the file is read only if it begins as it does now.
    pub(crate) fn see_head(&mut self) -> Option<Fingerprint> {
        let head = self.head();
        self.beginning = Beginning::Seen(head);
        if self.resumed.is_none() {
            self.fingerprint = head;
        }
        head
    }

    /// The same, which goes on where it ended.
    pub(crate) fn resumed(mut self, place: Place) -> Self {
        (self.fingerprint, self.resumed) = (Some(place.fingerprint), Some(place));
        self.past(place.settled)
    }

    /// The same, which goes on where one of those `before` ends if it is a copy of that, put in its place.
    pub(crate) fn continuing<'v>(self, before: impl Iterator<Item = &'v mut Self>) -> Self
    where
        F: 'v,
    {
        for volume in before.filter(|volume| volume.is_replaced()) {
            if let Some(place) = volume.place().filter(|place| self.holds(place)) {
                volume.is_continued = true;
                return self.resumed(place);
            }
        }
        self
    }

    /// Whether its file has no name any more, and none goes on where it ends.
    pub(crate) fn is_replaced(&self) -> bool {
        !self.is_continued && self.file().is_some_and(|file| file.is_removed())
    }

    /// Reads on in a file that has what has been read of this one, and more.
    pub(crate) fn moved_to(&mut self, body: Body<F>, identity: Identity) {
        (self.body, self.identity, self.was_at_end) = (body, identity, false);
    }

    /// Whether it has what had been read of another file.
    fn holds(&self, place: &Place) -> bool {
        self.head() == Some(place.fingerprint)
            && self.file().zip(place.read).is_some_and(|(file, (offset, marker))| {
                Marker::before(&**file, offset).is_ok_and(|before| before == Some(marker))
            })
    }

    /// What has become of it; none, if that is told of the volume that goes on where it ends.
    pub(crate) fn place(&self) -> Option<Place> {
        if self.is_continued {
            return None;
        }
        if let Some(place) =
            self.resumed.filter(|place| place.read.is_some_and(|(read_to, _)| self.read_to < read_to))
        {
            return Some(place);
        }
        let (fingerprint, read) = (self.fingerprint?, Some(self.read_end()));
        let identity = if self.ends_whole { self.identity } else { (0, 0) };
        // What was settled before is, although it is read again.
        Some(Place { fingerprint, identity, settled: self.line_end.max(self.past_until), read })
    }

    /// The file, if it may grow.
    pub(crate) fn file(&self) -> Option<&Arc<F>> {
        match &self.body {
            Body::Plain(file) => Some(file),
            Body::Copied(_) | Body::Packed(_) => None,
        }
    }

    /// Reads on in the same file opened anew.
    pub(crate) fn reopened(&mut self, file: F) {
        self.body = Body::Plain(Arc::new(file));
    }

    /// Whether it has been read to its end, and nothing more can come.
    pub(crate) fn is_final(&self) -> bool {
        self.was_at_end && !matches!(self.body, Body::Plain(_))
    }

    /// How many lines have come.
    pub(crate) fn lines(&self) -> u64 {
        self.lines
    }

    /// How far it has been read, and what stands before that.
    pub(crate) fn read_end(&self) -> (u64, Marker) {
        (self.read_to, Marker::of(&self.before_read))
    }

    /// Reads on in a copy of the file, from the same place.
    pub(crate) fn continue_in(&mut self, body: Body<F>, identity: Identity) -> io::Result<()> {
        self.body = match body {
            Body::Plain(file) => Body::Copied(file),
            other => other,
        };
        (self.identity, self.ends_whole, self.was_at_end) = (identity, false, false);
        self.beginning = Beginning::Any;
        if let Body::Packed(reader) = &mut self.body {
            io::copy(&mut reader.take(self.read_to), &mut io::sink())?;
        }
        Ok(())
    }

    /// Reads what has come. `block` is room to read into.
    pub(crate) fn read_on(
        &mut self,
        now: Duration,
        block: &mut [u8],
        taker: &mut impl Taker,
    ) -> Result<Seen, Break> {
        let mut seen = Seen::Still;
        self.was_at_end = false;
        for _ in 0..BLOCKS_MAX {
            let new = match self.read_block(block) {
                Ok(Some(0)) => {
                    self.was_at_end = true;
                    return Ok(seen);
                }
                Ok(Some(new)) => new,
                Ok(None) => return Ok(Seen::Cut),
                Err(error) => return Ok(Seen::Failed(error)),
            };
            let new = &block[MARKER_BYTES..MARKER_BYTES + new];
            if let Beginning::Seen(head) = self.beginning
                && self.read_to == 0
                && Fingerprint::of(new).ok() != Some(head)
            {
                return Ok(Seen::Changed);
            }
            self.grown_at = now;
            seen = Seen::Grown;
            self.take(new, taker)?;
        }
        Ok(Seen::More)
    }

    /// Reads once, to `block` from [`MARKER_BYTES`] on; says how many bytes are new, or none if the file is not what it was.
    ///
    /// The bytes before the new ones are read again with the same call: what was truncated and written anew meanwhile does not have them.
    fn read_block(&mut self, block: &mut [u8]) -> io::Result<Option<usize>> {
        match &mut self.body {
            Body::Plain(file) | Body::Copied(file) => {
                // It may have become another one since it was recognized.
                if self.read_to == 0
                    && self.ends_whole
                    && let Some((place, (offset, marker))) =
                        self.resumed.and_then(|place| Some((place, place.read?)))
                    && (Marker::before(&**file, offset)? != Some(marker)
                        || Fingerprint::of(Sequence { file: Arc::clone(file), offset: 0 })?
                            != Some(place.fingerprint))
                {
                    return Ok(None);
                }
                let before = self.before_read.len();
                let start = MARKER_BYTES - before;
                let read = file.read_at(&mut block[start..], self.read_to - before as u64)?;
                if read < before || block[start..MARKER_BYTES] != self.before_read[..] {
                    return Ok(None);
                }
                Ok(Some(read - before))
            }
            Body::Packed(reader) => loop {
                match reader.read(&mut block[MARKER_BYTES..]) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => return read.map(Some),
                }
            },
        }
    }

    fn take(&mut self, block: &[u8], taker: &mut impl Taker) -> Result<(), Break> {
        let mut at = 0;
        while at < block.len() {
            if self.pending.is_empty() && !self.is_overlong {
                // A hole that truncation under the writer has left belongs to no line.
                let hole = block[at..].iter().take_while(|&&byte| byte == 0).count();
                at += hole;
                self.hole_bytes += hole as u64;
                self.line_start = self.read_to + at as u64;
            }
            let Some(found) = memchr(b'\n', &block[at..]) else {
                self.keep(&block[at..]);
                break;
            };
            let (rest, next) = (&block[at..at + found], at + found + 1);
            let line_end = std::mem::replace(&mut self.line_end, self.read_to + next as u64);
            let given = if self.pending.is_empty() && !self.is_overlong {
                self.give(rest, taker)
            } else {
                self.keep(rest);
                self.give_pending(taker)
            };
            if given.is_err() {
                // Nobody took it.
                self.line_end = line_end;
                return given;
            }
            at = next;
            self.line_start = self.line_end;
        }
        self.before_read = last_bytes(&self.before_read, block);
        self.read_to += block.len() as u64;
        Ok(())
    }

    /// Keeps what has come of a line, as far as it counts.
    fn keep(&mut self, bytes: &[u8]) {
        // A line may have `\r` beyond the limit; one byte more, and it is too long.
        let room = self.line_bytes_max.saturating_add(2).max(LINE_BYTES_MIN) - self.pending.len();
        self.is_overlong |= bytes.len() > room;
        self.pending.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }

    fn give_pending(&mut self, taker: &mut impl Taker) -> Result<(), Break> {
        let mut line = std::mem::take(&mut self.pending);
        self.give(&line, taker)?;
        line.clear();
        (self.pending, self.is_overlong) = (line, false);
        Ok(())
    }

    fn give(&mut self, bytes: &[u8], taker: &mut impl Taker) -> Result<(), Break> {
        let is_past = self.line_end <= self.past_until;
        let number = self.number;
        let line = self.line(bytes);
        taker.line(number, &line, is_past)
    }

    /// The line that these bytes are, or begin.
    fn line<'a>(&mut self, bytes: &'a [u8]) -> Line<'a> {
        let mut offset = self.line_start;
        let mut text = bytes;
        if offset == 0
            && let Some(rest) = text.strip_prefix(BYTE_ORDER_MARK)
        {
            (offset, text) = (BYTE_ORDER_MARK.len() as u64, rest);
        }
        if !self.is_overlong {
            text = text.strip_suffix(b"\r").unwrap_or(text);
        }
        self.fingerprint = self.fingerprint.or_else(|| Fingerprint::of_line(text));
        self.lines += 1;
        let cut = self.is_overlong || text.len() > self.line_bytes_max;
        let text = &text[..text.len().min(self.line_bytes_max)];
        Line { number: self.lines, offset, text, cut }
    }

    /// Gives the last line, if it has no end. Nothing more will be read.
    pub(crate) fn close(&mut self, taker: &mut impl Taker) -> Result<(), Break> {
        let bytes = std::mem::take(&mut self.pending);
        if !bytes.is_empty() && !self.is_continued {
            let is_past = self.read_to <= self.past_until;
            let number = self.number;
            let line = self.line(&bytes);
            match self.ends_whole {
                true => taker.line(number, &line, is_past)?,
                false if !is_past => taker.torn(number, &line)?,
                false => {}
            }
        }
        taker.closed(self.number);
        Ok(())
    }
}

/// The last of the bytes `before` and `block`, as many as a marker takes.
fn last_bytes(before: &[u8], block: &[u8]) -> Vec<u8> {
    let new = &block[block.len().saturating_sub(MARKER_BYTES)..];
    let old = &before[before.len().saturating_sub(MARKER_BYTES - new.len())..];
    [old, new].concat()
}
