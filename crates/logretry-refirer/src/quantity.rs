use std::time::Duration;

use crate::RefirerError;

/// A hundred years: longer than any run, and clocks can still be put forward by it.
pub(crate) const TIME_MAX: Duration = Duration::from_secs(100 * 365 * 24 * 3600);

/// Reads seconds, or a number with its unit, for a flag called `name`, for which no time at all makes no sense.
pub(crate) fn time(name: &'static str, text: &str) -> Result<Duration, RefirerError> {
    let time = time_or_none(name, text)?;
    if time.is_zero() { Err(RefirerError::Time { name, text: text.to_owned() }) } else { Ok(time) }
}

/// The same, where it may be none.
pub(crate) fn time_or_none(name: &'static str, text: &str) -> Result<Duration, RefirerError> {
    let refuse = || RefirerError::Time { name, text: text.to_owned() };
    let digits = text.find(|char: char| !char.is_ascii_digit() && char != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_s = match unit {
        "ms" => 1e-3,
        "" | "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return Err(refuse()),
    };
    let number: f64 = number.parse().map_err(|_| refuse())?;
    let time = Duration::try_from_secs_f64(number * unit_s).map_err(|_| refuse())?;
    Ok(time.min(TIME_MAX))
}

/// Reads how many times faster: `2x`, `0.5x`, `2`.
#[cfg(any(feature = "cli", test))]
pub(crate) fn times(text: &str) -> Result<f64, RefirerError> {
    let number = text.strip_suffix('x').unwrap_or(text);
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let speed: Option<f64> = number.parse().ok();
    speed
        .filter(|speed| plain && (0.001..=1000.0).contains(speed))
        .ok_or_else(|| RefirerError::Speed(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_seconds_or_says_its_unit() {
        for (text, time_ms) in
            [("5", 5000), ("0.5", 500), ("250ms", 250), ("30s", 30_000), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(time("--timeout", text).expect(text), Duration::from_millis(time_ms));
        }
        // To wait for so long was an overflow.
        let ever = time("--timeout", "5000000000000000h").expect("a time");
        assert!(std::time::Instant::now().checked_add(ever).is_some(), "{ever:?}");
        for text in ["", "0", "0ms", "-1", "s", "1d", "1 s", "1e3", "..", "99999999999999999999h"] {
            assert!(time("--timeout", text).is_err(), "{text:?} was taken");
        }
        assert_eq!(time_or_none("--settle", "0s").expect("none"), Duration::ZERO);
    }

    #[test]
    fn a_speed_is_a_number_of_times() {
        for (text, speed) in [("2x", 2.0), ("0.5x", 0.5), ("10", 10.0)] {
            assert!((times(text).expect(text) - speed).abs() < 1e-9);
        }
        for text in ["", "x", "0x", "-1x", "2X", "1e3", "1001x", "inf", "nan"] {
            assert!(times(text).is_err(), "{text:?} was taken");
        }
    }
}
