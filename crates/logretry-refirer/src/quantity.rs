use std::time::Duration;

use crate::RefirerError;

/// Reads seconds, or a number with its unit.
pub(crate) fn time(text: &str) -> Result<Duration, RefirerError> {
    let refuse = || RefirerError::Time(text.to_owned());
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
    if time.is_zero() { Err(refuse()) } else { Ok(time) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_seconds_or_says_its_unit() {
        for (text, time_ms) in
            [("5", 5000), ("0.5", 500), ("250ms", 250), ("30s", 30_000), ("2m", 120_000), ("1h", 3_600_000)]
        {
            assert_eq!(time(text).expect(text), Duration::from_millis(time_ms));
        }
        for text in ["", "0", "0ms", "-1", "s", "1d", "1 s", "1e3", "..", "99999999999999999999h"] {
            assert!(time(text).is_err(), "{text:?} was taken");
        }
    }
}
