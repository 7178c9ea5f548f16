//! The directives of servers that stand in front of others.

use super::{Pasted, first_word};
use crate::dialect::Dialect;
use crate::error::SpecError;
use crate::escape::Escape;
use crate::haproxy;
use crate::quoting::{Text, words};

/// What a backslash in double quotes, or in no quotes, stands before.
fn common_escapes(byte: u8) -> Option<u8> {
    match byte {
        b'n' => Some(b'\n'),
        b'r' => Some(b'\r'),
        b't' => Some(b'\t'),
        b'"' | b'\'' | b'\\' | b' ' | b'#' | b'$' => Some(byte),
        _ => None,
    }
}

/// `log-format "…"`, `log-format %ci:%cp\ …`, or the string alone (`parse_line` of `tools.c`).
pub(super) fn haproxy_string(text: &str, at: usize) -> Result<Pasted, SpecError> {
    let is_directive = matches!(first_word(text), "log-format" | "log-format-sd" | "error-log-format");
    let string = if is_directive {
        let words = words(text, at, false)?;
        let word =
            words.get(1).ok_or(SpecError::Directive { directive: "log-format", needs: "a string", at })?;
        let is_literal = word.quote == Some(b'\'');
        if is_literal { word.text.clone() } else { word.text.unescape(common_escapes) }
    } else {
        in_double_quotes(text, at).unwrap_or_else(|| Text::plain(text, at).unescape(common_escapes))
    };
    Ok(Pasted { dialect: Dialect::Haproxy, escape: haproxy::escape(&string), text: string })
}

/// `format: "…\n"` of a configuration in YAML, `text_format: …`, or the string alone; its line end is none of the line.
pub(super) fn envoy_string(text: &str, at: usize) -> Pasted {
    let trimmed = text.trim_start();
    let value = ["format:", "text_format:", "inline_string:", "accessLogFormat:"]
        .iter()
        .find_map(|key| trimmed.strip_prefix(key))
        .map_or(trimmed, str::trim_start);
    let at = at + text.len() - value.len();
    let string = in_double_quotes(value, at).unwrap_or_else(|| {
        let bare = value.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        Text::plain(bare.unwrap_or(value), at + usize::from(bare.is_some())).unescape(|byte| match byte {
            b'n' => Some(b'\n'),
            b'"' => Some(b'"'),
            _ => None,
        })
    });
    Pasted { dialect: Dialect::Envoy, escape: Escape::None, text: string.without_line_end() }
}

/// `pattern="…"` of a `<Valve …/>`, `common`, `combined`, or the string alone.
pub(super) fn tomcat_string(text: &str, at: usize) -> Pasted {
    let attribute = text.find("pattern=").and_then(|start| {
        let value = &text[start + "pattern=".len()..];
        let quote = value.chars().next().filter(|char| matches!(char, '"' | '\''))?;
        let end = value[1..].find(quote)?;
        Some((&value[1..=end], start + "pattern=".len() + 1))
    });
    let (pattern, start) = attribute.unwrap_or((text.trim(), text.len() - text.trim_start().len()));
    let pattern = match pattern {
        "common" => r#"%h %l %u %t "%r" %s %b"#.to_owned(),
        "combined" => r#"%h %l %u %t "%r" %s %b "%{Referer}i" "%{User-Agent}i""#.to_owned(),
        _ => [("&quot;", "\""), ("&apos;", "'"), ("&lt;", "<"), ("&gt;", ">"), ("&amp;", "&")]
            .iter()
            .fold(pattern.to_owned(), |text, (entity, char)| text.replace(entity, char)),
    };
    Pasted { dialect: Dialect::Tomcat, escape: Escape::Tomcat, text: Text::plain(&pattern, at + start) }
}

/// `varnishncsa … -F '…'`, or the string alone (`format_parse` of `varnishncsa.c`).
pub(super) fn varnish_string(text: &str, at: usize) -> Result<Pasted, SpecError> {
    let string = if first_word(text).ends_with("varnishncsa") || first_word(text) == "-F" {
        let words = words(text, at, false)?;
        let flag = words.iter().position(|word| word.text.bytes() == b"-F");
        let word = flag.and_then(|flag| words.get(flag + 1)).ok_or(SpecError::Directive {
            directive: "varnishncsa",
            needs: "`-F` and a string",
            at,
        })?;
        if word.quote == Some(b'\'') { word.text.clone() } else { word.text.unescape(common_escapes) }
    } else {
        let bare = text.trim();
        let inner = bare.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\''));
        match inner {
            Some(inner) => Text::plain(inner, at + 1 + text.len() - text.trim_start().len()),
            None => in_double_quotes(text, at).unwrap_or_else(|| Text::plain(text, at)),
        }
    };
    let text = string.unescape(|byte| match byte {
        b'n' => Some(b'\n'),
        b't' => Some(b'\t'),
        b'"' | b'\\' => Some(byte),
        _ => None,
    });
    Ok(Pasted { dialect: Dialect::Varnish, escape: Escape::Apache, text: text.without_line_end() })
}

/// What stands in double quotes, if `text` is one quoted word.
fn in_double_quotes(text: &str, at: usize) -> Option<Text> {
    match words(text, at, false).ok()?.as_slice() {
        [word] if word.quote == Some(b'"') => Some(word.text.unescape(common_escapes)),
        _ => None,
    }
}
