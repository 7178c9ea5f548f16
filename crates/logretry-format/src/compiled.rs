//! A format of literals and fields, ready to read lines.

use crate::assemble::assemble;
use crate::dialect::Dialect;
use crate::error::{LineError, SpecError};
use crate::escape::Escape;
use crate::evidence::Evidence;
use crate::field::{Field, Piece, Role, Shape};
use crate::habits::{Habits, Loses};
use crate::pasted::Pasted;
use crate::pattern::Pattern;
use crate::presets::Preset;
use crate::spans::Spans;
use crate::spec::{self, Spec};
use crate::steps::{Step, Steps};
use crate::uses::Uses;
use crate::{apache, envoy, gunicorn, haproxy, nginx, presets, template};

/// A step format with what its fields are used for.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) escape: Escape,
    pub(crate) habits: Habits,
    reader: Reader,
    pub(crate) fields: Vec<Field>,
    pub(crate) uses: Uses,
    /// What lines prove about whether anybody has seen their requests.
    pub(crate) evidence: Option<Evidence>,
    /// Other shapes that lines of this format have. No line has two of them: they differ in literals or in what a field can be.
    pub(crate) others: Vec<Compiled>,
}

/// How the fields of a line are found.
#[derive(Debug, Clone)]
enum Reader {
    Steps(Steps),
    Pattern(Pattern),
}

impl Compiled {
    /// A format that a user pasted.
    pub(crate) fn of(pasted: &Pasted) -> Result<Self, SpecError> {
        let habits = Habits { absolute: pasted.dialect.absolute(), ..Habits::default() };
        if pasted.dialect == Dialect::Regex {
            let (pattern, fields) = Pattern::compile(&pasted.text)?;
            return finish(Reader::Pattern(pattern), fields, pasted, habits);
        }
        compile(pieces(pasted)?, pasted, habits)
    }

    /// A preset and its variants.
    pub(crate) fn of_preset(preset: &Preset) -> Result<Self, SpecError> {
        let one = |spec: &str, loses: Loses| {
            let Spec::Pasted(pasted) = spec::read(spec)? else { return Err(presets::unknown(preset.name)) };
            let mut pieces = pieces(&pasted)?;
            for piece in &mut pieces {
                settle(piece, preset);
            }
            let pasted = Pasted { escape: preset.escape.unwrap_or(pasted.escape), ..pasted };
            compile(pieces, &pasted, Habits { loses, ..preset.habits })
        };
        let mut first = one(preset.spec, preset.habits.loses)?;
        first.others = preset
            .variants
            .iter()
            .map(|variant| one(variant.spec, variant.loses))
            .collect::<Result<_, _>>()?;
        first.uses.notes.extend(preset.notes.iter().map(|&note| note.to_owned()));
        Ok(first)
    }

    /// Finds the fields of `line`; which of the shapes it has.
    pub(crate) fn read(&self, line: &[u8], spans: &mut Spans) -> Result<&Self, LineError> {
        spans.marks.set(line);
        let mut failure = match self.read_shape(line, spans) {
            Ok(()) => return Ok(self),
            Err(error) => error,
        };
        for other in &self.others {
            if !matches!(failure, LineError::Mismatch { .. }) {
                break;
            }
            failure = match other.read_shape(line, spans) {
                Ok(()) => return Ok(other),
                Err(error) => further(failure, error),
            };
        }
        Err(failure)
    }

    fn read_shape(&self, line: &[u8], spans: &mut Spans) -> Result<(), LineError> {
        match &self.reader {
            Reader::Steps(steps) => steps.read(line, spans)?,
            Reader::Pattern(pattern) => pattern.read(line, spans)?,
        }
        // Where a producer writes every URL whole, a line without one is another's.
        let request =
            self.uses.request.map(|index| spans.kept[index]).filter(|_| self.habits.absolute.names_host());
        match request {
            Some(request) if !self.habits.absolute.may_be(request.of(line)) => {
                Err(LineError::Mismatch { at: request.start, wanted: "a request with a whole URL".into() })
            }
            _ => Ok(()),
        }
    }

    /// What stands right before and right after the status, in every shape.
    pub(crate) fn around_status(&self) -> (&[u8], &[u8]) {
        let (before, after) = self.around_own_status();
        let agree = |part: fn(&Self) -> &[u8]| self.others.iter().all(|other| part(other) == part(self));
        (
            if agree(|shape| shape.around_own_status().0) { before } else { &[] },
            if agree(|shape| shape.around_own_status().1) { after } else { &[] },
        )
    }

    fn around_own_status(&self) -> (&[u8], &[u8]) {
        let Reader::Steps(Steps { list: steps, .. }) = &self.reader else { return (&[], &[]) };
        let at = steps
            .iter()
            .position(|step| matches!(step, Step::Scan { field, .. } if *field == self.uses.status));
        let literal = |index: Option<usize>| match index.and_then(|index| steps.get(index)) {
            Some(Step::Literal(literal)) => literal.bytes(),
            _ => &[],
        };
        (literal(at.and_then(|at| at.checked_sub(1))), literal(at.map(|at| at + 1)))
    }
}

/// Of two failures the one that got further; ambiguity before both.
fn further(one: LineError, other: LineError) -> LineError {
    match (&one, &other) {
        (LineError::Mismatch { at, .. }, LineError::Mismatch { at: other_at, .. }) if at >= other_at => one,
        _ => other,
    }
}

fn pieces(pasted: &Pasted) -> Result<Vec<Piece>, SpecError> {
    match pasted.dialect {
        Dialect::Nginx => nginx::pieces(&pasted.text),
        Dialect::Apache | Dialect::Tomcat | Dialect::Varnish => apache::pieces(&pasted.text, pasted.dialect),
        Dialect::Gunicorn => gunicorn::pieces(&pasted.text),
        Dialect::Haproxy => haproxy::pieces(&pasted.text),
        Dialect::Envoy => envoy::pieces(&pasted.text),
        Dialect::Template => template::pieces(&pasted.text),
        Dialect::Regex => Ok(Vec::new()),
    }
}

fn compile(pieces: Vec<Piece>, pasted: &Pasted, habits: Habits) -> Result<Compiled, SpecError> {
    if !pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
        return Err(SpecError::NoFields);
    }
    let (steps, fields) = assemble(pieces, pasted.escape)?;
    finish(Reader::Steps(steps), fields, pasted, habits)
}

fn finish(
    reader: Reader,
    fields: Vec<Field>,
    pasted: &Pasted,
    habits: Habits,
) -> Result<Compiled, SpecError> {
    let mut uses = Uses::of(&fields, pasted.dialect)?;
    if matches!(habits.loses, Loses::PathQuoting | Loses::PathQuotingAndQuery) {
        uses.request_lossy = vec!["path".into()];
    }
    let evidence = Evidence::of(&fields);
    Ok(Compiled { escape: pasted.escape, habits, reader, fields, uses, evidence, others: Vec::new() })
}

/// What a preset knows beyond its spec.
fn settle(piece: &mut Piece, preset: &Preset) {
    let Piece::Field(field) = piece else { return };
    if let Role::Bytes { dash_is_zero, .. } = &mut field.role {
        *dash_is_zero &= !preset.zero_is_zero;
    }
    // Nobody runs identd any more. With any word there, each line that has a prefix (of syslog, docker compose, a pod) or
    // a host in this place would fit too, since a user's name may hold spaces.
    if field.name == "%l" {
        field.shape = Shape::Dash;
    }
    // As a token it would take a time before a line for a host and its port.
    if field.name == "%v" {
        field.shape = Shape::HostName;
    }
}
