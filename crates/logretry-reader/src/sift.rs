//! What is made of a block's lines, wherever that needs no memory of the lines before.
//!
//! Nearly every line is one that the log's format reads, or one that certainly is not wanted. What a line is beyond that (a piece of a line, a header, a line of another format) only
//! the [`Desk`](crate::desk::Desk) can say, which sees all lines in their order: such lines are left to it, in their places.

use std::ops::Range;
use std::sync::Arc;

use bstr::BString;
use logretry_format::{Format, LineError, Screen, Spans};
use logretry_record::{Encoder, Exchange, LineKey, Predicate, RecordId, RecordIds};
use logretry_stage::bridge::Spares;

use crate::blocks::Block;
use crate::capture;
use crate::line_ends::for_each_line_end;

/// What is known of every line of a log for now.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) name: BString,
    pub(crate) formats: Vec<Format>,
    pub(crate) screen: Option<Screen>,
    pub(crate) predicate: Option<Predicate>,
    pub(crate) line_bytes_max: usize,
}

/// Lines of a block that are made something of at a time. Where all of them become records on a pipe, these are nearly three times as large as the lines.
const PART_LINES_MAX: usize = 1024;

/// A part of a block with what was made of its lines.
#[derive(Debug, Default)]
pub(crate) struct Sifted {
    pub(crate) block: Arc<Block>,
    pub(crate) found: Vec<Found>,
    /// The records as they are written to a pipe, if they are, and for each what is to be known of it.
    pub(crate) encoded: Vec<u8>,
    pub(crate) rows: Vec<Row>,
    /// How many lines the block has, if this is the last part of it.
    pub(crate) lines: Option<u64>,
}

/// What was made of some lines, in their order.
#[derive(Debug)]
pub(crate) enum Found {
    /// So many lines are left out.
    Screened(u64),
    /// A line is a record, `id` its id if no equal line stands before it.
    Record { line: Place, id: RecordId, format: usize, exchange: Box<Exchange> },
    /// So many lines are records, the next of those that are encoded.
    Encoded(usize),
    /// A line has to be decided on at the desk.
    Odd { line: Place, cut: bool },
}

/// A record that is encoded as if no equal line stood before its own.
#[derive(Debug)]
pub(crate) struct Row {
    pub(crate) key: LineKey,
    /// Where its line stands in the block.
    pub(crate) text: Range<usize>,
    /// Where it ends in what is encoded.
    pub(crate) end: usize,
}

/// Where a line stands in its block.
#[derive(Debug, Clone)]
pub(crate) struct Place {
    /// How many lines stand before it.
    pub(crate) before: u64,
    /// Its bytes, without its line end.
    pub(crate) text: Range<usize>,
    /// Where the next line begins.
    pub(crate) end: usize,
}

/// The id of a record until those that are found with it are named.
const UNNAMED: RecordId = RecordId::from_bytes([0; 16]);

/// Sifts blocks; each thread has one.
#[derive(Debug)]
pub(crate) struct Sifter<'p> {
    plan: &'p Plan,
    spans: Spans,
    encoder: Encoder,
    /// Where the line of each record that is encoded stands in the block, and where what is encoded ends.
    encoded: Vec<(Range<usize>, usize)>,
    ids: RecordIds,
    block: Option<Arc<Block>>,
    /// How many lines the block has.
    lines: u64,
    /// Those that must be looked at, and how many stand before each.
    maybe: Vec<(Range<usize>, u64)>,
    /// How many of these are done, and how many of all lines.
    taken: usize,
    decided: u64,
}

impl<'p> Sifter<'p> {
    pub(crate) fn new(plan: &'p Plan) -> Self {
        Self {
            plan,
            spans: Spans::new(),
            encoder: Encoder::new(&plan.name),
            encoded: Vec::new(),
            ids: RecordIds::default(),
            block: None,
            lines: 0,
            maybe: Vec::new(),
            taken: 0,
            decided: 0,
        }
    }

    /// Chooses the lines of `block` that must be looked at; says how many it has in all.
    pub(crate) fn choose(&mut self, block: Block) -> u64 {
        self.maybe.clear();
        let start = block.lines.start;
        self.lines = if let Some(screen) = &self.plan.screen {
            screen.sift(block.text(), |place, before| {
                self.maybe.push((start + place.start..start + place.end, before));
                true
            })
        } else {
            let mut at = start;
            for_each_line_end(block.text(), |end| {
                self.maybe.push((at..start + end, self.maybe.len() as u64));
                at = start + end + 1;
            });
            self.maybe.len() as u64
        };
        self.block = Some(Arc::new(block));
        (self.taken, self.decided) = (0, 0);
        self.lines
    }

    /// Sifts the next lines of the block that was chosen from; none, if it is done. `lines_before` says how many lines stand before the block, if records are to be encoded.
    pub(crate) fn sift(&mut self, lines_before: Option<u64>, spares: &Spares) -> Option<Sifted> {
        let block = self.block.take()?;
        let maybe = std::mem::take(&mut self.maybe);
        let part = &maybe[self.taken..maybe.len().min(self.taken + PART_LINES_MAX)];
        let mut sifted = Sifted::default();
        if lines_before.is_some() {
            sifted.encoded = spares.take();
            // A record holds its line twice, and about two hundred bytes more.
            let bytes: usize = part.iter().map(|(raw, _)| raw.len()).sum();
            sifted.encoded.reserve(2 * bytes + 250 * part.len());
            sifted.rows.reserve_exact(part.len());
        }
        for (raw, before) in part {
            push_screened(before - self.decided, &mut sifted.found);
            self.decided = before + 1;
            self.take(&block, raw.clone(), *before, lines_before, &mut sifted);
        }
        self.taken += part.len();
        self.name(&block.bytes, &mut sifted);
        if self.taken < maybe.len() {
            self.block = Some(Arc::clone(&block));
        } else {
            push_screened(self.lines - self.decided, &mut sifted.found);
            sifted.lines = Some(self.lines);
        }
        self.maybe = maybe;
        Some(Sifted { block, ..sifted })
    }

    /// Gives the records their ids, which are hashed side by side.
    fn name(&mut self, bytes: &[u8], sifted: &mut Sifted) {
        let texts = self.encoded.iter().map(|(text, _)| &bytes[text.clone()]);
        let mut start = 0;
        for ((text, end), &id) in self.encoded.iter().zip(self.ids.of_lines(texts)) {
            Encoder::name(&mut sifted.encoded[start..*end], id);
            let key = LineKey::new(&bytes[text.clone()], id);
            sifted.rows.push(Row { key, text: text.clone(), end: *end });
            start = *end;
        }
        self.encoded.clear();
        let records = |found: &Found| match found {
            Found::Record { line, .. } => Some(&bytes[line.text.clone()]),
            _ => None,
        };
        let ids = self.ids.of_lines(sifted.found.iter().filter_map(records));
        let records = sifted.found.iter_mut().filter_map(|found| match found {
            Found::Record { id, .. } => Some(id),
            _ => None,
        });
        for (own, &id) in records.zip(ids) {
            *own = id;
        }
    }

    fn take(
        &mut self,
        block: &Block,
        raw: Range<usize>,
        before: u64,
        lines_before: Option<u64>,
        sifted: &mut Sifted,
    ) {
        // As `Lines` reads it: NUL bytes at its beginning are a hole, and a `\r` belongs to the line end.
        let hole = block.bytes[raw.clone()].iter().take_while(|&&byte| byte == 0).count();
        let raw = raw.start + hole..raw.end;
        let text = &block.bytes[raw.clone()];
        let text = text.strip_suffix(b"\r").unwrap_or(text);
        let line = Place { before, text: raw.start..raw.start + text.len(), end: raw.end + 1 };
        if text.len() > self.plan.line_bytes_max {
            let text = raw.start..raw.start + self.plan.line_bytes_max;
            sifted.found.push(Found::Odd { line: Place { text, ..line }, cut: true });
            return;
        }
        match text.first() {
            None => return push_screened(1, &mut sifted.found),
            Some(byte) if byte.is_ascii_whitespace() && text.iter().all(u8::is_ascii_whitespace) => {
                return push_screened(1, &mut sifted.found);
            }
            Some(_) => {}
        }
        for (index, format) in self.plan.formats.iter().enumerate() {
            let parsed = match format.parse(text, &mut self.spans) {
                Ok(parsed) => parsed,
                Err(LineError::Ambiguous | LineError::TooManyReadings { .. } | LineError::NoRequest) => break,
                Err(_) => continue,
            };
            if let Some(wanted) = &self.plan.predicate
                && wanted.rules_out(parsed.status(), || parsed.time())
            {
                if wanted.misses_time(parsed.status(), || parsed.time()) {
                    break;
                }
                return push_screened(1, &mut sifted.found);
            }
            if capture::is_capture(format) {
                break;
            }
            let exchange = parsed.exchange_ref();
            let Some(lines_before) = lines_before else {
                sifted.found.push(Found::Record {
                    line,
                    id: UNNAMED,
                    format: index,
                    exchange: Box::new(exchange.into_owned()),
                });
                return;
            };
            let place = (lines_before + before + 1, block.offset + line.text.start as u64);
            self.encoder.encode(place, format.name(), text, &exchange, &mut sifted.encoded);
            self.encoded.push((line.text, sifted.encoded.len()));
            match sifted.found.last_mut() {
                Some(Found::Encoded(count)) => *count += 1,
                _ => sifted.found.push(Found::Encoded(1)),
            }
            return;
        }
        sifted.found.push(Found::Odd { line, cut: false });
    }
}

fn push_screened(lines: u64, found: &mut Vec<Found>) {
    match found.last_mut() {
        Some(Found::Screened(before)) => *before += lines,
        _ if lines > 0 => found.push(Found::Screened(lines)),
        _ => {}
    }
}
