//! Apache `LogFormat`: `%` directives between literals (`parse_log_item` of `mod_log_config`), and Tomcat and Varnish, which use the
//! letters with meanings of their own.

use crate::dialect::Dialect;
use crate::error::SpecError;
use crate::field::{Field, HostFrom, Piece, Role, Shape, Unit};
use crate::quoting::Text;
use crate::time::{self, TimeForm};

/// A directive taken apart: `%!200,304>{name}i`.
struct Directive<'t> {
    /// What stands in braces.
    argument: Option<&'t [u8]>,
    /// `%>`.
    last: bool,
    /// One letter, or `^` and two.
    letters: &'t [u8],
    end: usize,
}

/// The first thing in `text` that looks like a directive.
pub(crate) fn first_directive(text: &str) -> Option<String> {
    let bytes = text.as_bytes();
    let mut from = 0;
    while let Some(found) = memchr::memchr(b'%', &bytes[from..]) {
        let at = from + found;
        if bytes.get(at + 1) == Some(&b'%') {
            from = at + 2;
            continue;
        }
        if let Some(directive) = take(bytes, at)
            && directive.letters[0].is_ascii_alphabetic()
        {
            return Some(String::from_utf8_lossy(&bytes[at..directive.end]).into_owned());
        }
        from = at + 1;
    }
    None
}

pub(crate) fn pieces(text: &Text, dialect: Dialect) -> Result<Vec<Piece>, SpecError> {
    let bytes = text.bytes();
    text.pieces(b'%', |start, pieces| {
        let at = text.at(start);
        let unknown =
            |end| SpecError::UnknownField { text: text.shown(start, end), producer: dialect.producer(), at };
        let directive = take(bytes, start).ok_or_else(|| unknown((start + 2).min(bytes.len())))?;
        let end = directive.end;
        let (role, shape) = match meaning(&directive, dialect) {
            Ok(meaning) => meaning,
            Err(None) => return Err(unknown(end)),
            Err(Some(text)) => return Err(SpecError::Time { text, at }),
        };
        let field = Field { name: text.shown(start, end), role, shape, at };
        // `%t` writes its brackets itself.
        if directive.letters == b"t" && directive.argument.is_none_or(<[u8]>::is_empty) {
            pieces.extend(field.in_brackets());
        } else {
            pieces.push(Piece::Field(field));
        }
        Ok(end)
    })
}

fn take(bytes: &[u8], start: usize) -> Option<Directive<'_>> {
    let mut directive = Directive { argument: None, last: false, letters: &[], end: start + 1 };
    loop {
        let at = directive.end;
        match *bytes.get(at)? {
            b'>' => directive.last = true,
            b'<' => directive.last = false,
            b'!' | b',' | b'0'..=b'9' => {}
            b'{' => {
                let length = memchr::memchr(b'}', &bytes[at..])?;
                directive.argument = Some(&bytes[at + 1..at + length]);
                directive.end += length;
            }
            byte => {
                let length = if byte == b'^' { 3 } else { 1 };
                directive.letters = bytes.get(at..at + length)?;
                directive.end += length;
                return Some(directive);
            }
        }
        directive.end += 1;
    }
}

/// What a directive is used for and how its end is found. `Err(Some(…))` is a time conversion that is not supported.
fn meaning(directive: &Directive<'_>, dialect: Dialect) -> Result<(Role, Shape), Option<String>> {
    let argument = String::from_utf8_lossy(directive.argument.unwrap_or_default());
    let bytes = |rank| Role::Bytes { rank, dash_is_zero: rank == 1 };
    if let Some(own) = own_meaning(directive, &argument, dialect) {
        return own;
    }
    Ok(match directive.letters {
        b"r" => (Role::Request, Shape::Text),
        b"m" => (Role::Method, Shape::Token),
        b"U" => (Role::Path, Shape::Text),
        b"q" => (Role::Query, Shape::Text),
        b"s" => (Role::Status { last: directive.last }, Shape::Status),
        b"t" if argument.is_empty() => (Role::Time, Shape::Time(TimeForm::clf())),
        b"t" => (Role::Time, Shape::Time(time::compile(&argument).map_err(Some)?)),
        b"B" => (bytes(0), Shape::Number),
        b"b" => (bytes(1), Shape::Number),
        b"O" => (bytes(2), Shape::Number),
        b"D" => (Role::Duration(Unit::Micros), Shape::Number),
        b"T" => match &*argument {
            "us" => (Role::Duration(Unit::Micros), Shape::Number),
            "ms" => (Role::Duration(Unit::Millis), Shape::Number),
            "" | "s" => (Role::Duration(Unit::Seconds), Shape::Number),
            _ => return Err(None),
        },
        b"v" | b"V" => (Role::Host(HostFrom::Configured), Shape::Token),
        b"p" if argument == "remote" => (Role::Other, Shape::Number),
        b"p" => (Role::Port, Shape::Number),
        b"h" | b"a" => (Role::Client, Shape::Token),
        b"i" => header(&argument),
        b"L" if argument.is_empty() => (Role::RequestId, Shape::Token),
        b"e" | b"x" | b"n" if argument == "UNIQUE_ID" => (Role::RequestId, Shape::Token),
        b"e" | b"x" if argument == "REQUEST_SCHEME" => (Role::Scheme(0), Shape::Token),
        b"I" | b"S" | b"k" | b"P" => (Role::Other, Shape::Number),
        b"l" | b"A" | b"H" | b"X" | b"L" | b"^FU" | b"^FB" => (Role::Other, Shape::Token),
        b"u" | b"f" | b"R" | b"o" | b"C" | b"e" | b"n" | b"x" | b"c" | b"^ti" | b"^to" => {
            (Role::Other, Shape::Text)
        }
        _ => return Err(None),
    })
}

/// Where Tomcat and Varnish differ from Apache.
fn own_meaning(
    directive: &Directive<'_>,
    argument: &str,
    dialect: Dialect,
) -> Option<Result<(Role, Shape), Option<String>>> {
    Some(Ok(match (dialect, directive.letters) {
        (Dialect::Tomcat | Dialect::Varnish, b"U") => (Role::PathRaw, Shape::Text),
        (Dialect::Tomcat | Dialect::Varnish, b"s") => (Role::Status { last: true }, Shape::Status),
        // Milliseconds before Tomcat 10.1, microseconds since.
        (Dialect::Tomcat, b"D" | b"F") => (Role::Other, Shape::Number),
        (Dialect::Tomcat, b"T") => (Role::Duration(Unit::SecondsExact), Shape::Decimal),
        (Dialect::Tomcat, b"S" | b"I") | (Dialect::Varnish, b"x") => (Role::Other, Shape::Text),
        (Dialect::Tomcat, b"v") => (Role::Host(HostFrom::Matched), Shape::Token),
        (Dialect::Tomcat, b"t") if !argument.is_empty() => {
            let pattern =
                argument.strip_prefix("begin:").or_else(|| argument.strip_prefix("end:")).unwrap_or(argument);
            let form = match pattern {
                "sec" | "msec" | "usec" | "msec_frac" => time::compile(pattern),
                _ => time::compile_java(pattern),
            };
            return Some(form.map(|form| (Role::Time, Shape::Time(form))).map_err(Some));
        }
        (Dialect::Tomcat, b"r" | b"c" | b"o" | b"X") if !argument.is_empty() => (Role::Other, Shape::Text),
        _ => return None,
    }))
}

/// `%{NAME}i`.
pub(crate) fn header(name: &str) -> (Role, Shape) {
    let role = match name.to_ascii_lowercase().as_str() {
        // Servers answer 400 to a Host with white space in it.
        "host" => return (Role::Host(HostFrom::Header), Shape::Token),
        "user-agent" => Role::UserAgent,
        "x-forwarded-proto" => Role::Scheme(1),
        "x-request-id" => Role::RequestId,
        _ => Role::Other,
    };
    (role, Shape::Text)
}
