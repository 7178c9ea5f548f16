//! `Retry-After`: a server says itself when it wants to be asked again (RFC 9110 §10.2.3).

use std::time::Duration;

use http::header::{self, HeaderMap};
use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::TimeZone;

/// The three forms of an HTTP date (RFC 9110 §5.6.7): the one that is sent, and the two that must still be understood.
const DATES: [&str; 3] = ["%a, %d %b %Y %H:%M:%S GMT", "%A, %d-%b-%y %H:%M:%S GMT", "%a %b %e %H:%M:%S %Y"];

/// How long the server asks to be left alone; none if it does not say, or not in a way that one understands.
///
/// A date is counted from the server's own `Date` if it gives one: its clock and ours need not agree. A fraction of a second, which the RFC does not know and some servers write
/// (Shopify: `2.0`, Discord: `0.65`), counts as a whole one.
pub(crate) fn retry_after(headers: &HeaderMap, now: Timestamp) -> Option<Duration> {
    let text = |name| headers.get(name)?.to_str().ok().map(str::trim);
    let value = text(header::RETRY_AFTER)?;
    let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let (seconds, fraction) = value.split_once('.').unwrap_or((value, "0"));
    if is_number(seconds) && is_number(fraction) {
        let begun = fraction.bytes().any(|digit| digit != b'0');
        // What is too large for a number is too long for everybody.
        let seconds = seconds.parse().unwrap_or(u64::from(u32::MAX));
        return Some(Duration::from_secs(seconds.saturating_add(begun.into())));
    }
    let from = text(header::DATE).and_then(date).unwrap_or(now);
    let wait = date(value)?.duration_since(from);
    Some(wait.try_into().unwrap_or(Duration::ZERO))
}

fn date(text: &str) -> Option<Timestamp> {
    let civil = DATES.iter().find_map(|form| DateTime::strptime(form, text).ok())?;
    civil.to_zoned(TimeZone::UTC).ok().map(|date| date.timestamp())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_with_and_without_fractions_and_all_three_dates_are_understood() {
        let now = "1994-11-06T08:49:00Z".parse().expect("a time");
        for (value, date, wait_s) in [
            ("0", None, Some(0)),
            (" 120 ", None, Some(120)),
            ("99999999999999999999", None, Some(u64::from(u32::MAX))),
            ("Sun, 06 Nov 1994 08:49:37 GMT", None, Some(37)),
            ("Sunday, 06-Nov-94 08:49:37 GMT", None, Some(37)),
            ("Sun Nov  6 08:49:37 1994", None, Some(37)),
            ("Sun, 06 Nov 1994 08:48:00 GMT", None, Some(0)),
            // The server's clock is an hour ahead.
            ("Sun, 06 Nov 1994 09:49:37 GMT", Some("Sun, 06 Nov 1994 09:49:07 GMT"), Some(30)),
            ("Sun, 06 Nov 1994 08:49:37 GMT", Some("rubbish"), Some(37)),
            ("", None, None),
            ("soon", None, None),
            ("-1", None, None),
            ("2.0", None, Some(2)),
            ("0.65", None, Some(1)),
            (".5", None, None),
            ("1.", None, None),
            ("1.5.2", None, None),
            ("Sun, 06 Nov 1994 08:49:37 +0200", None, None),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::RETRY_AFTER, value.parse().expect("a value"));
            if let Some(date) = date {
                headers.insert(header::DATE, date.parse().expect("a value"));
            }
            assert_eq!(retry_after(&headers, now), wait_s.map(Duration::from_secs), "{value:?}");
        }
        assert_eq!(retry_after(&HeaderMap::new(), now), None);
    }
}
