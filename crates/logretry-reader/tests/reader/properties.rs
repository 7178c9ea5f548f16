//! Whatever is in a log, no line of it is lost; and what was wrapped is found as it was.

use proptest::prelude::*;

use crate::lab::{options, read};

/// Something that is put around lines.
#[derive(Debug, Clone, Copy)]
enum Wrap {
    Docker,
    Cri,
    Bsd,
    Rfc5424,
    Iso,
    Compose,
    Kubectl,
    Ansi,
    Journal,
}

const WRAPS: [Wrap; 9] = [
    Wrap::Docker,
    Wrap::Cri,
    Wrap::Bsd,
    Wrap::Rfc5424,
    Wrap::Iso,
    Wrap::Compose,
    Wrap::Kubectl,
    Wrap::Ansi,
    Wrap::Journal,
];

impl Wrap {
    /// The lines that `line` becomes; `size` is the size of its pieces where there are such.
    fn around(self, line: &str, size: usize) -> Vec<String> {
        let json = |text: &str| serde_json::to_string(text).expect("a string");
        match self {
            Self::Docker => pieces(line, 16_384)
                .into_iter()
                .map(|(piece, is_last)| {
                    let text = json(&format!("{piece}{}", if is_last { "\n" } else { "" }));
                    format!("{{\"log\":{text},\"stream\":\"stdout\",\"time\":\"2026-11-22T06:41:41Z\"}}")
                })
                .collect(),
            Self::Cri => pieces(line, size)
                .into_iter()
                .map(|(piece, is_last)| {
                    format!("2026-11-22T06:41:41.5Z stdout {} {piece}", if is_last { 'F' } else { 'P' })
                })
                .collect(),
            Self::Bsd => vec![format!("<190>Nov  2 06:41:41 web1 nginx[7]: {line}")],
            Self::Rfc5424 => vec![format!("<190>1 2026-11-22T06:41:41Z web1 nginx 7 - [a b=\"]\"] {line}")]
                .into_iter()
                .map(|line| line.replace("\"]\"]", "\"\\]\"]"))
                .collect(),
            Self::Iso => vec![format!("2026-11-22T06:41:41.400123+00:00 web1 nginx: {line}")],
            Self::Compose => vec![format!("web-1  | {line}")],
            Self::Kubectl => vec![format!("[pod/web-5c7/nginx] {line}")],
            Self::Ansi => vec![format!("\x1b[36m{line}\x1b[0m")],
            Self::Journal => {
                vec![format!("{{\"__CURSOR\":\"s=1\",\"MESSAGE\":{},\"_HOSTNAME\":\"web1\"}}", json(line))]
            }
        }
    }
}

/// Cuts at characters; says of each piece whether it is the last.
fn pieces(line: &str, size: usize) -> Vec<(String, bool)> {
    let mut pieces = vec![String::new()];
    for char in line.chars() {
        if pieces[pieces.len() - 1].len() >= size {
            pieces.push(String::new());
        }
        let last = pieces.len() - 1;
        pieces[last].push(char);
    }
    let last = pieces.len() - 1;
    pieces.into_iter().enumerate().map(|(index, piece)| (piece, index == last)).collect()
}

/// A path that needs no escapes of its own, and now and then more than docker's 16 KiB.
fn path() -> impl Strategy<Value = String> {
    prop_oneof![9 => "[a-zA-Z0-9?=&/|<>\\[\\]:é€-]{0,300}", 1 => "[a-z&é]{20000,40000}"]
}

/// Few cases, since each reads files; `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let default =
        ProptestConfig { failure_persistence: None, max_shrink_iters: 200, ..ProptestConfig::default() };
    if std::env::var_os("PROPTEST_CASES").is_some() {
        default
    } else {
        ProptestConfig { cases: 64, ..default }
    }
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn what_was_wrapped_is_found_as_it_was(
        paths in prop::collection::vec(path(), 1..4),
        wraps in prop::collection::vec(prop::sample::select(&WRAPS[..]), 0..5),
        size in 20_usize..2000,
    ) {
        let lines: Vec<String> = paths.iter().map(|path| crate::lab::line(&format!("/{path}"), 502)).collect();
        let mut wrapped = lines.clone();
        for wrap in &wraps {
            wrapped = wrapped.iter().flat_map(|line| wrap.around(line, size)).collect();
        }
        let count = wrapped.len() as u64;
        let log = wrapped.join("\n");
        let read = read(&log, options(&["combined"]));
        prop_assert_eq!(read.texts(), lines.clone(), "{:?}", wraps);
        prop_assert_eq!(read.counts(), (lines.len() as u64, 0, count - lines.len() as u64));
        let plain = crate::lab::read(lines.join("\n"), options(&["combined"]));
        prop_assert_eq!(read.ids(), plain.ids());
    }

    #[test]
    fn no_line_is_lost_whatever_the_bytes_are(
        parts in prop::collection::vec(part(), 0..30),
        limit in prop_oneof![Just(1 << 20), 1_usize..200],
    ) {
        let log = parts.concat();
        for formats in [&["combined"][..], &[]] {
            let mut options = options(formats);
            options.line_bytes_max = limit;
            let read = read(&log, options);
            let text = log.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&log);
            let is_lines = !matches!(text.trim_ascii_start().first(), Some(b'[' | b'{' | b'_'));
            if read.fatal.is_none() && is_lines && !log.is_empty() {
                prop_assert_eq!(read.accounts.lines, lines(&log));
            }
        }
    }
}

/// Lines as they are counted: NUL bytes before a line belong to none.
fn lines(log: &[u8]) -> u64 {
    let log = log.strip_prefix(b"\xef\xbb\xbf").unwrap_or(log);
    let mut count = 0;
    let mut parts = log.split(|&byte| byte == b'\n').peekable();
    while let Some(part) = parts.next() {
        let is_last = parts.peek().is_none();
        let is_empty = part.iter().all(|&byte| byte == 0);
        count += u64::from(!is_last || !is_empty);
    }
    count
}

/// A piece of a log: bytes, or what looks like a part of something.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        "\n",
        "\r\n",
        "\"",
        "{",
        "}",
        "[",
        "\\",
        "\u{feff}",
        "{\"log\":\"",
        "\\n\",\"stream\":\"stdout\",\"time\":\"2026\"}\n",
        "\",\"stream\":\"stderr\"}\n",
        "2026-11-22T06:41:41.5Z stdout P ",
        "2026-11-22T06:41:41.5Z stdout F ",
        "2026-11-22T06:41:41Z ",
        "<190>1 - - - - - [a \"",
        "<190>Nov  2 06:41:41 web1 nginx: ",
        "Nov 22 06",
        "web-1  | ",
        "[pod/a/b] ",
        "\x1b[1m",
        "\x1b[",
        "{\"__CURSOR\":\"\",\"MESSAGE\":",
        "null}\n",
        "\n__CURSOR=x\nMESSAGE\n",
        "{\"records\":[",
        "# comment\n",
        "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a HTTP/1.1\" 502 157 \"-\" \"-\"\n",
        "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /a HTTP/1.1\" 502 157\n",
    ])
    .prop_map(|text| text.as_bytes().to_vec());
    prop_oneof![3 => known, 1 => prop::collection::vec(any::<u8>(), 0..40)]
}
