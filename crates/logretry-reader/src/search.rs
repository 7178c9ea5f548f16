use std::net::IpAddr;

use bstr::BString;
use logretry_format::{Detection, Format, Score, Spans, Verdict};
use logretry_record::{Record, Reject, Shown};
use logretry_stage::Notes;
use logretry_stage::lines::Line;

use crate::ReaderError;
use crate::arrival::Arrival;
use crate::entries::Entries;
use crate::error_log::is_error_log;
use crate::fallback::LOOSER_LINES_MIN;
use crate::survey::{Found, Kept, Survey};
use crate::unpack::{archive, foreign};
use crate::wrappers::Wrapper;

/// How many lines are looked at at once.
const WINDOW_LINES: usize = 200;
/// How many lines are kept until a format is found, and how many bytes. A container says much before it serves, but not that much.
const LINES_MAX: usize = 10_000;
const BYTES_MAX: usize = 16 << 20;
/// Lines so scattered that they are too few among any 200 are taken for an access log if there are so many of them.
const SCATTERED_LINES_MIN: usize = 10;

/// The search for the format of a log: over its first lines, and, as long as no format is known that fits them, over the next ones. The lines are kept meanwhile.
pub(crate) struct Search {
    name: BString,
    outer: Option<Wrapper>,
    line_bytes_max: usize,
    arrival: Arrival,
    pub(crate) kept: Vec<Kept>,
    bytes: usize,
    /// Why there are no more lines: they are for whoever takes those that were kept.
    failed: Option<ReaderError>,
    /// Where the lines begin that are looked at together.
    window: usize,
    /// The best of what was found before.
    best: Option<Found>,
    /// Every format that fits some line.
    formats: Vec<Format>,
}

/// What a search comes to.
pub(crate) struct Searched {
    pub(crate) found: Found,
    pub(crate) survey: Survey,
    /// Around the format, the outermost first.
    pub(crate) wrappers: Vec<Wrapper>,
}

impl Search {
    /// A search in the log `name`, whose entries come out of `outer`.
    pub(crate) fn new(name: BString, outer: Option<Wrapper>, line_bytes_max: usize) -> Self {
        Self {
            name,
            outer,
            line_bytes_max,
            arrival: Arrival::of(None),
            kept: Vec::new(),
            bytes: 0,
            failed: None,
            window: 0,
            best: None,
            formats: Vec::new(),
        }
    }

    /// The same search, in a log that comes as `arrival` tells.
    pub(crate) fn in_what_comes(mut self, arrival: Arrival) -> Self {
        self.arrival = arrival;
        self
    }

    /// Reads lines: one, for which it may wait, and more until the window is full, or the input is idle. Says whether there was one.
    pub(crate) fn read(&mut self, entries: &mut Entries) -> Result<bool, ReaderError> {
        let before = self.kept.len();
        if self.failed.is_some() {
            return Ok(false);
        }
        while self.kept.len() == before
            || (!self.is_window_full()
                && self.bytes < BYTES_MAX
                && !(entries.would_wait() && self.arrival.is_idle()))
        {
            match entries.next() {
                Ok(Some(line)) => self.keep(&line),
                Ok(None) => break,
                Err(error) => {
                    let line = self.kept.last().map_or(0, |kept| kept.place.number);
                    let error = ReaderError::Read { name: self.name.to_string(), line, error };
                    if line == 0 {
                        return Err(error);
                    }
                    self.failed = Some(error);
                    break;
                }
            }
        }
        if before == 0
            && let Some(archive) = self.kept.first().and_then(|first| archive(&first.text))
        {
            return Err(ReaderError::Archive { name: self.name.to_string(), archive });
        }
        if before == 0
            && let Some(program) = self.kept.first().and_then(|first| foreign(&first.text))
        {
            return Err(ReaderError::Packed { name: self.name.to_string(), program });
        }
        Ok(self.kept.len() > before)
    }

    /// What went wrong behind the lines that were kept.
    pub(crate) fn take_error(&mut self) -> Option<ReaderError> {
        self.failed.take()
    }

    /// Why what fits best is not chosen, if that is not for want of lines.
    pub(crate) fn doubt(&self) -> Option<&'static str> {
        self.best.as_ref()?.detection.doubt
    }

    /// Takes one more line.
    pub(crate) fn keep(&mut self, line: &Line<'_>) {
        self.bytes += line.text.len();
        self.kept.push(Kept::of(line));
    }

    /// Whether as many lines have come as are looked at together.
    pub(crate) fn is_window_full(&self) -> bool {
        self.kept.len() >= self.window + WINDOW_LINES
    }

    /// Reads on and looks at what is there. None: no format is found yet, but there is reason to try again.
    pub(crate) fn step(&mut self, entries: &mut Entries) -> Result<Option<Searched>, ReaderError> {
        let goes_on = self.read(entries)?;
        Ok(self.look(goes_on))
    }

    /// Looks at the lines that have come; whether there will be more is said by `goes_on`. None: no format is found yet, but there is reason to try again.
    pub(crate) fn look(&mut self, goes_on: bool) -> Option<Searched> {
        let survey = Survey::of(&self.kept[self.window..], self.line_bytes_max);
        let found = survey.detect();
        if !found.is_unknown() {
            return Some(self.searched(found, survey));
        }
        for score in &found.detection.scores {
            if !self.formats.iter().any(|format| format.name() == score.format.name()) {
                self.formats.push(score.format.clone());
            }
        }
        if self.best.as_ref().is_none_or(|best| found.rank() > best.rank()) {
            self.best = Some(found);
        }
        if goes_on && self.kept.len() < LINES_MAX && self.bytes < BYTES_MAX {
            if self.is_window_full() {
                self.window = self.kept.len();
            }
            return None;
        }
        Some(self.give_up())
    }

    /// Searches to the end, however long it takes.
    pub(crate) fn run(&mut self, entries: &mut Entries) -> Result<Searched, ReaderError> {
        loop {
            if let Some(searched) = self.step(entries)? {
                return Ok(searched);
            }
        }
    }

    /// Looks at all lines, at those alone that fit anything.
    fn give_up(&mut self) -> Searched {
        let mut survey = Survey::of(&self.kept, self.line_bytes_max);
        let lines = survey.lines.iter().filter(|line| !line.is_blank()).count();
        let mut spans = Spans::new();
        let mut fits = |text: &[u8]| self.formats.iter().any(|format| format.parse(text, &mut spans).is_ok());
        survey.lines.retain(|line| line.wrappers_where(&mut fits).is_some());
        let mut found = survey.detect();
        if found.is_unknown() || found.rank().1 < SCATTERED_LINES_MIN {
            let first = Survey::of(&self.kept[..self.kept.len().min(WINDOW_LINES)], self.line_bytes_max);
            found = self.best.take().unwrap_or_else(|| first.detect());
            found.detection.verdict = Verdict::Unknown;
            survey = first;
        } else if let Some(best) = found.detection.scores.first_mut() {
            // Detection looks at no more than 200 of them.
            best.matched = survey.lines.len();
        }
        found.detection.lines = lines;
        self.searched(found, survey)
    }

    fn searched(&self, found: Found, survey: Survey) -> Searched {
        let wrappers = match found.detection.chosen() {
            Some(format) => self.around(&survey, std::slice::from_ref(format)).map(|(_, wrappers)| wrappers),
            None => None,
        };
        Searched { found, survey, wrappers: wrappers.unwrap_or_default() }
    }

    /// The first of `formats` that most lines are in, with its wrappers.
    pub(crate) fn around<'f>(
        &self,
        survey: &Survey,
        formats: &'f [Format],
    ) -> Option<(&'f Format, Vec<Wrapper>)> {
        let (format, wrappers) = survey.wrappers(formats)?;
        Some((format, self.outer.iter().chain(wrappers).copied().collect()))
    }
}

/// The format that was found, and the one to try on lines that it does not fit; says which was chosen.
pub(crate) fn formats_of(
    searched: &Searched,
    name: &BString,
    notes: &Notes,
) -> Result<Vec<Format>, ReaderError> {
    let Detection { lines, scores, runner_up, verdict, doubt } = &searched.found.detection;
    let unknown = |detail| ReaderError::UnknownFormat { name: Shown(name).to_string(), detail };
    match verdict {
        Verdict::Chosen(format) => {
            let matched = lines - searched.found.detection.unmatched();
            let kind = format!("format {}{}", Shown(format.name().as_bytes()), within(&searched.wrappers));
            let sentence = format_args!("{}: {kind}, which {matched} of {lines} lines fit", Shown(name));
            notes.say_of_log(&kind, sentence);
            let is_odd = |score: &&Score| {
                score.matched < LOOSER_LINES_MIN
                    && looser(&searched.found.detection).any(|name| name == score.format.name())
            };
            let runner_up = runner_up.iter().filter(|score| !is_odd(score)).map(|score| &score.format);
            Ok([format].into_iter().chain(runner_up).cloned().collect())
        }
        Verdict::Ambiguous(one, other) => {
            Err(unknown(format!("{} and {} both fit, and give different URLs", one.name(), other.name())))
        }
        Verdict::Unknown if searched.survey.lines.iter().any(|line| Record::decode(line.at(0)).is_ok()) => {
            Err(ReaderError::Records { name: Shown(name).to_string() })
        }
        Verdict::Unknown if searched.survey.lines.iter().any(|line| Reject::is_encoded(line.at(0))) => {
            Err(ReaderError::Rejects { name: Shown(name).to_string() })
        }
        Verdict::Unknown if is_error_log(searched.survey.lines.iter().map(|line| line.at(0))) => {
            Err(ReaderError::ErrorLog { name: Shown(name).to_string() })
        }
        Verdict::Unknown => Err(unknown(match (doubt, scores.first()) {
            (Some(doubt), _) => (*doubt).to_owned(),
            (None, None) => format!("no known format fits any of its first {lines} lines"),
            (None, Some(best)) => {
                format!("{} is the nearest, and fits {} of {lines} lines", best.format.name(), best.matched)
            }
        })),
    }
}

/// Some lines that the chosen format reads.
pub(crate) fn own_lines(searched: &Searched, formats: &[Format]) -> Vec<BString> {
    const LINES: usize = 20;
    let Some(own) = formats.first() else { return Vec::new() };
    let mut spans = Spans::new();
    let lines = searched.survey.lines.iter().map(|line| line.at(searched.found.depth));
    lines.filter(|line| own.parse(line, &mut spans).is_ok()).take(LINES).map(BString::from).collect()
}

/// Whether each of `lines` names a client behind a file: `access.log.1:203.0.113.9`, as grep writes where it is given several, or with the line's number in between.
pub(crate) fn begin_with_names_of_files(lines: &[BString], formats: &[Format]) -> bool {
    let is_address = |text: &str| text.parse::<IpAddr>().is_ok();
    let is_behind_a_name = |client: &str| {
        !is_address(client) && client.match_indices(':').any(|(at, _)| is_address(&client[at + 1..]))
    };
    let mut spans = Spans::new();
    let mut is_named = |line: &BString| {
        let parsed = formats.first().and_then(|own| own.parse(line, &mut spans).ok());
        parsed
            .and_then(|parsed| parsed.exchange().client)
            .is_some_and(|client| is_behind_a_name(&client.to_string()))
    };
    !lines.is_empty() && lines.iter().all(&mut is_named)
}

/// The formats that also read most lines which the chosen one reads.
fn looser(detection: &Detection) -> impl Iterator<Item = String> {
    let best = detection.scores.first().map_or(0, |best| best.matched);
    let others = detection.scores.iter().skip(1).filter(move |score| score.matched * 2 >= best);
    others.map(|score| score.format.name().to_owned())
}

/// ` in CRI in docker json-file`: from the inside out.
pub(crate) fn within(wrappers: &[Wrapper]) -> String {
    wrappers.iter().rev().fold(String::new(), |text, wrapper| text + &format!(" in {wrapper}"))
}
