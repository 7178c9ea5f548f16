//! What rotated logs are called.

use std::cmp::Reverse;
use std::sync::LazyLock;

use regex::Regex;

/// How old a rotated log is; sorts from the oldest to the one that is written now.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Age {
    /// Named by its date, and perhaps its time: the digits of these, from the year on.
    Date(String),
    /// Numbered: greater is older.
    Number(Reverse<u64>),
    /// The log itself.
    Current,
}

/// Behind the name of the log stands a date that begins with the year, or seconds since 1970, and perhaps a time: logrotate's `dateext` and `dateformat` as far as its names sort by age, Apache's rotatelogs,
/// Go's lumberjack and timberjack (Caddy), the last of which say why they rotated.
static DATED: LazyLock<Option<Regex>> = LazyLock::new(|| {
    Regex::new(
        r"^(?<log>.+?)[-._](?<date>\d{8,}|(?:19|20)\d\d[-._]\d\d[-._]\d\d)(?<time>(?:[-_T][-_:.\d]*\d)?)(?:-size|-time)?$",
    )
    .ok()
});

/// The name of the log that the file `name` is one of, and how old that one is.
pub(crate) fn rotation(name: &str) -> (String, Age) {
    let plain = unpacked(name);
    if let Some((log, age)) = stamp(plain) {
        return (log.to_owned(), age);
    }
    // Before the extension, a number may be part of the log's own name.
    match plain.rsplit_once('.').and_then(|(base, extension)| Some((stamp(base)?, extension))) {
        Some(((log, age @ Age::Date(_)), extension)) => (format!("{log}.{extension}"), age),
        _ => (plain.to_owned(), Age::Current),
    }
}

/// How old the file `name` is, if it is a rotated one of the log `own`: `access.log.1`, `access.log-20261121.gz`, `access-20261121.log`.
pub(crate) fn age(own: &str, name: &str) -> Option<Age> {
    // Nearly every name in a folder of many logs is that of another one.
    if !name.starts_with(own.rsplit_once('.').map_or(own, |(stem, _)| stem)) {
        return None;
    }
    let plain = unpacked(name);
    let behind = || stamp(plain).filter(|(log, _)| *log == own);
    let before_the_extension = || {
        let (own, extension) = own.rsplit_once('.')?;
        let base = plain.strip_suffix(extension)?.strip_suffix('.')?;
        stamp(base).filter(|(log, _)| *log == own)
    };
    behind().or_else(before_the_extension).map(|(_, age)| age)
}

/// The logs of which the file `name` would be a rotated one: those whose [`age`] it has.
pub(crate) fn logs_of(name: &str) -> impl Iterator<Item = String> {
    let plain = unpacked(name);
    let behind = stamp(plain).map(|(log, _)| log.to_owned());
    let before_the_extension = plain.rsplit_once('.').and_then(|(base, extension)| {
        let (log, _) = stamp(base)?;
        Some(format!("{log}.{extension}"))
    });
    behind.into_iter().chain(before_the_extension)
}

/// The log that a name stands for behind which is its age.
fn stamp(text: &str) -> Option<(&str, Age)> {
    if let Some(found) = DATED.as_ref().and_then(|dated| dated.captures(text)) {
        let digits =
            [&found["date"], &found["time"]].concat().replace(|digit: char| !digit.is_ascii_digit(), "");
        return Some((found.name("log")?.as_str(), Age::Date(digits)));
    }
    let digits = text.bytes().rev().take_while(u8::is_ascii_digit).count();
    let (log, number) = text.split_at(text.len() - digits);
    Some((log.strip_suffix(['.', '-'])?, Age::Number(Reverse(number.parse().ok()?))))
}

/// The name of the file before it was compressed.
pub(crate) fn unpacked(name: &str) -> &str {
    [".gz", ".zst", ".bz2", ".xz"].iter().find_map(|suffix| name.strip_suffix(suffix)).unwrap_or(name)
}

pub(crate) fn is_packed(name: &str) -> bool {
    unpacked(name).len() < name.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_rotated_is_known_by_its_name() {
        let date = |digits: &str| Age::Date(digits.to_owned());
        let number = |number| Age::Number(Reverse(number));
        for (name, expected) in [
            ("access.log.1", number(1)),
            ("access.log.12.gz", number(12)),
            ("access-3.log", number(3)),
            ("access.log-20261129", date("20261129")),
            ("access.log-2026112907.zst", date("2026112907")),
            ("access.log-20261129-1795939484.gz", date("202611291795939484")),
            ("access.log-20261129_063000", date("20261129063000")),
            ("access.log.2026-11-29", date("20261129")),
            ("access.log.2026.11.29-06_30_00", date("20261129063000")),
            ("access.log.1795939200", date("1795939200")),
            ("access-20261129.log.gz", date("20261129")),
            ("access-2026-11-29T06-30-00.000.log.gz", date("20261129063000000")),
            ("access-2026-11-29T06-30-00.123-size.log", date("20261129063000123")),
        ] {
            assert_eq!(age("access.log", name), Some(expected), "{name}");
            assert!(logs_of(name).any(|log| log == "access.log"), "{name}");
        }
        for name in [
            "access.log",
            "access.log.gz",
            "access.log-retry",
            "access.log.ledger",
            "shop-access.log.1",
            "access.log-20261129.1",
            "access.log-10.0.0.1",
            "access.log-29-11-2026",
            "access-shop-20261129.log",
        ] {
            assert_eq!(age("access.log", name), None, "{name}");
            assert!(logs_of(name).all(|log| log != "access.log"), "{name}");
        }
        assert_eq!(age("access.log-20261129", "access.log-20261129.1"), Some(number(1)));
        assert_eq!(age("node-10", "node-10-20261129"), Some(date("20261129")));
    }

    #[test]
    fn a_rotated_log_belongs_to_a_log() {
        for (name, log) in [
            ("access.log.1", "access.log"),
            ("access.log-20261129-1795939484.gz", "access.log"),
            ("access-2026-11-29T06-30-00.123-size.log", "access.log"),
            ("web-1.log", "web-1.log"),
            ("access.log", "access.log"),
        ] {
            assert_eq!(rotation(name).0, log);
        }
    }
}
