//! The format string in a pasted piece of configuration: the directive around it taken off, its quoting undone.

mod proxies;

use crate::dialect::Dialect;
use crate::error::SpecError;
use crate::escape::Escape;
use crate::quoting::{Text, Word, words};

/// A format string, its configuration's quoting undone.
#[derive(Debug)]
pub(crate) struct Pasted {
    pub(crate) dialect: Dialect,
    pub(crate) escape: Escape,
    pub(crate) text: Text,
}

/// Takes the format string out of `text`, which begins at byte `at` of the spec.
pub(crate) fn pasted(dialect: Dialect, text: &str, at: usize) -> Result<Pasted, SpecError> {
    match dialect {
        Dialect::Nginx => nginx_string(text, at),
        Dialect::Apache => apache_string(text, at),
        Dialect::Gunicorn => Ok(gunicorn_string(text, at)),
        Dialect::Haproxy => proxies::haproxy_string(text, at),
        Dialect::Envoy => Ok(proxies::envoy_string(text, at)),
        Dialect::Tomcat => Ok(proxies::tomcat_string(text, at)),
        Dialect::Varnish => proxies::varnish_string(text, at),
        Dialect::Template => Ok(Pasted { dialect, escape: Escape::Apache, text: Text::plain(text, at) }),
        Dialect::Regex => Ok(Pasted { dialect, escape: Escape::None, text: Text::plain(text, at) }),
    }
}

/// `log_format NAME [escape=…] '…' '…';`, or what follows the name, or the string alone.
fn nginx_string(text: &str, at: usize) -> Result<Pasted, SpecError> {
    let is_directive = first_word(text) == "log_format";
    let mut escape = Escape::Nginx;
    let mut whole = Text::default();
    if !is_directive
        && !text.trim_start().starts_with(['\'', '"'])
        && !first_word(text).starts_with("escape=")
    {
        whole.append(&Text::plain(text, at));
    } else {
        let words = words(text, at, true)?;
        let mut rest = words.as_slice();
        if is_directive {
            let needs = "a name, then strings";
            rest = rest.get(2..).ok_or(SpecError::Directive { directive: "log_format", needs, at })?;
        }
        if let [word, strings @ ..] = rest
            && let Some(named) = escape_of(word)
        {
            escape = named?;
            rest = strings;
        }
        if is_directive || rest.iter().all(|word| word.quote.is_some()) {
            for word in rest {
                whole.append(&word.text);
            }
        } else {
            // A bare string that happens to begin with a quoted field: `"$request" $status`.
            whole.append(&Text::plain(&text[rest[0].at - at..], rest[0].at));
        }
    }
    // `ngx_conf_read_token`: these six, every other backslash stays.
    let text = whole.unescape(|byte| match byte {
        b'"' | b'\'' | b'\\' => Some(byte),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'n' => Some(b'\n'),
        _ => None,
    });
    Ok(Pasted { dialect: Dialect::Nginx, escape, text })
}

/// `None` if the word is not `escape=…`.
fn escape_of(word: &Word) -> Option<Result<Escape, SpecError>> {
    let value = word.text.bytes().strip_prefix(b"escape=").filter(|_| word.quote.is_none())?;
    Some(match value {
        b"default" => Ok(Escape::Nginx),
        b"json" => Ok(Escape::Json),
        b"none" => Ok(Escape::None),
        _ => {
            let needs = "`escape=` to be `default`, `json` or `none`";
            Err(SpecError::Directive { directive: "log_format", needs, at: word.at })
        }
    })
}

/// `LogFormat "…" [nickname]`, `CustomLog FILE "…"`, lighttpd's `accesslog.format = "…"`, or the string alone with or without its quotes.
fn apache_string(spec: &str, at: usize) -> Result<Pasted, SpecError> {
    let directive = match first_word(spec) {
        "LogFormat" => Some(("LogFormat", 1, "a string")),
        "CustomLog" => {
            Some(("CustomLog", 2, "a file and a string, or else paste the `LogFormat` that it names"))
        }
        "accesslog.format" => Some(("accesslog.format", 2, "`=` and a string")),
        _ => None,
    };
    let mut text = Text::plain(spec, at);
    if let Some((directive, place, needs)) = directive {
        let words = words(spec, at, false)?;
        let word = words.get(place).filter(|word| word.text.bytes().contains(&b'%'));
        text = in_quotes(word.ok_or(SpecError::Directive { directive, needs, at })?);
    } else if spec.trim_start().starts_with(['\'', '"']) {
        match words(spec, at, false)?.as_slice() {
            [word] => text = in_quotes(word),
            [word, nickname] if !nickname.text.bytes().contains(&b'%') => text = in_quotes(word),
            // A bare string that happens to begin with a quoted field: `"%r" %>s %b`.
            _ => {}
        }
    }
    // `parse_log_misc_string` of `mod_log_config`.
    let text = text.unescape(|byte| match byte {
        b'"' | b'\\' => Some(byte),
        b't' => Some(b'\t'),
        b'r' => Some(b'\r'),
        b'n' => Some(b'\n'),
        _ => None,
    });
    Ok(Pasted { dialect: Dialect::Apache, escape: Escape::Apache, text })
}

/// `access_log_format = '…'`, or the string alone with or without its quotes.
fn gunicorn_string(text: &str, at: usize) -> Pasted {
    let value = match text.split_once('=') {
        Some((name, value)) if name.trim() == "access_log_format" => value,
        _ => text,
    };
    let at = at + text.len() - value.len();
    let text = match words(value, at, false).as_deref() {
        Ok([word]) if word.quote.is_some() => word.text.clone(),
        _ => Text::plain(value, at),
    };
    Pasted { dialect: Dialect::Gunicorn, escape: Escape::Gunicorn, text }
}

/// `substring_conf` of Apache: a backslash before the quote or itself is dropped.
fn in_quotes(word: &Word) -> Text {
    let Some(quote) = word.quote else { return word.text.clone() };
    word.text.unescape(|byte| (byte == b'\\' || byte == quote).then_some(byte))
}

/// The one-line spec that reads back as this format string; it becomes the format's name.
pub(crate) fn canonical(pasted: &Pasted) -> String {
    let text = String::from_utf8_lossy(pasted.text.bytes());
    let controls = |text: &str| {
        text.replace('\\', "\\\\").replace('\n', "\\n").replace('\r', "\\r").replace('\t', "\\t")
    };
    match (pasted.dialect, pasted.escape) {
        (Dialect::Nginx, escape) => {
            let escape = match escape {
                Escape::Json => "escape=json ",
                Escape::None => "escape=none ",
                _ => "",
            };
            // Single quotes, unless that costs more backslashes.
            let quote = if text.contains('\'') && !text.contains('"') { '"' } else { '\'' };
            let text = controls(&text).replace(quote, &format!("\\{quote}"));
            format!("nginx:{escape}{quote}{text}{quote}")
        }
        (Dialect::Apache, _) => {
            let text = controls(&text).replace('\\', "\\\\").replace('"', "\\\"");
            format!("apache:\"{text}\"")
        }
        // Its backslashes stand for themselves, so a quote that is in the text cannot be around it.
        (Dialect::Gunicorn, _) => match ['\'', '"'].into_iter().find(|&quote| !text.contains(quote)) {
            Some(quote) if !text.ends_with('\\') => format!("gunicorn:{quote}{text}{quote}"),
            _ => format!("gunicorn:{text}"),
        },
        (Dialect::Haproxy, _) => format!("haproxy:\"{}\"", controls(&text).replace('"', "\\\"")),
        (Dialect::Envoy, _) => format!("envoy:\"{}\"", controls(&text).replace('"', "\\\"")),
        (Dialect::Tomcat, _) => format!("tomcat:{text}"),
        // Once for the shell, once for varnishncsa, which has no word for a carriage return.
        (Dialect::Varnish, _) => {
            let text = text.replace('\\', "\\\\").replace('\n', "\\n").replace('\t', "\\t");
            let text = text.replace('\\', "\\\\").replace('"', "\\\"");
            format!("varnish:\"{text}\"")
        }
        (Dialect::Template, _) => format!("line:{text}"),
        (Dialect::Regex, _) => format!("regex:{text}"),
    }
}

pub(crate) fn first_word(text: &str) -> &str {
    text.split_ascii_whitespace().next().unwrap_or_default()
}
