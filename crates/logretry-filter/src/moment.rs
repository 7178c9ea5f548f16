use jiff::civil::{DateTime, Time};
use jiff::{SignedDuration, Timestamp, Zoned};

/// Reads a moment as a person writes it: `2026-11-22T06:00:00Z`, `2026-11-22 06:00`, `2026-11-22`, `06:00` (today), or `2h` and `30m ago` for
/// so long before `now`. Without an offset it is meant in the time zone of `now`.
///
/// ```
/// # let now: jiff::Zoned = "2026-11-22T12:00:00+01:00[Europe/Berlin]".parse()?;
/// use logretry_filter::parse_moment;
///
/// assert_eq!(parse_moment("06:30", &now)?.to_string(), "2026-11-22T05:30:00Z");
/// assert_eq!(parse_moment("2h", &now)?.to_string(), "2026-11-22T09:00:00Z");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn parse_moment(text: &str, now: &Zoned) -> Result<Timestamp, MomentError> {
    let error = || MomentError(text.to_owned());
    let text = text.trim();
    if let Ok(timestamp) = text.parse::<Timestamp>() {
        return Ok(timestamp);
    }
    let civil = text.parse::<DateTime>().ok();
    if let Some(civil) = civil.or_else(|| Some(now.date().to_datetime(text.parse::<Time>().ok()?))) {
        return civil.to_zoned(now.time_zone().clone()).map(|zoned| zoned.timestamp()).map_err(|_| error());
    }
    let ago: SignedDuration = text.trim_end_matches("ago").trim().parse().map_err(|_| error())?;
    now.timestamp().checked_sub(ago.abs()).map_err(|_| error())
}

/// The text is not a moment.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a time; write `2026-11-22T06:00:00Z`, `2026-11-22 06:00`, `06:00` or `2h` (ago)")]
pub struct MomentError(String);

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
        ] {
            assert_eq!(
                parse_moment(text, &now).map(|moment| moment.to_string()),
                Ok(moment.to_owned()),
                "{text}"
            );
        }
        for text in ["", "yesterday", "25:00", "2026-13-01", "5"] {
            assert!(parse_moment(text, &now).is_err(), "{text}");
        }
    }
}
