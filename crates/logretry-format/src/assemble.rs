//! Pieces of a format string to steps: which literal ends which field, and whether that can work at all.

use std::ops::Range;
use std::sync::Arc;

use crate::end::{End, Guard};
use crate::error::SpecError;
use crate::escape::Escape;
use crate::field::{Field, Piece, Role, Shape};
use crate::literal::Literal;
use crate::scan::Scan;
use crate::split::Split;
use crate::steps::{Step, Steps};

/// The steps of a format, and the fields that they find, in order.
pub(crate) fn assemble(pieces: Vec<Piece>, escape: Escape) -> Result<(Steps, Vec<Field>), SpecError> {
    let (runs, fields) = runs(pieces);
    let mut steps = Vec::new();
    for (index, run) in runs.iter().enumerate() {
        match run {
            Run::Literal(bytes) => steps.push(Step::Literal(Literal::new(bytes))),
            Run::Fields(range) => {
                let before = match runs.get(index + 1) {
                    Some(Run::Literal(bytes)) => Some(bytes.as_slice()),
                    _ => None,
                };
                push_fields(range.clone(), &fields, before, escape, &mut steps)?;
            }
        }
    }
    let mut wanted: Vec<Arc<str>> = steps.iter().map(|step| wanted(step, &fields).into()).collect();
    wanted.push("the end of the line".into());
    let keys = (0..fields.len()).filter(|&index| fields[index].role.is_key()).collect();
    let steps = Steps { list: steps, wanted, guard: Guard::of(escape), field_count: fields.len(), keys };
    Ok((steps, fields))
}

/// Literals and runs of fields with nothing between them, in turn.
enum Run {
    Literal(Vec<u8>),
    Fields(Range<usize>),
}

fn runs(pieces: Vec<Piece>) -> (Vec<Run>, Vec<Field>) {
    let mut runs = Vec::new();
    let mut fields = Vec::new();
    for piece in pieces {
        match (piece, runs.last_mut()) {
            (Piece::Literal(bytes), Some(Run::Literal(before))) => before.extend_from_slice(&bytes),
            (Piece::Literal(bytes), _) => runs.push(Run::Literal(bytes)),
            (Piece::Field(field), before) => {
                fields.push(field);
                let count = fields.len();
                match before {
                    Some(Run::Fields(range)) => range.end = count,
                    _ => runs.push(Run::Fields(count - 1..count)),
                }
            }
        }
    }
    (runs, fields)
}

fn push_fields(
    range: Range<usize>,
    fields: &[Field],
    before: Option<&[u8]>,
    escape: Escape,
    steps: &mut Vec<Step>,
) -> Result<(), SpecError> {
    let empty = matches!(escape, Escape::Json | Escape::None);
    let mut index = range.start;
    while index < range.end {
        let field = &fields[index];
        let scan = match &field.shape {
            Shape::Dash => Some(Scan::Dash),
            Shape::Status => Some(Scan::Status),
            Shape::Number => Some(Scan::Number { empty }),
            Shape::Port => Some(Scan::Number { empty: true }),
            Shape::Decimal => Some(Scan::Decimal { empty }),
            Shape::Time(form) => Some(Scan::Time(form.clone())),
            Shape::List => Some(Scan::List),
            Shape::Word => Some(Scan::Word),
            Shape::HostWord => Some(Scan::HostWord),
            Shape::HostName => Some(Scan::HostName),
            Shape::Address => Some(Scan::Address),
            Shape::Captures { space } => Some(Scan::Captures { space: *space }),
            Shape::QuotedCaptures { space } => Some(Scan::QuotedCaptures { space: *space }),
            Shape::MaybeQuoted => Some(Scan::MaybeQuoted),
            Shape::Spaces => Some(Scan::Spaces),
            Shape::Rest => Some(Scan::Rest),
            Shape::AnyTime(_) | Shape::Token | Shape::RequestLine | Shape::Text => None,
        };
        if let Some(scan) = scan {
            if let Some(next) = fields[..range.end].get(index + 1)
                && !ends_before(field, next)
            {
                return Err(adjacent(field, next));
            }
            steps.push(Step::Scan { field: index, scan });
            index += 1;
            continue;
        }
        let rest = &fields[index..range.end];
        let texts = rest.iter().take_while(|field| !field.shape.is_definite()).count();
        if let Some(next) = rest.get(texts) {
            return Err(adjacent(&rest[texts - 1], next));
        }
        let split = Split::of(rest, !empty).map_err(|second| adjacent(&rest[second - 1], &rest[second]))?;
        let is_token = rest.iter().all(|field| matches!(field.shape, Shape::Token));
        steps.push(Step::Text { fields: index..range.end, split, end: End::new(before, is_token) });
        index = range.end;
    }
    Ok(())
}

/// Whether the end of `field`, which is found from its own bytes, is certain with `next` right behind it.
fn ends_before(field: &Field, next: &Field) -> bool {
    if matches!(next.shape, Shape::Rest) {
        return true;
    }
    let is_path = matches!(next.role, Role::Path | Role::PathRaw | Role::Uri);
    match &field.shape {
        Shape::Dash
        | Shape::Status
        | Shape::Captures { .. }
        | Shape::QuotedCaptures { .. }
        | Shape::Spaces => true,
        Shape::Time(form) => !form.ends_open() || is_path,
        Shape::Number | Shape::Port | Shape::Decimal => is_path,
        _ => false,
    }
}

fn adjacent(first: &Field, second: &Field) -> SpecError {
    SpecError::Adjacent { first: first.name.clone(), second: second.name.clone(), at: second.at }
}

fn wanted(step: &Step, fields: &[Field]) -> String {
    match step {
        Step::Literal(literal) => {
            format!("`{}`", literal.bytes().escape_ascii().to_string().replace("\\\"", "\""))
        }
        Step::Scan { field, .. } => format!("`{}`", fields[*field].name),
        Step::Text { fields: range, .. } => {
            let names: String = fields[range.clone()].iter().map(|field| field.name.as_str()).collect();
            format!("`{names}` and what follows it")
        }
    }
}
