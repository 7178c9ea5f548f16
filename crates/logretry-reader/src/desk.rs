use std::borrow::Cow;

use bstr::BString;
use jiff::Timestamp;
use logretry_format::{Format, LineError, Screen, Spans};
use logretry_record::{Exchange, LineCounter, LineKey, Origin, Record, RecordId, Reject, Shown};
use logretry_stage::bridge::{Break, Feed};
use logretry_stage::lines::Line;

use crate::ReaderOptions;
use crate::capture;
use crate::fallback::Fallback;
use crate::follow::Progress;
use crate::sift::Plan;
use crate::unread::Unread;
use crate::wrappers::joins::{Added, Joined, Joins, Place, too_long};
use crate::wrappers::{self, DEPTH_MAX, Layer, Part, peel};

mod others;
mod zone;

use others::{Held, Other, Way};

/// Where each line of one log is decided on.
///
/// A line is tried as it stands; if it is in none of the formats, its outermost wrapper is taken off, and so on. What was cut into pieces is put together
/// on the way. A line that is in no format with all wrappers off is looked at once more by [`Fallback`], and then rejected.
#[expect(clippy::struct_excessive_bools, reason = "each is a fact of its own about the log")]
pub(crate) struct Desk<'a> {
    pub(crate) name: BString,
    pub(crate) formats: Vec<Format>,
    /// None, if the operator has said which formats there are.
    pub(crate) fallback: Option<Fallback>,
    /// Docker's lines have no line ends in this log.
    pub(crate) unended_are_whole: bool,
    /// Whether the lines were there before reading was to begin: they count for the ids of those behind them, and for nothing else.
    pub(crate) is_past: bool,
    /// Who is told of each record before it is handed on, with the number of the file that it is in.
    pub(crate) progress: Option<(Progress, u64)>,
    /// Numbers the equal lines of a file.
    pub(crate) counter: LineCounter,
    options: &'a ReaderOptions,
    joins: Joins,
    spans: Spans,
    /// Rules lines out that stand in no wrapper and are in the log's first format. A screen saves reading and rejecting, and decides nothing: what the fallback makes
    /// of a log depends on all its lines.
    screen: Option<Screen>,
    /// The lines that have been ruled out without the fallback having seen them; none, once it had to see them all.
    unread: Option<Unread>,
    /// How the line is read that is decided on.
    way: Way,
    /// Whether lines may wait until it is known what becomes of them. A log that grows has no end by which that is known.
    pub(crate) holds_back: bool,
    /// Lines that only a looser format reads, which may still be taken: two of each at most.
    held: Vec<Held>,
    /// Whether most lines stand in no wrapper.
    pub(crate) is_plain: bool,
    /// Whether the formats have changed since the last plan.
    has_changed: bool,
    /// Whether a line was wanted but for a time that it does not say.
    is_timeless: bool,
}

/// A text on its way from a physical line to the line that the web server wrote.
#[derive(Clone, Copy)]
struct Strip<'t> {
    place: Place,
    text: &'t [u8],
    /// The text from which wrappers were taken off since it was read or put together.
    whole: &'t [u8],
    depth: usize,
    /// When its last piece was written, if it was put together.
    told: Option<Timestamp>,
    /// Whether a wrapper that keeps text as JSON was taken off, whose writer has no bytes but UTF-8.
    is_utf8_only: bool,
    /// Whether the formats are all that there are.
    is_final: bool,
}

impl Strip<'_> {
    /// The time of the line by what was around it.
    fn time(&self) -> Option<Timestamp> {
        self.told.or_else(|| wrappers::time(self.whole, self.depth))
    }
}

/// What the formats say of a text.
enum Said {
    /// Its end is decided.
    Done,
    /// It is a line of the log that tells of no request, unless there is one within it.
    NoRequest,
    /// It is in no format, the first of which says why.
    Unfit(Option<LineError>),
}

const SEVERAL_LINES: &str = "it holds several lines";

impl<'a> Desk<'a> {
    pub(crate) fn new(name: BString, formats: Vec<Format>, options: &'a ReaderOptions) -> Self {
        let joins = Joins::new(options.line_bytes_max);
        Self {
            name,
            formats,
            fallback: None,
            unended_are_whole: false,
            is_past: false,
            progress: None,
            counter: LineCounter::default(),
            options,
            joins,
            spans: Spans::default(),
            screen: None,
            unread: Some(Unread::default()),
            way: Way::Wanted,
            holds_back: false,
            held: Vec::new(),
            is_plain: false,
            has_changed: false,
            is_timeless: false,
        }
    }

    /// What several threads may know to make records of lines on their own; see [`crate::sift`].
    pub(crate) fn plan(&mut self) -> Plan {
        self.has_changed = false;
        Plan {
            name: self.name.clone(),
            formats: self.formats.clone(),
            // With a second format there is a second place where a status can stand.
            screen: self.screen.clone().filter(|_| self.formats.len() == 1 && self.unread.is_some()),
            predicate: self.options.predicate.clone(),
            line_bytes_max: self.options.line_bytes_max,
        }
    }

    /// Whether lines are now to be read otherwise than the last plan says.
    pub(crate) fn has_changed(&self) -> bool {
        self.has_changed
    }

    /// From now on, leaves lines unread that show an unwanted status where the log's format has it. For a log whose lines stand in no
    /// wrapper: a piece of a line shows nothing of the rest.
    pub(crate) fn skim(&mut self) {
        self.is_plain = true;
        let wanted = self.options.predicate.as_ref().and_then(|predicate| predicate.status.as_ref());
        if let ([format], Some(wanted), false) = (&self.formats[..], wanted, self.options.strict) {
            self.screen = Screen::new(format, wanted);
        }
    }

    /// Decides on a physical line.
    pub(crate) fn take(&mut self, line: &Line<'_>, feed: &mut Feed) -> Result<(), Break> {
        let Line { number, offset, text, cut } = *line;
        let place = Place { number, offset };
        if cut {
            self.joins.break_all();
            return self.reject(place, text, too_long(self.options.line_bytes_max), feed);
        }
        if self.screen.as_ref().is_some_and(|screen| screen.rules_out(text)) {
            return self.take_ruled_out(place, text, Way::RuledOut, feed);
        }
        self.decide(self.whole(place, text), &mut Vec::new(), feed)
    }

    fn whole<'t>(&self, place: Place, text: &'t [u8]) -> Strip<'t> {
        let is_final = self.fallback.is_none();
        Strip { place, text, whole: text, depth: 0, told: None, is_utf8_only: false, is_final }
    }

    /// Makes a record of the line `text`, which would have the id `first` if it had no equal before it.
    pub(crate) fn record(
        &mut self,
        first: RecordId,
        place: Place,
        format: &str,
        text: &[u8],
        exchange: Exchange,
        feed: &mut Feed,
    ) -> Result<(), Break> {
        let id = match self.counter.ordinal(LineKey::new(text, first)) {
            0 => first,
            ordinal => RecordId::of_line(text, ordinal),
        };
        let origin = Origin::new(self.name.clone(), place.number, place.offset, format, text);
        Ok(feed.record(Record::new(id, origin, exchange))?)
    }

    /// Whether the last piece of some line has not come.
    pub(crate) fn is_in_pieces(&self) -> bool {
        !self.joins.is_empty()
    }

    /// Rejects the beginning of a line whose end will not come.
    pub(crate) fn torn(&mut self, line: &Line<'_>, feed: &mut Feed) -> Result<(), Break> {
        let place = Place { number: line.number, offset: line.offset };
        self.reject(place, line.text, "its end is missing: the log was cut there".to_owned(), feed)
    }

    /// Rejects the lines whose last piece has not come by the end of the log, and those whose format has not been taken.
    pub(crate) fn close(&mut self, feed: &mut Feed) -> Result<(), Break> {
        for held in std::mem::take(&mut self.held) {
            self.reject(held.place, &held.text, held.reason, feed)?;
        }
        while let Some(joined) = self.joins.oldest() {
            self.reject_flawed(joined, feed)?;
        }
        Ok(())
    }

    fn decide(&mut self, strip: Strip<'_>, stream: &mut Vec<u8>, feed: &mut Feed) -> Result<(), Break> {
        let Strip { place, text, .. } = strip;
        if text.iter().all(u8::is_ascii_whitespace) {
            self.screen_out(feed);
            return Ok(());
        }
        let said = self.read(strip, feed)?;
        if matches!(said, Said::Done) {
            return Ok(());
        }
        // A `#` begins the headers and the comments of logs, unless a client has chosen the first byte of the line.
        if text.starts_with(b"#") {
            self.head(strip, feed)?;
            self.screen_out(feed);
            return Ok(());
        }
        if strip.depth < DEPTH_MAX
            && let Some(layer) = peel(text)
            && (!layer.wrapper.is_loose() || self.fits_within(&layer.text))
        {
            return self.unwrap(strip, &layer, stream, feed);
        }
        let Said::Unfit(error) = said else {
            self.screen_out(feed);
            return Ok(());
        };
        let reason = match (self.formats.first(), error) {
            (Some(format), Some(error)) => format!("not `{}`: {error}", format.name()),
            _ => String::new(),
        };
        let other = if strip.is_final { Other::None } else { self.find_format(strip, strip.whole, feed)? };
        match other {
            Other::Taken => {
                return self.decide(Strip { text: strip.whole, is_final: true, ..strip }, stream, feed);
            }
            Other::Looser(format) if self.holds_back && self.way == Way::Wanted => {
                self.held.push(Held { format, place, whole: strip.whole.into(), text: text.into(), reason });
                return Ok(());
            }
            Other::Looser(_) | Other::None => {}
        }
        if strip.depth == 0 && self.way == Way::Wanted {
            // Where lines are wrapped, this one is not: a wrapper that is damaged, perhaps, and a piece of a line in it.
            self.joins.break_all();
        }
        self.reject(place, text, reason, feed)
    }

    /// Takes a header that says what the columns of the next lines are. It may be another than before.
    fn head(&mut self, strip: Strip<'_>, feed: &mut Feed) -> Result<(), Break> {
        let mut is_known = false;
        for format in &mut self.formats {
            if let Some(next) = format.header(strip.text) {
                *format = next;
                (is_known, self.has_changed) = (true, true);
            }
        }
        if !is_known && strip.text.starts_with(b"#Fields:") {
            self.find_format(strip, strip.text, feed)?;
        }
        Ok(())
    }

    /// Makes a record of a text that is in one of the formats.
    fn read(&mut self, strip: Strip<'_>, feed: &mut Feed) -> Result<Said, Break> {
        let Strip { place, text, .. } = strip;
        let mut first = None;
        for format in &self.formats {
            let parsed = match format.parse(text, &mut self.spans) {
                Ok(parsed) => parsed,
                // Another format may see one reading only where this one sees two; but it was this one that the log showed to be in.
                Err(error @ (LineError::Ambiguous | LineError::TooManyReadings { .. }))
                    if self.fallback.is_some() =>
                {
                    let reason = format!("not `{}`: {error}", format.name());
                    self.reject(place, text, reason, feed)?;
                    return Ok(Said::Done);
                }
                // It has been understood: no other format may make a request of it.
                Err(LineError::NoRequest) => return Ok(Said::NoRequest),
                Err(error) => {
                    first.get_or_insert(error);
                    continue;
                }
            };
            if memchr::memchr(b'\n', text).is_some() {
                self.reject(place, text, SEVERAL_LINES.to_owned(), feed)?;
                return Ok(Said::Done);
            }
            let time = || parsed.time().or_else(|| strip.time());
            if let Some(predicate) = &self.options.predicate
                && predicate.rules_out(parsed.status(), time)
            {
                if predicate.misses_time(parsed.status(), time)
                    && !std::mem::replace(&mut self.is_timeless, true)
                {
                    let sentence = format_args!(
                        "{}:{}: says no time, so --since and --until leave it out, and every other line that says none",
                        Shown(&self.name),
                        place.number,
                    );
                    feed.notes().say_of_log("lines without a time", sentence);
                }
                self.screen_out(feed);
                return Ok(Said::Done);
            }
            if self.way == Way::Again {
                // It has been counted as screened, and the screen has looked for its status in another place.
                feed.notes().say(format_args!(
                    "{}:{}: left unread, although it is wanted; `--strict` reads it",
                    Shown(&self.name),
                    place.number,
                ));
                return Ok(Said::Done);
            }
            let mut exchange = parsed.exchange();
            exchange.time = exchange.time.or_else(|| strip.time());
            if strip.is_utf8_only {
                mark_replaced(text, &mut exchange);
            }
            let line = match capture::complete(format, text, &mut exchange, self.options.line_bytes_max) {
                Ok(line) => line.unwrap_or_else(|| text.into()),
                Err(reason) => {
                    self.reject(place, text, reason, feed)?;
                    return Ok(Said::Done);
                }
            };
            let id = self.counter.next_id(text);
            if !self.is_past {
                let origin = Origin::new(self.name.clone(), place.number, place.offset, format.name(), line);
                if let Some((progress, volume)) = &self.progress {
                    let keeps_pieces = self.is_in_pieces();
                    // With `\r`, or without it: no line ends in between.
                    let lines = (place.offset, place.offset + text.len() as u64 + 2);
                    progress.handed(id, &self.name, *volume, lines, keeps_pieces);
                }
                feed.record(Record::new(id, origin, exchange))?;
            }
            return Ok(Said::Done);
        }
        Ok(Said::Unfit(first))
    }

    fn unwrap(
        &mut self,
        strip: Strip<'_>,
        layer: &Layer<'_>,
        stream: &mut Vec<u8>,
        feed: &mut Feed,
    ) -> Result<(), Break> {
        if self.way != Way::Wanted && !matches!(layer.part, Part::Whole) {
            self.screen_out(feed);
            return Ok(());
        }
        layer.extend_stream(stream);
        let inner = Strip {
            text: &layer.text,
            depth: strip.depth + 1,
            is_utf8_only: strip.is_utf8_only || layer.wrapper.is_utf8_only(),
            ..strip
        };
        let ends = match layer.part {
            Part::Whole => return self.decide(inner, stream, feed),
            Part::Lost(reason) => return self.reject(strip.place, strip.text, reason.to_owned(), feed),
            Part::End => true,
            Part::More => false,
            Part::Unended => !self.joins.awaits(stream) && (self.unended_are_whole || self.fits(&layer.text)),
        };
        match self.joins.add(stream, strip.place, &layer.text, ends) {
            Added::Whole => return self.decide(inner, stream, feed),
            Added::Begun => {}
            Added::Continued => self.screen_out(feed),
            Added::Ended(joined) => {
                self.screen_out(feed);
                if joined.flaw.is_some() {
                    return self.reject_flawed(joined, feed);
                }
                let told = inner.time();
                let Joined { place, text, .. } = &joined;
                return self.decide(Strip { place: *place, text, whole: text, told, ..inner }, stream, feed);
            }
        }
        while let Some(joined) = self.joins.overflow() {
            self.reject_flawed(joined, feed)?;
        }
        Ok(())
    }

    /// Whether `text` is in a format of the log, or what is inside of it.
    fn fits_within(&mut self, text: &[u8]) -> bool {
        let mut text = Cow::Borrowed(text);
        for _ in 0..DEPTH_MAX {
            if self.fits(&text) {
                return true;
            }
            let Some(layer) = peel(&text) else { return false };
            text = Cow::Owned(layer.text.into_owned());
        }
        false
    }

    fn fits(&mut self, text: &[u8]) -> bool {
        self.formats.iter().any(|format| format.parse(text, &mut self.spans).is_ok())
    }

    fn reject_flawed(&self, joined: Joined, feed: &mut Feed) -> Result<(), Break> {
        let Joined { place, text, flaw, .. } = joined;
        self.reject(place, &text, flaw.unwrap_or_default().into_owned(), feed)
    }

    fn screen_out(&self, feed: &mut Feed) {
        if !self.is_past && self.way != Way::Again {
            feed.screened();
        }
    }

    fn reject(&self, place: Place, text: &[u8], reason: String, feed: &mut Feed) -> Result<(), Break> {
        if self.way != Way::Wanted {
            self.screen_out(feed);
            return Ok(());
        }
        if self.is_past {
            return Ok(());
        }
        // Two runs that follow one folder would reject each other's rejects without an end.
        if !self.holds_back && Reject::is_encoded(text) {
            self.screen_out(feed);
            return Ok(());
        }
        let Place { number, offset } = place;
        let reject = Reject { source: self.name.clone(), line: number, offset, reason, text: text.into() };
        Ok(feed.reject(reject)?)
    }
}

/// Says what of a URL is lost where a byte of it was replaced: docker writes U+FFFD for what is not UTF-8.
fn mark_replaced(text: &[u8], exchange: &mut Exchange) {
    let Some(target) = &exchange.target else { return };
    if memchr::memmem::find(text, "\u{fffd}".as_bytes()).is_none() {
        return;
    }
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    for (part, name) in [(path, "path"), (query, "query")] {
        if part.contains("%EF%BF%BD") && !exchange.lossy.iter().any(|lossy| lossy == name) {
            exchange.lossy.push(name.into());
        }
    }
}
