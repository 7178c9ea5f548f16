//! What a user hands to `--format`: which server's configuration it is from, and the bare format string in it.

use crate::dialect::Dialect;
use crate::error::SpecError;
use crate::pasted::{Pasted, pasted};
use crate::presets;
use crate::{apache, envoy, haproxy, keyed, nginx, structured};

/// The longest spec that is read.
const SPEC_BYTES_MAX: usize = 64 * 1024;

/// A spec understood.
#[derive(Debug)]
pub(crate) enum Spec {
    Preset(&'static presets::Preset),
    Pasted(Pasted),
    /// Names and what their values are used for.
    Keyed(String),
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
    if keyed::is_keyed(text) {
        return Ok(Spec::Keyed(text.to_owned()));
    }
    if let Some(map) = structured::map(text) {
        return Ok(Spec::Keyed(map));
    }
    for (prefix, dialect) in Dialect::PREFIXES {
        if let Some(rest) = text.strip_prefix(prefix) {
            return pasted(dialect, rest, at + prefix.len()).map(Spec::Pasted);
        }
    }
    for (key, dialect) in KEYS {
        if let Some(value) = text.strip_prefix(key) {
            return pasted(dialect, &scalar(value), at + key.len()).map(Spec::Pasted);
        }
    }
    let dialect = match first_word(text) {
        "log_format" => Dialect::Nginx,
        "LogFormat" | "CustomLog" | "accesslog.format" => Dialect::Apache,
        "access_log_format" => Dialect::Gunicorn,
        "log-format" | "log-format-sd" | "error-log-format" => Dialect::Haproxy,
        "varnishncsa" => Dialect::Varnish,
        "<Valve" => Dialect::Tomcat,
        word if word.starts_with("pattern=") => Dialect::Tomcat,
        _ => guess(text)?,
    };
    pasted(dialect, text, at).map(Spec::Pasted)
}

/// What those call a format who put it into a server's configuration: the controllers of Kubernetes for nginx and HAProxy, in a `ConfigMap`, and Spring Boot.
const KEYS: [(&str, Dialect); 3] = [
    ("log-format-upstream:", Dialect::Nginx),
    ("http-log-format:", Dialect::Haproxy),
    ("server.tomcat.accesslog.pattern=", Dialect::Tomcat),
];

/// A value in YAML, its quotes off, its lines folded into one.
fn scalar(value: &str) -> String {
    let lines = value
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !matches!(*line, ">" | ">-" | "|" | "|-"));
    let folded = lines.collect::<Vec<_>>().join(" ");
    let within = |quote| folded.strip_prefix(quote).and_then(|rest| rest.strip_suffix(quote));
    match (within('\''), within('"')) {
        (Some(text), _) => text.replace("''", "'"),
        // What is no field in quotes at both ends.
        (_, Some(text)) if !text.replace("\\\"", "").contains('"') => text.replace("\\\"", "\""),
        _ => folded,
    }
}

fn first_word(text: &str) -> &str {
    text.split_ascii_whitespace().next().unwrap_or_default()
}

/// nginx writes `$word`, Apache `%` and a letter, gunicorn `%(`, HAProxy `%` and two letters, Envoy `%` and words in capitals.
fn guess(text: &str) -> Result<Dialect, SpecError> {
    if envoy::first_operator(text).is_some() {
        return Ok(Dialect::Envoy);
    }
    if !text.contains("%(") && haproxy::first_directive(text).is_some() {
        return Ok(Dialect::Haproxy);
    }
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
