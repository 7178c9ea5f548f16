//! W3C extended logs: a `#Fields:` line names the columns of the lines behind it, until the next one does.

use memchr::memchr;

use crate::keyed::found::Found;
use crate::keyed::json::Missing;
use crate::keyed::purpose::Purpose;
use crate::keyed::quantity::Unit;
use crate::spans::Span;

/// How many columns there may be.
const COLUMNS_MAX: usize = 256;

/// How many columns CloudFront's log had at first.
const CLOUDFRONT_COLUMNS_MIN: usize = 18;

/// How the values of a line stand in it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Columns {
    pub(crate) is_cloudfront: bool,
    /// Columns at the end may be missing: they are not from a header.
    pub(crate) is_open: bool,
}

/// The columns that a `#Fields:` line names, with one space between.
pub(crate) fn header(line: &[u8]) -> Option<String> {
    let names = line.strip_prefix(b"#Fields:").or_else(|| line.strip_prefix(b"#fields:"))?;
    let names = String::from_utf8_lossy(names);
    let names: Vec<&str> = names.split_ascii_whitespace().take(COLUMNS_MAX).collect();
    Some(names.join(" "))
}

/// Whether only CloudFront has such columns.
pub(crate) fn is_cloudfront<'n>(mut names: impl Iterator<Item = &'n str>) -> bool {
    names.any(|name| name.starts_with("x-edge-"))
}

/// What the column `name` is used for.
pub(crate) fn purpose(name: &str, is_cloudfront: bool) -> Purpose {
    match name.to_ascii_lowercase().as_str() {
        "date" | "date-local" => Purpose::Date,
        "time" | "time-local" => Purpose::Clock,
        "timestamp" | "x-timestamp" => Purpose::Time,
        "cs-method" => Purpose::Method,
        "cs-uri" | "cs-url" => Purpose::Url,
        "cs-uri-stem" if is_cloudfront => Purpose::Path,
        // IIS decodes it.
        "cs-uri-stem" => Purpose::DecodedPath,
        "cs-uri-query" => Purpose::Query,
        "sc-status" => Purpose::Status,
        "sc-bytes" | "bytes" => Purpose::Bytes,
        "time-taken" if is_cloudfront => Purpose::Duration(Unit::Seconds),
        "time-taken" | "timetakenms" => Purpose::Duration(Unit::Millis),
        "cs-protocol" | "cs-uri-scheme" => Purpose::Scheme,
        "x-host-header" | "cs-host" | "cs(host)" => Purpose::Host,
        "s-port" => Purpose::Port,
        "c-ip" => Purpose::Client,
        "cs(user-agent)" => Purpose::UserAgent,
        "x-edge-request-id" => Purpose::RequestId,
        _ => Purpose::Other,
    }
}

impl Columns {
    /// Finds the value of each of `count` columns; tabs separate them if there are any, else runs of spaces.
    pub(crate) fn read(self, line: &[u8], count: usize, found: &mut Found<'_>) -> Result<(), Missing> {
        // Only CloudFront's columns are known without a header, and it has tabs between them and a date in the first.
        if self.is_open && !(line.get(4) == Some(&b'-') && line.get(10) == Some(&b'\t')) {
            return Err((0, "a date and a tab"));
        }
        let fits = |columns: usize| {
            columns == count || (self.is_open && (CLOUDFRONT_COLUMNS_MIN..count).contains(&columns))
        };
        // A value in quotes may hold spaces. Where that does not come out even, a quote is a byte of a value like others.
        let quotes = [true, false].into_iter().find(|&quotes| fits(Cells::new(line, quotes).count()));
        let quotes = quotes.ok_or((line.len(), "as many columns as the `#Fields:` line names"))?;
        for (slot, cell) in Cells::new(line, quotes).enumerate().take(count) {
            found.take(Some(slot), cell);
        }
        Ok(())
    }
}

/// The values of a line.
struct Cells<'l> {
    line: &'l [u8],
    at: usize,
    tabs: bool,
    quotes: bool,
    ended: bool,
}

impl<'l> Cells<'l> {
    fn new(line: &'l [u8], quotes: bool) -> Self {
        let tabs = memchr(b'\t', line).is_some();
        let line = if tabs { line } else { line.trim_ascii_end() };
        let at = if tabs { 0 } else { line.len() - line.trim_ascii_start().len() };
        Self { line, at, tabs, quotes, ended: line.is_empty() }
    }

    /// The end of a value in quotes whose `"` stands at `start`: `""` in it is one quote.
    fn quoted(&self, start: usize) -> Option<usize> {
        let mut at = start + 1;
        loop {
            at += memchr(b'"', &self.line[at..])?;
            match self.line.get(at + 1) {
                Some(b'"') => at += 2,
                None | Some(b' ' | b'\t') => return Some(at),
                Some(_) => return None,
            }
        }
    }
}

impl Iterator for Cells<'_> {
    type Item = Span;

    fn next(&mut self) -> Option<Span> {
        if self.ended {
            return None;
        }
        let start = self.at;
        let quoted =
            (self.quotes && self.line.get(start) == Some(&b'"')).then(|| self.quoted(start)).flatten();
        let cell = if let Some(end) = quoted {
            Span { start: start + 1, end }
        } else {
            let separator = if self.tabs { b'\t' } else { b' ' };
            let rest = &self.line[start..];
            Span { start, end: start + memchr(separator, rest).unwrap_or(rest.len()) }
        };
        self.at = cell.end + usize::from(quoted.is_some());
        self.ended = self.at == self.line.len();
        self.at += 1;
        while !self.tabs && self.line.get(self.at) == Some(&b' ') {
            self.at += 1;
        }
        Some(cell)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cells(line: &str, quotes: bool) -> Vec<String> {
        let text = |cell: Span| String::from_utf8_lossy(cell.of(line.as_bytes())).into_owned();
        Cells::new(line.as_bytes(), quotes).map(text).collect()
    }

    #[test]
    fn columns_are_told_apart() {
        assert_eq!(cells("a - b+c", true), ["a", "-", "b+c"]);
        assert_eq!(cells("a   b ", true), ["a", "b"]);
        assert_eq!(cells("a\t\tb c\t", true), ["a", "", "b c", ""]);
        assert_eq!(cells(r#"a "b ""c"" d" e"#, true), ["a", r#"b ""c"" d"#, "e"]);
        assert_eq!(cells(r#"a "b c" "" e"#, true), ["a", "b c", "", "e"]);
        assert_eq!(cells(r#"a "b c e"#, true), ["a", "\"b", "c", "e"]);
        assert_eq!(cells(r#"a "b c" e"#, false), ["a", "\"b", "c\"", "e"]);
        assert_eq!(cells("", true), Vec::<String>::new());
    }

    #[test]
    fn a_header_names_columns() {
        assert_eq!(header(b"#Fields:  date  cs-uri ").as_deref(), Some("date cs-uri"));
        assert_eq!(header(b"#Version: 1.0"), None);
    }
}
