use jiff::civil::{DateTime, Time};
use jiff::tz::{AmbiguousOffset, TimeZone};
use jiff::{SignedDuration, Span, SpanRelativeTo, Timestamp, Zoned};

/// Reads a moment as a person writes it: `2026-11-22T06:00:00Z`, `2026-11-22 06:00`, `2026-11-22`, `06:00` (today), or `2h`, `7d` and `30m ago` for
/// so long before `now`, where a day has 24 hours. Without an offset it is meant in the time zone of `now`, or in the one behind it in brackets:
/// `2026-11-22T06:00[Europe/Berlin]`. Where clocks show it twice, because they are put back, it is the first time.
///
/// ```
/// # let now: jiff::Zoned = "2026-11-22T12:00:00+01:00[Europe/Berlin]".parse()?;
/// use logretry_filter::parse_moment;
///
/// assert_eq!(parse_moment("06:30", &now)?.to_string(), "2026-11-22T05:30:00Z");
/// assert_eq!(parse_moment("2h", &now)?.to_string(), "2026-11-22T09:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// Text that is not a moment, a time zone that the system does not know, and one in which the offset is another.
pub fn parse_moment(text: &str, now: &Zoned) -> Result<Timestamp, MomentError> {
    parse(text, now, Turn::First)
}

/// The same for the end of a span: where clocks show it twice, it is the second time, so that nothing is left out that may be meant.
///
/// # Errors
///
/// As [`parse_moment`].
pub fn parse_end(text: &str, now: &Zoned) -> Result<Timestamp, MomentError> {
    parse(text, now, Turn::Second)
}

/// Which time is meant that clocks show twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    First,
    Second,
}

fn parse(text: &str, now: &Zoned, turn: Turn) -> Result<Timestamp, MomentError> {
    let text = text.trim();
    let error = || MomentError::Unknown(text.to_owned());
    if let Some(moment) = text.strip_suffix(']') {
        let (moment, zone) = moment.split_once('[').ok_or_else(error)?;
        return in_zone(moment.trim_end(), zone, now, turn);
    }
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp);
    }
    if let Some(civil) = civil(text, now) {
        return on_clocks_of(now.time_zone(), civil, turn).ok_or_else(error);
    }
    now.timestamp().checked_sub(ago(text).ok_or_else(error)?).map_err(|_| error())
}

/// A date or a time of today, or both, on the clock of `now`.
fn civil(text: &str, now: &Zoned) -> Option<DateTime> {
    // Without its colon a time looks as a year or a month does: `2026`, `202611`.
    let time =
        || text.parse::<Time>().ok().filter(|_| text.contains(':')).map(|time| now.date().to_datetime(time));
    text.parse().ok().or_else(time)
}

/// How long ago. A sign before it is refused: `+2h` would lie in the future, in which no log has a line.
fn ago(text: &str) -> Option<SignedDuration> {
    let span: Span = text.strip_suffix("ago").unwrap_or(text).trim_end().parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    (!text.starts_with('+')).then(|| duration.abs())
}

/// `moment` on the clocks of `zone`.
fn in_zone(moment: &str, zone: &str, now: &Zoned, turn: Turn) -> Result<Timestamp, MomentError> {
    let there = TimeZone::get(zone).map_err(|_| MomentError::Zone(zone.to_owned()))?;
    let error = || MomentError::Unknown(format!("{moment}[{zone}]"));
    if moment.parse::<Timestamp>().is_ok() {
        // Where both are given, the offset must be that of the zone.
        let zoned = format!("{moment}[{zone}]").parse::<Zoned>();
        return zoned
            .map(|zoned| zoned.timestamp())
            .map_err(|_| MomentError::Offset { moment: moment.to_owned(), zone: zone.to_owned() });
    }
    let civil = civil(moment, &now.with_time_zone(there.clone())).ok_or_else(error)?;
    on_clocks_of(&there, civil, turn).ok_or_else(error)
}

/// When the clocks of `zone` show `civil`: where they show it twice, in that turn. A time over which they are put forward is that moment, so that what comes later on them is later.
fn on_clocks_of(zone: &TimeZone, civil: DateTime, turn: Turn) -> Option<Timestamp> {
    let found = zone.to_ambiguous_zoned(civil);
    if matches!(found.offset(), AmbiguousOffset::Gap { .. }) {
        let before = found.earlier().ok()?.timestamp();
        return zone.following(before).next().map(|change| change.timestamp());
    }
    let zoned = if turn == Turn::First { found.earlier() } else { found.later() };
    zoned.ok().map(|zoned| zoned.timestamp())
}

/// The text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MomentError {
    /// It is none in any of the ways in which moments are written.
    #[error(
        "`{0}` is not a time; write `2026-11-22T06:00:00Z`, `2026-11-22 06:00`, `06:00`, `2h` or `7d` (ago)"
    )]
    Unknown(String),
    /// The system's time zone data have no such zone.
    #[error("`{0}` is not a time zone of this system; write the offset, as in `2026-11-22T06:00:00+01:00`")]
    Zone(String),
    /// The offset and the zone contradict each other.
    #[error("`{moment}` has an offset that is not the one of `{zone}`; leave one of them out")]
    Offset {
        /// The time with its offset.
        moment: String,
        /// The zone.
        zone: String,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_are_read_as_people_write_them() {
        let now: Zoned = "2026-11-22T12:00:00+01:00[Europe/Berlin]".parse().expect("a time");
        for (text, moment) in [
            ("2026-11-22T06:00:00Z", "2026-11-22T06:00:00Z"),
            ("2026-11-22T06:00:00+02:00", "2026-11-22T04:00:00Z"),
            ("2026-11-22 06:00", "2026-11-22T05:00:00Z"),
            ("2026-11-22", "2026-11-21T23:00:00Z"),
            ("06:30:15", "2026-11-22T05:30:15Z"),
            ("90m ago", "2026-11-22T09:30:00Z"),
            ("1h 30m", "2026-11-22T09:30:00Z"),
            ("7d", "2026-11-15T11:00:00Z"),
            ("1w", "2026-11-15T11:00:00Z"),
            ("1d 2h ago", "2026-11-21T09:00:00Z"),
            ("2 days ago", "2026-11-20T11:00:00Z"),
            ("-2h", "2026-11-22T09:00:00Z"),
            ("2026-11-22T06:00:00[America/New_York]", "2026-11-22T11:00:00Z"),
            ("2026-11-22 06:00 [America/New_York]", "2026-11-22T11:00:00Z"),
            ("2026-11-22[America/New_York]", "2026-11-22T05:00:00Z"),
            ("06:00[America/New_York]", "2026-11-22T11:00:00Z"),
            ("2026-11-22T06:00:00+01:00[Europe/Berlin]", "2026-11-22T05:00:00Z"),
            ("2026-11-22T06:00:00Z[Europe/Berlin]", "2026-11-22T06:00:00Z"),
        ] {
            assert_eq!(
                parse_moment(text, &now).map(|moment| moment.to_string()),
                Ok(moment.to_owned()),
                "{text}"
            );
        }
        for text in [
            "",
            "ago",
            "yesterday",
            "25:00",
            "2026-13-01",
            "5",
            "06",
            "2026",
            "202611",
            "+2h",
            "+7d",
            "1mo",
            "2h[Europe/Berlin]",
            "06:00]",
            "[06:00]",
        ] {
            assert!(parse_moment(text, &now).is_err(), "{text}");
        }
    }

    #[test]
    fn times_on_clocks_that_are_changed_stay_in_their_order() {
        let now: Zoned = "2026-11-22T12:00:00+01:00[Europe/Berlin]".parse().expect("a time");
        for (text, moment) in [
            ("2026-03-29 01:59", "2026-03-29T00:59:00Z"),
            // There are none from 2 to 3.
            ("2026-03-29 02:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
            ("2026-03-29T02:59[Europe/Berlin]", "2026-03-29T01:00:00Z"),
            ("2026-03-29 03:00", "2026-03-29T01:00:00Z"),
            ("2026-03-29 03:01", "2026-03-29T01:01:00Z"),
            // There are two.
            ("2026-10-25 02:30", "2026-10-25T00:30:00Z"),
            ("2026-10-25 03:00", "2026-10-25T02:00:00Z"),
        ] {
            let found = parse_moment(text, &now).map(|moment| moment.to_string());
            assert_eq!(found, Ok(moment.to_owned()), "{text}");
        }
    }

    /// What failed when the clocks showed the hour again was left out without a word.
    #[test]
    fn a_span_ends_with_the_second_of_two_times_that_clocks_show() {
        let now: Zoned = "2026-11-22T12:00:00+01:00[Europe/Berlin]".parse().expect("a time");
        for (text, moment) in [
            ("2026-10-25 01:59", "2026-10-24T23:59:00Z"),
            ("2026-10-25 02:30", "2026-10-25T01:30:00Z"),
            ("2026-10-25T02:30+02:00", "2026-10-25T00:30:00Z"),
            ("2026-10-25 03:00", "2026-10-25T02:00:00Z"),
            ("2026-11-01T01:30[America/New_York]", "2026-11-01T06:30:00Z"),
            ("2026-03-29 02:30", "2026-03-29T01:00:00Z"),
        ] {
            let found = parse_end(text, &now).map(|moment| moment.to_string());
            assert_eq!(found, Ok(moment.to_owned()), "{text}");
        }
    }

    #[test]
    fn a_zone_that_cannot_be_honoured_is_refused() {
        let now: Zoned = "2026-11-22T12:00:00+00:00[UTC]".parse().expect("a time");
        for (text, message) in [
            ("06:00[Europe/Berln]", "`Europe/Berln` is not a time zone of this system"),
            ("2026-11-22T06:00:00+02:00[Europe/Berlin]", "is not the one of `Europe/Berlin`"),
            ("2026-11-22T06:00:00Z[u-ca=hebrew]", "`u-ca=hebrew` is not a time zone"),
        ] {
            let error = parse_moment(text, &now).expect_err(text).to_string();
            assert!(error.contains(message), "{error}");
        }
    }
}
