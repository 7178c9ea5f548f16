//! Which preset a log is in.
//!
//! Every preset is tried on the first lines. Presets are exact: each literal and each typed field must fit to the end of the
//! line, so few lines fit two, and of presets that fit the same lines the one that tells more apart is taken. The exception is
//! combined, whose shape says nothing about who escaped it: gunicorn leaves backslashes alone, nginx and Apache do not. One
//! sequence that those two never write proves that gunicorn wrote the log; without one it is combined, whose writers are many.

use logretry_record::Exchange;

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
}

/// How well one preset fits.
#[derive(Debug, Clone)]
pub struct Score {
    /// The preset.
    pub format: Format,
    /// How many lines it fits.
    pub matched: usize,
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
        self.lines - self.scores.first().map_or(0, |score| score.matched)
    }
}

/// Finds out which preset `lines` are in. Blank lines are passed over, and at most [`DETECTION_LINES_MAX`] others looked at.
pub fn detect<'l>(lines: impl Iterator<Item = &'l [u8]>) -> Detection {
    let lines: Vec<&[u8]> =
        lines.filter(|line| !line.trim_ascii().is_empty()).take(DETECTION_LINES_MAX).collect();
    let is_literal = has_literal_backslashes(&lines);
    let mut scores: Vec<(Score, u8)> = Vec::new();
    for (order, (_, format)) in presets::all().iter().enumerate() {
        let matched = lines.iter().filter(|line| fits(format, line)).count();
        if matched > 0 {
            let is_the_other_twin = format.name() == if is_literal { "combined" } else { "gunicorn" };
            let order = u8::try_from(order).unwrap_or(u8::MAX) + if is_the_other_twin { 100 } else { 0 };
            scores.push((Score { format: format.clone(), matched }, order));
        }
    }
    scores.sort_by_key(|(score, order)| (std::cmp::Reverse(score.matched), *order));
    let scores: Vec<Score> = scores.into_iter().map(|(score, _)| score).collect();
    let verdict = verdict(&scores, &lines);
    let runner_up = runner_up(&scores, &lines);
    Detection { lines: lines.len(), scores, runner_up, verdict }
}

fn runner_up(scores: &[Score], lines: &[&[u8]]) -> Option<Score> {
    let (best, others) = scores.split_first()?;
    let rest: Vec<_> = lines.iter().filter(|line| !fits(&best.format, line)).collect();
    let scores = others.iter().map(|other| Score {
        format: other.format.clone(),
        matched: rest.iter().filter(|line| fits(&other.format, line)).count(),
    });
    // Of equals the first is the better one.
    scores.filter(|score| score.matched > 0).min_by_key(|score| std::cmp::Reverse(score.matched))
}

fn verdict(scores: &[Score], lines: &[&[u8]]) -> Verdict {
    let Some(best) = scores.first().filter(|best| best.matched * SHARE >= lines.len()) else {
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

/// Whether something else than the number of lines tells two formats apart: their escapes were looked at, or one finds more
/// fields in the same line.
fn is_settled(best: &Format, rival: &Format) -> bool {
    let twins = ["combined", "gunicorn"];
    (twins.contains(&best.name()) && twins.contains(&rival.name()))
        || best.fields().count() > rival.fields().count()
}

fn fits(format: &Format, line: &[u8]) -> bool {
    format
        .parse(line, &mut Spans::new())
        .is_ok_and(|parsed| parsed.status().is_some() && parsed.time().is_some())
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
    lines.iter().any(|line| {
        gunicorn
            .parse(line, &mut Spans::new())
            .is_ok_and(|parsed| parsed.fields().any(|field| has_foreign_sequence(field.raw)))
    })
}
