//! What the first lines of a log are in: their format, and what is around it.
//!
//! No format is known yet that could say which lines are wrapped. So every line is peeled as far as it goes, and the presets are tried on the lines as
//! they stand, with one wrapper off, with two, and so on. The depth at which most lines fit wins, and of equals the outermost: what can be read as it
//! stands is not peeled.

use std::collections::BTreeMap;

use bstr::BString;
use logretry_format::{Detection, Format, Spans, Verdict};
use logretry_stage::lines::Line;

use crate::wrappers::joins::{Added, Joins, Place};
use crate::wrappers::{DEPTH_MAX, Part, Wrapper, peel};

/// A line that outlives the buffer it was read into.
#[derive(Debug, Clone)]
pub(crate) struct Kept {
    pub(crate) place: Place,
    pub(crate) text: BString,
    pub(crate) cut: bool,
}

impl Kept {
    pub(crate) fn of(line: &Line<'_>) -> Self {
        let Line { number, offset, text, cut } = *line;
        Self { place: Place { number, offset }, text: text.into(), cut }
    }

    pub(crate) fn as_line(&self) -> Line<'_> {
        Line { number: self.place.number, offset: self.place.offset, text: &self.text, cut: self.cut }
    }
}

/// Lines, peeled as far as they go, those in pieces put together.
#[derive(Debug)]
pub(crate) struct Survey {
    pub(crate) lines: Vec<Peeled>,
    /// Docker's lines have no line ends here, so that a line without one is no piece.
    pub(crate) unended_are_whole: bool,
}

/// A line with one wrapper after the other taken off.
#[derive(Debug)]
pub(crate) struct Peeled {
    pub(crate) place: Place,
    /// How many wrappers are off, and what remains; never empty. Pieces have no beginning: where they were joined, it begins with the joined line.
    levels: Vec<(usize, BString)>,
    /// The wrappers, the outermost first.
    wrappers: Vec<Wrapper>,
}

impl Peeled {
    /// The line with `depth` wrappers off, or as near to that as there is.
    pub(crate) fn at(&self, depth: usize) -> &[u8] {
        let level = self.levels.iter().rev().find(|(level, _)| *level <= depth);
        level.or(self.levels.first()).map_or(&[], |(_, text)| text)
    }

    pub(crate) fn is_blank(&self) -> bool {
        self.levels.last().is_none_or(|(_, text)| text.trim_ascii().is_empty())
    }

    fn depth(&self) -> usize {
        self.levels.last().map_or(0, |(depth, _)| *depth)
    }

    /// The wrappers that are off where `fits` first says yes.
    pub(crate) fn wrappers_where(&self, mut fits: impl FnMut(&[u8]) -> bool) -> Option<&[Wrapper]> {
        let (depth, _) = self.levels.iter().find(|(_, text)| fits(text))?;
        Some(&self.wrappers[..*depth])
    }
}

impl Survey {
    pub(crate) fn of(kept: &[Kept], line_bytes_max: usize) -> Self {
        let mut surveyor = Surveyor::new(line_bytes_max, true);
        let mut lines: Vec<Peeled> = kept.iter().filter_map(|line| surveyor.peel(line)).collect();
        let unended_are_whole = !surveyor.seen_ended;
        if surveyor.seen_unended && !unended_are_whole {
            let mut surveyor = Surveyor::new(line_bytes_max, false);
            lines = kept.iter().filter_map(|line| surveyor.peel(line)).collect();
        }
        Self { lines, unended_are_whole: surveyor.seen_unended && unended_are_whole }
    }

    /// Finds out the format, and how many wrappers are around it.
    pub(crate) fn detect(&self) -> Found {
        let deepest = self.lines.iter().map(Peeled::depth).max().unwrap_or(0);
        let mut best = self.detect_at(0);
        for depth in 1..=deepest {
            let found = self.detect_at(depth);
            if found.rank() > best.rank() {
                best = found;
            }
        }
        best
    }

    fn detect_at(&self, depth: usize) -> Found {
        let detection = logretry_format::detect(self.lines.iter().map(|line| line.at(depth)));
        Found { detection, depth }
    }

    /// The wrappers that most lines which are in one of `formats` have around them, with the first such format; none, if no line is in any.
    pub(crate) fn wrappers<'f>(&self, formats: &'f [Format]) -> Option<(&'f Format, &[Wrapper])> {
        let mut counts: BTreeMap<(&[Wrapper], usize), usize> = BTreeMap::new();
        let mut spans = Spans::new();
        for line in &self.lines {
            for (index, format) in formats.iter().enumerate() {
                if let Some(wrappers) = line.wrappers_where(|text| format.parse(text, &mut spans).is_ok()) {
                    *counts.entry((wrappers, index)).or_default() += 1;
                    break;
                }
            }
        }
        let ((wrappers, index), _) = counts.into_iter().max_by_key(|(_, count)| *count)?;
        Some((&formats[index], wrappers))
    }
}

/// What a survey comes to.
#[derive(Debug)]
pub(crate) struct Found {
    pub(crate) detection: Detection,
    /// How many wrappers were off.
    pub(crate) depth: usize,
}

impl Found {
    pub(crate) fn is_unknown(&self) -> bool {
        matches!(self.detection.verdict, Verdict::Unknown)
    }

    /// Greater is better.
    pub(crate) fn rank(&self) -> (bool, usize, bool) {
        let matched = self.detection.scores.first().map_or(0, |best| best.matched);
        (!self.is_unknown(), matched, self.detection.chosen().is_some())
    }
}

struct Surveyor {
    joins: Joins,
    unended_are_whole: bool,
    seen_ended: bool,
    seen_unended: bool,
}

impl Surveyor {
    fn new(line_bytes_max: usize, unended_are_whole: bool) -> Self {
        Self { joins: Joins::new(line_bytes_max), unended_are_whole, seen_ended: false, seen_unended: false }
    }

    /// The line as far as it can be peeled; none where it is a piece that does not end its line, or is too long.
    fn peel(&mut self, line: &Kept) -> Option<Peeled> {
        if line.cut {
            return None;
        }
        let mut peeled =
            Peeled { place: line.place, levels: vec![(0, line.text.clone())], wrappers: Vec::new() };
        let (mut stream, mut text) = (Vec::new(), line.text.clone());
        while peeled.wrappers.len() < DEPTH_MAX
            && let Some(layer) = peel(&text)
        {
            if matches!(layer.part, Part::Lost(_)) {
                break;
            }
            layer.extend_stream(&mut stream);
            peeled.wrappers.push(layer.wrapper);
            let ends = match layer.part {
                Part::End => {
                    self.seen_ended |= layer.wrapper == Wrapper::Docker;
                    Some(true)
                }
                Part::More => Some(false),
                Part::Unended => {
                    self.seen_unended = true;
                    Some(self.unended_are_whole)
                }
                Part::Whole | Part::Lost(_) => None,
            };
            let mut inner = BString::from(layer.text.into_owned());
            if let Some(ends) = ends {
                match self.joins.add(&stream, line.place, &inner, ends) {
                    Added::Whole => {}
                    Added::Begun | Added::Continued => return None,
                    Added::Ended(joined) => {
                        peeled.place = joined.place;
                        peeled.levels.clear();
                        inner = joined.text.into();
                    }
                }
            }
            peeled.levels.push((peeled.wrappers.len(), inner.clone()));
            text = inner;
        }
        Some(peeled)
    }
}
