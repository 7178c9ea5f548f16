//! `regex:…`: a regular expression whose named groups are the fields; the last resort, for lines that no server's notation describes.
//!
//! It is matched against the whole line, so that nothing before or behind what was meant can make a line fit. Bytes are bytes: `.` is any,
//! and `\w`, `\d` are ASCII. Its size is limited, and it runs in time linear in the line, as `regex` always does.

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use crate::error::{LineError, SpecError};
use crate::field::{Field, HostFrom, Role, Shape, Unit};
use crate::quoting::Text;
use crate::spans::{Span, Spans};
use crate::time::TimeForm;

/// Bytes that the compiled expression, and what it caches, may take.
const SIZE_MAX: usize = 4 << 20;

/// How deep groups may be nested.
const DEPTH_MAX: u32 = 64;

#[derive(Debug, Clone)]
pub(crate) struct Pattern {
    regex: Regex,
    /// The group of each field.
    groups: Vec<usize>,
}

impl Pattern {
    pub(crate) fn compile(text: &Text) -> Result<(Self, Vec<Field>), SpecError> {
        let source = String::from_utf8_lossy(text.bytes());
        let regex = RegexBuilder::new(&format!("^(?:{source})$"))
            .unicode(false)
            .size_limit(SIZE_MAX)
            .dfa_size_limit(SIZE_MAX)
            .nest_limit(DEPTH_MAX)
            .build()
            .map_err(|error| SpecError::Regex { reason: reason(&error) })?;
        let mut groups = Vec::new();
        let mut fields = Vec::new();
        for (group, name) in regex.capture_names().enumerate() {
            let Some(name) = name else { continue };
            let (role, shape) = meaning(name);
            let at = source.find(&format!("<{name}>")).map_or(0, |at| text.at(at));
            fields.push(Field { name: name.to_owned(), role, shape, at });
            groups.push(group);
        }
        if fields.is_empty() {
            return Err(SpecError::Regex {
                reason: "it has no named group, as in `(?<status>\\d{3})`".to_owned(),
            });
        }
        Ok((Self { regex, groups }, fields))
    }

    pub(crate) fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), LineError> {
        spans.reset(self.groups.len());
        let mut locations = self.regex.capture_locations();
        if self.regex.captures_read(&mut locations, line).is_none() {
            return Err(LineError::Mismatch { at: 0, wanted: "what the expression matches".into() });
        }
        for (&group, span) in self.groups.iter().zip(&mut spans.kept) {
            *span = locations.get(group).map_or(Span::ABSENT, |(start, end)| Span { start, end });
        }
        Ok(())
    }
}

/// The last line of what `regex` says: the rest draws the expression.
fn reason(error: &regex::Error) -> String {
    if matches!(error, regex::Error::CompiledTooBig(_)) {
        return "it is too big".to_owned();
    }
    let text = error.to_string();
    let last = text.lines().last().unwrap_or_default().trim();
    last.strip_prefix("error: ").unwrap_or(last).to_owned()
}

/// What a group is, by its name; others are shown and not used.
fn meaning(name: &str) -> (Role, Shape) {
    let role = match name {
        "status" => Role::Status { last: true },
        "method" => Role::Method,
        "request" => Role::Request,
        "target" | "uri" => Role::Uri,
        "url" => Role::Url,
        "path" => Role::PathRaw,
        "query" => Role::Args,
        "host" => Role::Host(HostFrom::Header),
        "port" => Role::Port,
        "scheme" => Role::Scheme(0),
        "time" => return (Role::Time, Shape::AnyTime(times())),
        "duration_us" => Role::Duration(Unit::Micros),
        "duration_ms" => Role::Duration(Unit::Millis),
        "duration_s" => Role::Duration(Unit::SecondsExact),
        "bytes" => Role::Bytes { rank: 0, dash_is_zero: true },
        "client" => Role::Client,
        "user_agent" => Role::UserAgent,
        "request_id" => Role::RequestId,
        _ => Role::Other,
    };
    (role, Shape::Text)
}

/// The forms that are tried for `time`, the first that fits counts. Without a zone they are UTC.
fn times() -> Arc<[TimeForm]> {
    let mut forms = vec![TimeForm::clf(), TimeForm::iso(), TimeForm::clf_with_millis_without_zone()];
    let spelled =
        ["%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d %H:%M:%S"].into_iter().flat_map(|base| {
            ["", ".%3f", ".%6f", ".%9f", ",%3f"].into_iter().flat_map(move |fraction| {
                ["", "Z", "%z", " %z"].into_iter().map(move |zone| format!("{base}{fraction}{zone}"))
            })
        });
    forms.extend(spelled.filter_map(|form| crate::time::compile(&form).ok()));
    forms.extend(["%3f", "%6f", "%9f"].iter().filter_map(|fraction| TimeForm::iso_with_offset(fraction)));
    forms.extend(
        ["%d/%b/%Y:%H:%M:%S", "%a %b %e %H:%M:%S %Y", "%s.%3f", "%s.%6f"]
            .iter()
            .filter_map(|form| crate::time::compile(form).ok()),
    );
    forms.push(TimeForm::epoch());
    forms.into()
}
