//! Which preset a log is in.
//!
//! Every preset is tried on the first lines. Presets are exact: each literal and each typed field must fit to the end of the
//! line, so few lines fit two, and of presets that fit the same lines the one that tells more apart is taken. The exception is
//! combined, whose shape says nothing about who escaped it: gunicorn leaves backslashes alone, nginx and Apache do not. One
//! sequence that those two never write proves that gunicorn wrote the log; without one it is combined, whose writers are many.

use std::collections::BTreeSet;

use logretry_record::Exchange;

use crate::error::LineError;
use crate::escape::has_foreign_sequence;
use crate::format::Format;
use crate::presets;
use crate::spans::Spans;

/// How many lines are looked at.
pub const DETECTION_LINES_MAX: usize = 200;

/// Of the lines looked at, one in so many must fit: logs of containers hold much that is no access log.
const SHARE: usize = 5;

/// What [`detect`] found.
#[derive(Debug, Clone)]
pub struct Detection {
    /// How many lines that are not blank were looked at.
    pub lines: usize,
    /// Each preset that fits any line, best first.
    pub scores: Vec<Score>,
    /// The preset that fits most of the lines which the best does not fit: to be tried on such lines.
    pub runner_up: Option<Score>,
    /// What to do.
    pub verdict: Verdict,
    /// Why a format that fits is not chosen: a fragment that fits after "cannot tell the format: ".
    pub doubt: Option<&'static str>,
}

/// How well one preset fits.
#[derive(Debug, Clone)]
pub struct Score {
    /// The preset.
    pub format: Format,
    /// How many lines it fits.
    pub matched: usize,
    /// How many lines are in it and tell of no request ([`LineError::NoRequest`]): messages among the access lines.
    pub messages: usize,
}

impl Score {
    fn of(format: &Format, lines: &[&[u8]]) -> Self {
        let mut spans = Spans::new();
        let matched = lines.iter().filter(|line| fits(format, line, &mut spans)).count();
        let has_messages = format.is_keyed() && matched > 0;
        let messages =
            lines.iter().filter(|line| has_messages && is_message(format, line, &mut spans)).count();
        Self { format: format.clone(), matched, messages }
    }

    fn known(&self) -> usize {
        self.matched + self.messages
    }
}

/// What detection comes to.
#[derive(Debug, Clone)]
pub enum Verdict {
    /// This is the format.
    Chosen(Format),
    /// Both fit as well, and they would give different URLs: the operator must say which it is.
    Ambiguous(Format, Format),
    /// No preset fits enough of the lines.
    Unknown,
}

impl Detection {
    /// The format, if there is exactly one.
    pub fn chosen(&self) -> Option<&Format> {
        match &self.verdict {
            Verdict::Chosen(format) => Some(format),
            _ => None,
        }
    }

    /// How many of the lines the best does not fit.
    pub fn unmatched(&self) -> usize {
        self.lines - self.scores.first().map_or(0, Score::known)
    }
}

/// Finds out which preset `lines` are in. Blank lines are passed over, and at most [`DETECTION_LINES_MAX`] others looked at.
pub fn detect<'l>(lines: impl Iterator<Item = &'l [u8]>) -> Detection {
    let mut lines: Vec<&[u8]> =
        lines.filter(|line| !line.trim_ascii().is_empty()).take(DETECTION_LINES_MAX).collect();
    let headed = headed(&lines);
    if headed.is_some() {
        lines.retain(|line| !line.starts_with(b"#"));
    }
    let is_literal = has_literal_backslashes(&lines);
    let mut scores: Vec<(Score, u8)> = Vec::new();
    for (order, (preset, format)) in presets::all().iter().enumerate() {
        if preset.twin.is_some() || preset.is_loose {
            continue;
        }
        let score = Score::of(format, &lines);
        if score.matched > 0 {
            let is_the_other_twin = format.name() == if is_literal { "combined" } else { "gunicorn" };
            let order = u8::try_from(order).unwrap_or(u8::MAX) + if is_the_other_twin { 100 } else { 0 };
            scores.push((score, order));
        }
    }
    scores.sort_by_key(|(score, order)| (std::cmp::Reverse(score.matched), *order));
    prefer_family(&mut scores);
    let scores = scores.into_iter().map(|(score, _)| score);
    // What a log says of itself counts more than what its lines look like.
    let mut scores: Vec<Score> = headed.into_iter().chain(scores).collect();
    let mut verdict = verdict(&scores, &lines);
    if matches!(verdict, Verdict::Unknown)
        && let Some(loose) = loose(&lines)
    {
        verdict = Verdict::Chosen(loose.format.clone());
        scores.insert(0, loose);
    }
    let doubt = match &verdict {
        Verdict::Chosen(format) => doubt(format, &lines),
        _ => None,
    };
    if doubt.is_some() {
        verdict = Verdict::Unknown;
    }
    // Only a header is known, and it fits no line: then the lines' errors say what is wrong with it.
    if let [headed] = scores.as_slice()
        && headed.matched == 0
    {
        verdict = Verdict::Chosen(headed.format.clone());
    }
    let runner_up = runner_up(&scores, &lines);
    Detection { lines: lines.len(), scores, runner_up, verdict, doubt }
}

/// The preset that passes over what it does not know, if it fits where no other does.
fn loose(lines: &[&[u8]]) -> Option<Score> {
    let presets = presets::all().iter().filter(|(preset, _)| preset.is_loose);
    let scores = presets.map(|(_, format)| Score::of(format, lines));
    scores
        .max_by_key(|score| score.matched)
        .filter(|best| best.matched > 0 && best.matched * SHARE >= lines.len())
}

/// Fewer lines may be as they are by chance.
const DOUBT_LINES_MIN: usize = 5;

/// Why `format` is not believed, although it fits.
fn doubt(format: &Format, lines: &[&[u8]]) -> Option<&'static str> {
    if has_odd_statuses(format, lines) {
        Some("most numbers that would be its statuses are none")
    } else if !format.is_keyed() && has_two_statuses(format, lines) {
        Some("two numbers behind the request look like its status")
    } else {
        None
    }
}

/// Whether something else than the status, the bytes for one, stands where the format has it, and happens to have three digits in these lines.
fn has_odd_statuses(format: &Format, lines: &[&[u8]]) -> bool {
    let mut spans = Spans::new();
    let statuses = lines.iter().filter_map(|line| format.parse(line, &mut spans).ok()?.status());
    let (odd, all) =
        statuses.fold((0, 0), |(odd, all), status| (odd + usize::from(!is_given(status)), all + 1));
    all >= DOUBT_LINES_MIN && odd * 2 >= all
}

/// Whether servers give this status: those of the registry, those that nginx, Apache, IIS, load balancers and frameworks have of their own, and 0 for none.
fn is_given(status: u16) -> bool {
    matches!(
        status,
        0 | 100..=103
            | 200..=208
            | 218
            | 226
            | 299..=308
            | 400..=431
            | 440
            | 444
            | 449..=451
            | 460..=464
            | 494..=511
            | 520..=530
            | 540
            | 555
            | 561
            | 598
            | 599
            | 999
    )
}

/// Whether two columns may be the status, the server's and that of what it asked (`$upstream_status $status`, `%s %>s`): the second one, where the bytes would be, is a status in each line,
/// mostly the same one. Where there is one such number only, which may be the length of an answer, yet another whole number stands behind it.
fn has_two_statuses(format: &Format, lines: &[&[u8]]) -> bool {
    let mut spans = Spans::new();
    let (mut alike, mut all) = (0, 0);
    let (mut numbers, mut has_third) = (BTreeSet::new(), true);
    for line in lines {
        let Ok(parsed) = format.parse(line, &mut spans) else { continue };
        let exchange = parsed.exchange();
        match (exchange.status, exchange.bytes) {
            (Some(status), Some(second @ 100..=599)) => {
                (alike, all) = (alike + usize::from(u64::from(status) == second), all + 1);
                numbers.insert(second);
                let rest = parsed.fields().find(|field| field.name == "rest");
                let third = rest.and_then(|rest| rest.raw.split(|&byte| byte == b' ').nth(1));
                has_third &= third.is_some_and(|third| third == b"-" || is_whole(third));
            }
            // Nobody was asked, or the body is empty.
            (_, None | Some(0)) => {}
            _ => return false,
        }
    }
    all >= DOUBT_LINES_MIN && alike * 2 >= all && (numbers.len() > 1 || has_third)
}

fn is_whole(number: &[u8]) -> bool {
    !number.is_empty() && number.iter().all(u8::is_ascii_digit)
}

/// A family knows which of its lines tell of no request; what is in common names takes some of these for requests.
fn prefer_family(scores: &mut [(Score, u8)]) {
    let Some(known) = scores.first().filter(|(best, _)| best.format.is_keyed()).map(|(best, _)| best.known())
    else {
        return;
    };
    let families = scores.iter().enumerate();
    let best = families
        .filter(|(_, (score, _))| score.format.is_keyed() && score.known() >= known)
        .min_by_key(|(_, (_, order))| *order)
        .map(|(index, _)| index);
    if let Some(best) = best {
        scores[..=best].rotate_right(1);
    }
}

/// The format that the first header among `lines` says, with how many lines are in it or in that of the next headers.
fn headed(lines: &[&[u8]]) -> Option<Score> {
    let first = lines.iter().find_map(|line| Format::of_header(line))?;
    let mut format = None;
    let mut matched = 0;
    let mut spans = Spans::new();
    for line in lines {
        format = Format::of_header(line).or(format);
        matched += usize::from(format.as_ref().is_some_and(|format| fits(format, line, &mut spans)));
    }
    Some(Score { format: first, matched, messages: 0 })
}

fn runner_up(scores: &[Score], lines: &[&[u8]]) -> Option<Score> {
    let (best, others) = scores.split_first()?;
    let mut spans = Spans::new();
    let is_rest =
        |line: &&&[u8]| !fits(&best.format, line, &mut spans) && !is_message(&best.format, line, &mut spans);
    let rest: Vec<&[u8]> = lines.iter().filter(is_rest).copied().collect();
    let scores = others.iter().map(|other| Score::of(&other.format, &rest));
    // Of equals the first is the better one.
    scores.filter(|score| score.matched > 0).min_by_key(|score| std::cmp::Reverse(score.matched))
}

fn verdict(scores: &[Score], lines: &[&[u8]]) -> Verdict {
    let Some(best) = scores.first().filter(|best| best.matched * SHARE >= lines.len() - best.messages) else {
        return Verdict::Unknown;
    };
    // Within 2 %: neither fits noticeably better.
    let rival = scores[1..].iter().find(|rival| {
        rival.matched * 50 >= best.matched * 49 && !is_settled(&best.format, &rival.format) && {
            lines.iter().any(|line| differ(&best.format, &rival.format, line))
        }
    });
    match rival {
        Some(rival) => Verdict::Ambiguous(best.format.clone(), rival.format.clone()),
        None => Verdict::Chosen(best.format.clone()),
    }
}

/// Whether something else than the number of lines tells two formats apart: their escapes were looked at, one takes only lines
/// with whole URLs, or one finds more fields in the same line.
fn is_settled(best: &Format, rival: &Format) -> bool {
    let twins = ["combined", "gunicorn", "lighttpd"];
    (twins.contains(&best.name()) && twins.contains(&rival.name()))
        // Families come before common names, and neither looks like what is not keyed.
        || best.is_keyed()
        || rival.is_keyed()
        || (best.writes_urls() && !rival.writes_urls())
        || best.fields().count() > rival.fields().count()
}

fn fits(format: &Format, line: &[u8], spans: &mut Spans) -> bool {
    format.parse(line, spans).is_ok_and(|parsed| {
        let is_whole = if format.is_keyed() {
            parsed.names_url()
        } else {
            parsed.time().is_some() || !format.has_time()
        };
        is_whole && parsed.status().is_some()
    })
}

/// Whether the line is in the format and tells of no request.
fn is_message(format: &Format, line: &[u8], spans: &mut Spans) -> bool {
    matches!(format.parse(line, spans), Err(LineError::NoRequest))
}

fn differ(one: &Format, other: &Format, line: &[u8]) -> bool {
    let exchange =
        |format: &Format| format.parse(line, &mut Spans::new()).ok().map(|parsed| parsed.exchange());
    let key = |exchange: Exchange| {
        (exchange.method, exchange.target, exchange.host, exchange.scheme, exchange.status)
    };
    match (exchange(one), exchange(other)) {
        (Some(one), Some(other)) => key(one) != key(other),
        _ => false,
    }
}

/// Whether some line that fits gunicorn holds a backslash that neither nginx nor Apache could have written.
fn has_literal_backslashes(lines: &[&[u8]]) -> bool {
    let Ok(gunicorn) = presets::compiled("gunicorn") else { return false };
    let mut spans = Spans::new();
    lines.iter().any(|line| {
        gunicorn
            .parse(line, &mut spans)
            .is_ok_and(|parsed| parsed.fields().any(|field| has_foreign_sequence(field.raw)))
    })
}
