//! A log's other formats, which its own lines do not have, and the lines that tell of them: those that a screen rules out too, for what the fallback makes of a log depends on all
//! its lines.

use std::fs::File;
use std::io;

use bstr::BString;
use logretry_record::Shown;
use logretry_stage::bridge::{Break, Closed, Feed};

use super::{Desk, Strip};
use crate::fallback::Takes;
use crate::unread::Unread;
use crate::wrappers::joins::Place;

/// How a line is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// For the record that it may be.
    Wanted,
    /// Although the screen rules it out, for another format that it may be in. If it cannot be used, it is screened.
    RuledOut,
    /// The same, once it has been counted as screened.
    Again,
}

/// A line that waits for its format to be taken.
pub(super) struct Held {
    pub(super) format: String,
    pub(super) place: Place,
    pub(super) whole: BString,
    /// What a reject shows of it, and why it is one.
    pub(super) text: BString,
    pub(super) reason: String,
}

/// What comes of looking for one more format.
pub(super) enum Other {
    None,
    /// The log's formats have become more, and the text is in one of them.
    Taken,
    /// This one is not taken yet.
    Looser(String),
}

impl Desk<'_> {
    /// Reads a line that is ruled out if it is in the log's first format.
    pub(super) fn take_ruled_out(
        &mut self,
        place: Place,
        text: &[u8],
        way: Way,
        feed: &mut Feed,
    ) -> Result<(), Break> {
        let before = std::mem::replace(&mut self.way, way);
        let is_own = self.fallback.is_none()
            || self.formats.first().is_some_and(|own| own.parse(text, &mut self.spans).is_ok());
        let taken = if is_own {
            self.screen_out(feed);
            Ok(())
        } else {
            self.decide(self.whole(place, text), &mut Vec::new(), feed)
        };
        self.way = before;
        taken
    }

    /// From here on, a crew leaves lines of `file` unread, if the fallback may want to see them.
    pub(crate) fn begin_unread(&mut self, file: &File, place: (u64, u64)) -> io::Result<()> {
        match &mut self.unread {
            Some(unread) if self.fallback.is_some() => unread.begin(file, place),
            _ => Ok(()),
        }
    }

    /// The crew has come up to `offset`.
    pub(crate) fn end_unread(&mut self, offset: u64) {
        if let Some(unread) = &mut self.unread {
            unread.end(offset);
        }
    }

    /// Shows the fallback the lines before `place` that it has not seen.
    fn look_back(&mut self, unread: Unread, place: Place, feed: &mut Feed) -> Result<(), Break> {
        let Some(screen) = self.screen.clone() else { return Ok(()) };
        let (name, line_bytes_max) = (self.name.clone(), self.options.line_bytes_max);
        self.has_changed = true;
        unread.each_before(place.offset, &name, line_bytes_max, |line| {
            if line.number.is_multiple_of(4096) && feed.context().is_draining() {
                return Err(Closed.into());
            }
            if line.cut || !screen.rules_out(line.text) {
                return Ok(());
            }
            let place = Place { number: line.number, offset: line.offset };
            self.take_ruled_out(place, line.text, Way::Again, feed)
        })
    }

    /// Looks for one more format, which `text` is in.
    pub(super) fn find_format(
        &mut self,
        strip: Strip<'_>,
        text: &[u8],
        feed: &mut Feed,
    ) -> Result<Other, Break> {
        let Some(format) = self.fallback.as_mut().and_then(|fallback| fallback.try_on(text)) else {
            return Ok(Other::None);
        };
        if self.way != Way::Again
            && let Some(unread) = self.unread.take_if(|unread| !unread.is_empty())
        {
            self.look_back(unread, strip.place, feed)?;
            if self.fits_within(text) {
                return Ok(Other::Taken);
            }
        }
        match self.fallback.as_mut().map_or(Takes::Never, |fallback| fallback.takes(&format)) {
            Takes::Now => {}
            Takes::Later => return Ok(Other::Looser(format.name().to_owned())),
            Takes::Never => return Ok(Other::None),
        }
        let kind = format!("format {}, from here on also", Shown(format.name().as_bytes()));
        let place = strip.place.number;
        feed.notes().say_of_log(&kind, format_args!("{}:{place}: {kind}", Shown(&self.name)));
        self.formats.push(format.clone());
        self.has_changed = true;
        self.give_held(format.name(), feed)?;
        Ok(Other::Taken)
    }

    /// Decides on the lines that have waited for `format`.
    fn give_held(&mut self, format: &str, feed: &mut Feed) -> Result<(), Break> {
        let way = std::mem::replace(&mut self.way, Way::Wanted);
        for held in self.held.extract_if(.., |held| held.format == format).collect::<Vec<_>>() {
            let strip = Strip { is_final: true, ..self.whole(held.place, &held.whole) };
            self.decide(strip, &mut Vec::new(), feed)?;
        }
        self.way = way;
        Ok(())
    }
}
