//! When a line was written, by what stands around it: for lines that do not say it themselves, as those of uvicorn in a container.

use std::borrow::Cow;

use jiff::Timestamp;
use jiff::civil::DateTime;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::{Wrapper, peel, stamp};

/// How far from its beginning a time is looked for.
const HEAD_BYTES_MAX: usize = 160;

/// What of a wrapper tells a time.
struct Told {
    time: Timestamp,
    has_offset: bool,
}

/// The time in the outermost `depth` wrappers of `line`. Of several the innermost is nearest to the request, but one that says its offset from UTC is better: others are taken as UTC.
pub(crate) fn time(line: &[u8], depth: usize) -> Option<Timestamp> {
    let mut text = Cow::Borrowed(line);
    let mut best: Option<Told> = None;
    for _ in 0..depth {
        let Some(layer) = peel(&text) else { break };
        let told = match layer.wrapper {
            Wrapper::Docker | Wrapper::Json | Wrapper::JournalJson => member(&text),
            // Their text is not what stands last.
            Wrapper::Ansi | Wrapper::Quotes => None,
            _ => text.get(..text.len().saturating_sub(layer.text.len())).and_then(written),
        };
        let is_better = |told: &Told| told.has_offset || best.as_ref().is_none_or(|best| !best.has_offset);
        if let Some(told) = told.filter(is_better) {
            best = Some(told);
        }
        text = Cow::Owned(layer.text.into_owned());
    }
    best.map(|told| told.time)
}

/// The members of an object that may tell it.
#[derive(Deserialize)]
struct Members<'a> {
    #[serde(borrow, rename = "@timestamp")]
    at_timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    timestamp: Option<&'a RawValue>,
    #[serde(borrow)]
    time: Option<&'a RawValue>,
    #[serde(borrow)]
    date: Option<&'a RawValue>,
    /// Microseconds.
    #[serde(borrow, rename = "__REALTIME_TIMESTAMP")]
    realtime: Option<Cow<'a, str>>,
}

fn member(object: &[u8]) -> Option<Told> {
    let object = object.strip_prefix(b"\x1e").unwrap_or(object);
    let Members { at_timestamp, timestamp, time, date, realtime } = serde_json::from_slice(object).ok()?;
    let counted = |number: &str| Some(Told { time: counted(number)?, has_offset: true });
    [at_timestamp, timestamp, time, date]
        .into_iter()
        .flatten()
        .find_map(|value| written(value.get().as_bytes()).or_else(|| counted(value.get().trim_matches('"'))))
        .or_else(|| counted(&realtime?))
}

/// A time as the number of seconds since 1970, of their thousandths (`CloudWatch`), millionths or billionths. Which it is, its length says from 2001 to 2286.
fn counted(number: &str) -> Option<Timestamp> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let count: i64 = whole.parse().ok()?;
    let time = match whole.len() {
        10 => Timestamp::new(count, format!("{fraction:0<9}").get(..9)?.parse().ok()?),
        13 => Timestamp::from_millisecond(count),
        16 => Timestamp::from_microsecond(count),
        19 => Timestamp::from_nanosecond(count.into()),
        _ => return None,
    };
    time.ok()
}

/// The first time that is written out in `text`: `2026-11-22T06:41:41Z`, `2026/11/22 06:41:41,123`, `2026-11-22 06:41:41 +0000`.
fn written(text: &[u8]) -> Option<Told> {
    let text = &text[..text.len().min(HEAD_BYTES_MAX)];
    (0..text.len()).filter(|&at| at == 0 || !text[at - 1].is_ascii_digit()).find_map(|at| {
        let rest = &text[at..];
        let length = stamp::iso(rest).or_else(|| stamp::plain(rest))?;
        let zone = stamp::zone(rest[length..].strip_prefix(b" ").unwrap_or(&rest[length..]));
        let time = String::from_utf8_lossy(&rest[..length]).replace('/', "-");
        if let Ok(time) = time.parse() {
            return Some(Told { time, has_offset: true });
        }
        let zone = String::from_utf8_lossy(zone);
        let has_offset = !zone.is_empty();
        let time = if has_offset {
            format!("{time}{zone}").parse().ok()?
        } else {
            time.parse::<DateTime>().ok()?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()
        };
        Some(Told { time, has_offset })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_time_is_that_of_the_innermost_wrapper_that_says_its_offset() {
        for (line, depth, expected) in [
            (
                r#"{"log":"GET /\n","stream":"stdout","time":"2026-11-22T06:41:41.000000001Z"}"#,
                1,
                "06:41:41.000000001",
            ),
            ("2026-11-22T07:41:41+01:00 stdout F GET /", 1, "06:41:41"),
            ("2026-11-22T08:41:41Z GET /", 1, "08:41:41"),
            ("<190>1 2026-11-22T06:41:41.4+00:00 web1 app 1 - - GET /", 1, "06:41:41.4"),
            ("2026-11-22T06:41:41Z web1 app[3]: GET /", 1, "06:41:41"),
            ("2026-11-22 06:41:41,123 INFO access - GET /", 1, "06:41:41.123"),
            ("[2026-11-22 08:41:41 +0200] [12] [INFO] GET /", 1, "06:41:41"),
            ("Main |2026-11-22 06:41:41 +0000 INFO: 203.0.113.9:5 GET", 1, "06:41:41"),
            ("[2026/11/22 06:41:41] [INFO] GET /", 1, "06:41:41"),
            (r#"{"MESSAGE":"GET /","__REALTIME_TIMESTAMP":"1795329701000000"}"#, 1, "06:41:41"),
            (
                r#"{"@timestamp":"2026-11-22T06:41:41.5Z","time":7,"message":"203.0.113.9 - GET /"}"#,
                1,
                "06:41:41.5",
            ),
            (r#"{"date":1795329701.5,"log":"203.0.113.9 - GET /"}"#, 1, "06:41:41.5"),
            (r#"{"timestamp":1795329701250,"message":"203.0.113.9 - GET /"}"#, 1, "06:41:41.25"),
            (r#"{"time":"1795329701","message":"203.0.113.9 - GET /"}"#, 1, "06:41:41"),
            // Docker's has an offset; the logger's, an hour behind, has none.
            (
                r#"{"log":"2026-11-22 05:41:41 INFO access - GET /\n","stream":"stdout","time":"2026-11-22T06:41:41Z"}"#,
                2,
                "06:41:41",
            ),
            (
                "2026-11-22T06:41:42Z stdout F [2026-11-22T06:41:41Z INFO  actix_web::logger] GET /",
                2,
                "06:41:41",
            ),
            // The wrapper within has not been taken off.
            (
                "2026-11-22T06:41:42Z stdout F [2026-11-22T06:41:41Z INFO  actix_web::logger] GET /",
                1,
                "06:41:42",
            ),
        ] {
            let expected = format!("2026-11-22T{expected}Z").parse().expect("a time");
            assert_eq!(time(line.as_bytes(), depth), Some(expected), "{line}");
        }
        for line in [
            "Nov 22 06:41:41 web1 app: GET /",
            "web-1  | GET /?from=2026-11-22T06:41:41Z",
            "INFO:     203.0.113.9:38380 - \"GET",
            r#"{"log":"GET /\n","stream":"stdout"}"#,
            r#"{"time":0.25,"timestamp":"-179532970","date":179532970125,"message":"203.0.113.9 - GET /"}"#,
            "2026-13-22T06:41:41Z GET /",
            "GET /",
        ] {
            assert_eq!(time(line.as_bytes(), 8), None, "{line}");
        }
    }
}
