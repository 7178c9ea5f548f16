//! Specs of keyed formats: `json:status=.code,url=.request.url`, and the same for `ltsv:` and `logfmt:`; `w3c:date time cs-method …`.

use std::borrow::Cow;

use crate::error::SpecError;
use crate::keyed::columns::{self, Columns};
use crate::keyed::paths::Paths;
use crate::keyed::purpose::{KNOWN, Purpose};
use crate::keyed::{Key, Keyed, Syntax};
use crate::presets::Preset;

/// How many keys a map may name.
const KEYS_MAX: usize = 1024;

/// The syntaxes whose keys a map names.
const PREFIXES: [(&str, Syntax); 3] =
    [("json:", Syntax::Json), ("ltsv:", Syntax::Ltsv), ("logfmt:", Syntax::Logfmt)];

/// What stands for "the header says it" in place of a map.
const HEADER: &str = "#Fields:";

/// Whether `spec` is one of a keyed format.
pub(crate) fn is_keyed(spec: &str) -> bool {
    spec.starts_with("w3c:")
        || spec.starts_with(HEADER)
        || PREFIXES.iter().any(|(prefix, _)| spec.starts_with(prefix))
}

/// Compiles `spec`, with its canonical form: what [`Format::name`](crate::Format::name) gives.
pub(crate) fn compile(spec: &str) -> Result<(Keyed, String), SpecError> {
    match spec.strip_prefix("w3c:").or_else(|| spec.strip_prefix(HEADER)) {
        Some(names) => compile_columns(names, false),
        None => compile_map(spec, true),
    }
}

/// Compiles the spec of `preset`. Producers are free in how they write names, so its keys are taken in any.
pub(crate) fn compile_preset(preset: &Preset) -> Result<Keyed, SpecError> {
    let mut keyed = match preset.spec.strip_prefix("w3c:") {
        Some(names) => compile_columns(names, true)?.0,
        None if preset.spec == HEADER => without_columns("no `#Fields:` line stands before it"),
        None => compile_map(preset.spec, false)?.0,
    };
    keyed.has_gateway_parameters = preset.name == "azure_appgw";
    keyed.has_messages = true;
    keyed.notes.extend(preset.notes.iter().map(|&note| note.to_owned()));
    Ok(keyed)
}

/// W3C lines that cannot be read because of `why`.
pub(crate) fn without_columns(why: &str) -> Keyed {
    let columns = Columns { is_cloudfront: false, is_open: false };
    let mut keyed = Keyed::new(Syntax::Columns(columns), Vec::new(), Paths::new(true));
    keyed.no_columns = Some(why.into());
    keyed
}

fn compile_map(spec: &str, is_exact: bool) -> Result<(Keyed, String), SpecError> {
    let found =
        PREFIXES.iter().find_map(|(prefix, syntax)| Some((spec.strip_prefix(prefix)?, prefix, *syntax)));
    let Some((map, prefix, syntax)) = found else { return Err(SpecError::NoFields) };
    let dot = if syntax == Syntax::Json { "." } else { "" };
    let mut keys: Vec<Key> = Vec::new();
    let mut paths = Paths::new(is_exact);
    let mut pairs = Vec::new();
    for pair in map.split(',').map(str::trim).filter(|pair| !pair.is_empty()) {
        let (word, path) = pair.split_once('=').ok_or_else(|| not_a_key(pair))?;
        let word = if word.trim() == "duration" { "duration_ms" } else { word.trim() };
        let purpose = Purpose::named(word).ok_or_else(|| not_a_key(pair))?;
        let (path, only) = match path.split_once('^') {
            Some((path, only)) => (path, Some(only)),
            None => (path, None),
        };
        let name = path.trim().strip_prefix('.').unwrap_or(path.trim()).replace('"', "");
        if name.is_empty() || keys.len() == KEYS_MAX {
            return Err(not_a_key(pair));
        }
        let slot = paths.add(&name, keys.len());
        if slot == keys.len() {
            keys.push(Key::new(&name, purpose));
        } else if keys[slot].purpose == Purpose::Sign {
            keys[slot].purpose = purpose;
        }
        keys[slot].is_sign |= purpose == Purpose::Sign;
        let suffix = only.map(|only| format!("^{only}")).unwrap_or_default();
        pairs.push(format!("{word}={dot}{name}{suffix}"));
        keys[slot].only = only.map(Box::from).or(keys[slot].only.take());
    }
    check(&keys, "status=KEY", "`url=KEY`, `target=KEY`, `request=KEY`, or `path=KEY` and `query=KEY`")?;
    Ok((Keyed::new(syntax, keys, paths), format!("{prefix}{}", pairs.join(","))))
}

/// The format of the lines behind a header that names `names`; with `is_open`, columns at the end may be missing.
pub(crate) fn compile_columns(names: &str, is_open: bool) -> Result<(Keyed, String), SpecError> {
    let names: Vec<&str> = names.split_ascii_whitespace().collect();
    let is_cloudfront = columns::is_cloudfront(names.iter().copied());
    let has_host_header = names.contains(&"x-host-header");
    let key = |name: &&str| match columns::purpose(name, is_cloudfront) {
        // It is the distribution's own name there.
        Purpose::Host if has_host_header && *name != "x-host-header" => Key::new(name, Purpose::Other),
        purpose => Key::new(name, purpose),
    };
    let keys: Vec<Key> = names.iter().map(key).collect();
    check(&keys, "sc-status", "`cs-uri-stem` and `cs-uri-query`")?;
    let mut keyed = Keyed::new(Syntax::Columns(Columns { is_cloudfront, is_open }), keys, Paths::new(true));
    let has = |purpose| keyed.keys.iter().any(|key| key.purpose == purpose);
    let (has_query, has_stem) = (has(Purpose::Query), has(Purpose::DecodedPath) && !has(Purpose::Url));
    if has_stem {
        keyed.lossy.push(Cow::Borrowed("path"));
        keyed.notes.push("`cs-uri-stem` is the path as the server has decoded it".to_owned());
    }
    if !has_query && (has_stem || is_cloudfront) {
        keyed.lossy.push(Cow::Borrowed("query"));
    }
    Ok((keyed, format!("w3c:{}", names.join(" "))))
}

fn check(keys: &[Key], add_status: &'static str, add_url: &'static str) -> Result<(), SpecError> {
    if !keys.iter().any(|key| key.purpose == Purpose::Status) {
        return Err(SpecError::NoStatus { add: add_status });
    }
    if !keys.iter().any(|key| key.purpose == Purpose::Request || key.purpose.is_target()) {
        return Err(SpecError::NoUrl { add: add_url });
    }
    Ok(())
}

fn not_a_key(pair: &str) -> SpecError {
    SpecError::NotAKey { text: pair.chars().take(60).collect(), known: KNOWN }
}
