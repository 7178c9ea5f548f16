//! Numbers and times, without the formatting machinery.

use std::io::Write as _;

use jiff::Timestamp;

/// Appends `number` in decimal digits.
pub(super) fn push_number(number: u64, out: &mut Vec<u8>) {
    out.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends `time` as a string, in RFC 3339 in UTC with as many decimals as it has: what `jiff` writes.
pub(super) fn push_time(time: Timestamp, out: &mut Vec<u8>) {
    out.push(b'"');
    if !push_common(time, out) {
        write!(out, "{time}").expect("memory can be written");
    }
    out.push(b'"');
}

/// Appends a time of the years 1970 to 9999; whether it was one.
fn push_common(time: Timestamp, out: &mut Vec<u8>) -> bool {
    const SECONDS_A_DAY: u64 = 86_400;
    const YEAR_10000: u64 = 253_402_300_800;
    let (Ok(seconds), Ok(nanos)) = (u64::try_from(time.as_second()), u64::try_from(time.subsec_nanosecond()))
    else {
        return false;
    };
    if seconds >= YEAR_10000 {
        return false;
    }
    let (year, month, day) = civil(seconds / SECONDS_A_DAY);
    let second = seconds % SECONDS_A_DAY;
    let mut text = *b"0000-00-00T00:00:00";
    text[0] = digit(year / 1000);
    text[1] = digit(year / 100);
    let pairs =
        [(2, year), (5, month), (8, day), (11, second / 3600), (14, second / 60 % 60), (17, second % 60)];
    for (at, number) in pairs {
        text[at] = digit(number / 10);
        text[at + 1] = digit(number);
    }
    out.extend_from_slice(&text);
    push_fraction(nanos, out);
    out.push(b'Z');
    true
}

/// Appends a point and the decimals of a second, without the zeros at their end; nothing for a whole second.
fn push_fraction(nanos: u64, out: &mut Vec<u8>) {
    if nanos == 0 {
        return;
    }
    let mut text = *b".000000000";
    let mut rest = nanos;
    for place in text[1..].iter_mut().rev() {
        *place = digit(rest);
        rest /= 10;
    }
    out.extend_from_slice(&text[..=text.iter().rposition(|&digit| digit != b'0').unwrap_or(0)]);
}

/// Days since 1970 to year, month and day (Howard Hinnant, "chrono-compatible low-level date algorithms", `civil_from_days`).
fn civil(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, of_era) = (days / 146_097, days % 146_097);
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// The last digit of `number`.
fn digit(number: u64) -> u8 {
    b"0123456789"[(number % 10) as usize]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_as_jiff_writes_them() {
        let seconds = (0..400_000).map(|day| day * 86_400 * 7 + day * 7919 % 86_400);
        let odd = [
            "1969-12-31T23:59:59Z",
            "2026-11-22T06:22:52.5Z",
            "2026-11-22T06:22:52.000000001Z",
            "2026-11-22T06:22:52.123456789Z",
            "2026-11-22T06:22:52.12345Z",
            "9999-12-30T21:59:59.999999999Z",
            "9999-12-30T22:00:00Z",
        ];
        let times = seconds.filter_map(|second| Timestamp::from_second(second).ok());
        for time in times.chain(odd.iter().map(|text| text.parse().expect("a time"))) {
            let mut out = Vec::new();
            push_time(time, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), format!("\"{time}\""));
        }
    }

    #[test]
    fn numbers_have_no_leading_zeros() {
        for number in [0, 9, 10, 99, 100, 18_231, u64::MAX] {
            let mut out = Vec::new();
            push_number(number, &mut out);
            assert_eq!(String::from_utf8_lossy(&out), number.to_string());
        }
    }
}
