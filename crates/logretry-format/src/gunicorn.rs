//! gunicorn `access_log_format`: `%(h)s` and the like between literals (`gunicorn/glogging.py`).

use crate::apache;
use crate::error::SpecError;
use crate::field::{Field, Piece, Role, Shape, Unit};
use crate::quoting::Text;
use crate::time::TimeForm;

pub(crate) fn pieces(text: &Text) -> Result<Vec<Piece>, SpecError> {
    let bytes = text.bytes();
    text.pieces(b'%', |start, pieces| {
        let close = memchr::memchr(b')', &bytes[start..]).map_or(bytes.len(), |length| start + length + 1);
        let end = (close + 1).min(bytes.len());
        let name = text.shown(start, end);
        let at = text.at(start);
        let meaning = name.strip_prefix("%(").and_then(|rest| rest.strip_suffix(")s")).and_then(meaning);
        let Some((role, shape)) = meaning else {
            return Err(SpecError::UnknownField { text: name, producer: "gunicorn", at });
        };
        let is_clf = matches!(role, Role::Time);
        let field = Field { name, role, shape, at };
        // `%(t)s` writes its brackets itself.
        if is_clf {
            pieces.extend(field.in_brackets());
        } else {
            pieces.push(Piece::Field(field));
        }
        Ok(end)
    })
}

fn meaning(name: &str) -> Option<(Role, Shape)> {
    if let Some(header) = name.strip_prefix('{').and_then(|rest| rest.strip_suffix("}i")) {
        return Some(apache::header(header));
    }
    Some(match name {
        "r" => (Role::Request, Shape::Text),
        "m" => (Role::Method, Shape::Token),
        // WSGI's PATH_INFO: decoded.
        "U" => (Role::Path, Shape::Text),
        "q" => (Role::Args, Shape::Text),
        "s" => (Role::Status { last: true }, Shape::Status),
        "t" => (Role::Time, Shape::Time(TimeForm::clf())),
        "B" => (Role::Bytes { rank: 0, dash_is_zero: false }, Shape::Number),
        "b" => (Role::Bytes { rank: 1, dash_is_zero: true }, Shape::Number),
        "D" => (Role::Duration(Unit::Micros), Shape::Number),
        "M" => (Role::Duration(Unit::Millis), Shape::Number),
        "L" => (Role::Duration(Unit::SecondsExact), Shape::Decimal),
        "T" => (Role::Duration(Unit::Seconds), Shape::Number),
        "h" => (Role::Client, Shape::Token),
        "a" => (Role::UserAgent, Shape::Text),
        "l" => (Role::Other, Shape::Dash),
        "H" | "p" => (Role::Other, Shape::Token),
        "u" | "f" => (Role::Other, Shape::Text),
        _ if name.starts_with('{') && name.ends_with("}o") => (Role::Other, Shape::Text),
        _ if name.starts_with('{') && name.ends_with("}e") => (Role::Other, Shape::Text),
        _ => return None,
    })
}
