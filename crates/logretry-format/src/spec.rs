//! What a user hands to `--format`: which server's configuration it is from, and the bare format string in it.

use crate::error::SpecError;
use crate::pasted::{Dialect, Pasted, pasted};
use crate::presets;
use crate::{apache, nginx};

/// The longest spec that is read.
const SPEC_BYTES_MAX: usize = 64 * 1024;

/// A spec understood.
#[derive(Debug)]
pub(crate) enum Spec {
    Preset(&'static presets::Preset),
    Pasted(Pasted),
}

pub(crate) fn read(spec: &str) -> Result<Spec, SpecError> {
    if spec.len() > SPEC_BYTES_MAX {
        return Err(SpecError::TooLong { max: SPEC_BYTES_MAX });
    }
    let text = spec.trim();
    let at = spec.len() - spec.trim_start().len();
    if let Some(preset) = presets::find(text) {
        return Ok(Spec::Preset(preset));
    }
    for (prefix, dialect) in
        [("nginx:", Dialect::Nginx), ("apache:", Dialect::Apache), ("gunicorn:", Dialect::Gunicorn)]
    {
        if let Some(rest) = text.strip_prefix(prefix) {
            return pasted(dialect, rest, at + prefix.len()).map(Spec::Pasted);
        }
    }
    let dialect = match first_word(text) {
        "log_format" => Dialect::Nginx,
        "LogFormat" => Dialect::Apache,
        "access_log_format" => Dialect::Gunicorn,
        _ => guess(text)?,
    };
    pasted(dialect, text, at).map(Spec::Pasted)
}

fn first_word(text: &str) -> &str {
    text.split_ascii_whitespace().next().unwrap_or_default()
}

/// nginx writes `$word`, Apache `%` and a letter, gunicorn `%(`.
fn guess(text: &str) -> Result<Dialect, SpecError> {
    let nginx = nginx::first_variable(text);
    let gunicorn = text.contains("%(");
    let apache = if gunicorn { None } else { apache::first_directive(text) };
    match (nginx, apache) {
        (Some(nginx), Some(apache)) => Err(SpecError::BothKinds { nginx, apache }),
        (Some(_), None) => Ok(Dialect::Nginx),
        (None, Some(_)) => Ok(Dialect::Apache),
        (None, None) if gunicorn => Ok(Dialect::Gunicorn),
        (None, None) if text.contains(char::is_whitespace) => Err(SpecError::NoFields),
        (None, None) => Err(presets::unknown(text)),
    }
}
