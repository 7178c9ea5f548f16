//! What others have put around the lines of a web server.
//!
//! ```text
//!   {"log":"<190>Nov 22 06:41:41 web1 nginx: 203.0.113.9 - - […","stream":"stdout",…}
//!   └ docker json-file ┘└ syslog ───────────┘└ the line as the web server wrote it
//! ```
//!
//! [`peel`] takes off one wrapper, the outermost; whoever wants the line inside calls it in a loop. It is a pure function of the line, so it can only
//! say what a wrapper *looks* like. That a line is really wrapped is decided by its caller, who tries the formats of the log on the line as it stands
//! first: a JSON access log that has a key `log` is not docker's.
//!
//! Some wrappers cut long lines into pieces ([`Part`]). [`Joins`](joins::Joins) puts them together again.

mod ansi;
mod cri;
mod csv;
mod docker;
pub(crate) mod joins;
mod journal;
mod json;
mod logger;
mod prefix;
mod rfc5424;
mod stamp;
mod syslog;
mod time;

use std::borrow::Cow;
use std::fmt;

pub(crate) use time::time;

/// Something that was put around the lines of a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Wrapper {
    /// docker's `json-file` driver: `{"log":"…\n","stream":"stdout","time":"…"}`.
    Docker,
    /// The container runtimes of Kubernetes: `2026-11-22T06:41:41.000000001Z stdout F …`.
    Cri,
    /// `journalctl -o json`: the line is its `MESSAGE`.
    JournalJson,
    /// `journalctl -o export`: the line is its `MESSAGE`.
    JournalExport,
    /// BSD syslog, with or without its priority: `<190>Nov 22 06:41:41 web1 nginx[1718]: …`.
    Rfc3164,
    /// `<190>1 2026-11-22T06:41:41.400123+00:00 web1 nginx 1718 - - …`.
    Rfc5424,
    /// What rsyslog and `journalctl -o short-iso` write: `2026-11-22T06:41:41.400123+00:00 web1 nginx: …`.
    SyslogIso,
    /// `docker compose logs` and `docker service logs`: `web-1  | …`.
    Compose,
    /// `kubectl logs --prefix`: `[pod/web-5c7/nginx] …`.
    Kubectl,
    /// Times in front of lines, as `docker logs --timestamps` puts them there.
    Timestamps,
    /// Colours for a terminal.
    Ansi,
    /// An object into which a collector has put the line, or the object that has its fields: `{"message":"…",…}`.
    Json,
    /// What a logger writes before its messages: time, level, name, labels.
    Logger,
    /// A cell of a table (CSV), or quotation marks around a line.
    Quotes,
    /// A HAR file: `{"log":{…,"entries":[{…},{…}]}}`.
    Har,
    /// A capture of `GoReplay`: requests and their responses.
    GoReplay,
    /// An export in one JSON array, or in several: `[{…},{…}]` or `{"records":[{…},{…}]}`.
    JsonArray,
}

impl Wrapper {
    /// Whether many lines look as if they had it that have not. It is taken off only if what is inside is in a format of the log.
    pub(crate) fn is_loose(self) -> bool {
        matches!(self, Self::Json | Self::Logger | Self::Quotes)
    }

    /// Whether what it holds is UTF-8, whatever was written: other bytes have been replaced.
    pub(crate) fn is_utf8_only(self) -> bool {
        matches!(self, Self::Docker | Self::Json | Self::Quotes)
    }
}

impl fmt::Display for Wrapper {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Docker => "docker json-file",
            Self::Cri => "CRI",
            Self::JournalJson => "journald JSON",
            Self::JournalExport => "journald export",
            Self::Rfc3164 => "syslog (RFC 3164)",
            Self::Rfc5424 => "syslog (RFC 5424)",
            Self::SyslogIso => "syslog (ISO times)",
            Self::Compose => "docker compose",
            Self::Kubectl => "kubectl --prefix",
            Self::Timestamps => "timestamps",
            Self::Ansi => "ANSI colours",
            Self::Json => "JSON of a collector",
            Self::Logger => "a logger's prefix",
            Self::Quotes => "quotation marks (CSV)",
            Self::Har => "a HAR file",
            Self::GoReplay => "a GoReplay capture",
            Self::JsonArray => "a JSON array",
        })
    }
}

/// One wrapper and what is in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Layer<'a> {
    pub(crate) wrapper: Wrapper,
    /// Which of the streams in this wrapper the line belongs to; pieces of different streams may alternate.
    pub(crate) stream: Cow<'a, [u8]>,
    /// What is inside, without a line end.
    pub(crate) text: Cow<'a, [u8]>,
    pub(crate) part: Part,
}

/// How much of a line a wrapper holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Part {
    /// All of it: this wrapper never cuts lines.
    Whole,
    /// All of it, or the last of its pieces.
    End,
    /// A piece, and not the last.
    More,
    /// It has no line end, but is too short to have been cut: a piece, or a line whose writer leaves line ends out.
    Unended,
    /// Nothing: the wrapper says that its content was left out. The reason fits after "cannot use the line: ".
    Lost(&'static str),
}

impl<'a> Layer<'a> {
    /// A wrapper that is a prefix, and has no streams.
    fn prefix(wrapper: Wrapper, text: &'a [u8]) -> Self {
        Self { wrapper, stream: Cow::Borrowed(b""), text: Cow::Borrowed(text), part: Part::Whole }
    }

    /// Adds to the name of a stream, which is made of all wrappers around it. Colours may be in one piece of a line and not in another.
    pub(crate) fn extend_stream(&self, name: &mut Vec<u8>) {
        if self.wrapper != Wrapper::Ansi {
            name.push(self.wrapper as u8);
            name.extend_from_slice(&self.stream);
            name.push(0);
        }
    }

    fn of_stream(mut self, stream: &'a [u8]) -> Self {
        self.stream = Cow::Borrowed(stream);
        self
    }
}

/// How many wrappers are peeled off one line. Nobody nests that many by intention.
pub(crate) const DEPTH_MAX: usize = 8;

/// The outermost wrapper of `line`, if it looks as if it had one. What is inside is shorter than `line`, so that peeling comes to an end.
pub(crate) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    if let Some(layer) = ansi::peel(line) {
        return Some(layer);
    }
    match *line.first()? {
        // journalctl -o json-seq begins each line with a record separator (RFC 7464).
        b'{' | 0x1e => docker::peel(line)
            .or_else(|| journal::peel(line))
            .or_else(|| json::peel(line))
            .or_else(|| logger::labels(line)),
        b'<' => rfc5424::peel(line).or_else(|| syslog::peel(line)).or_else(|| prefix::timestamp(line)),
        b'[' => prefix::kubectl(line).or_else(|| logger::peel(line)),
        b'"' => csv::peel(line),
        b'0'..=b'9' => rfc5424::peel(line)
            .or_else(|| cri::peel(line))
            .or_else(|| syslog::peel(line))
            .or_else(|| prefix::compose(line))
            .or_else(|| prefix::timestamp(line))
            .or_else(|| loose(line)),
        _ => syslog::peel(line).or_else(|| prefix::compose(line)).or_else(|| loose(line)),
    }
}

/// What is tried last.
fn loose(line: &[u8]) -> Option<Layer<'_>> {
    logger::before_json(line)
        .or_else(|| logger::peel(line))
        .or_else(|| logger::time_or_stream(line))
        .or_else(|| csv::peel(line))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The wrappers of `line`, outermost first, and what is inside of them all.
    fn peeled(line: &[u8]) -> (Vec<Wrapper>, String) {
        match peel(line) {
            Some(layer) => {
                let (mut inner, text) = peeled(&layer.text);
                inner.insert(0, layer.wrapper);
                (inner, text)
            }
            None => (Vec::new(), String::from_utf8_lossy(line).into_owned()),
        }
    }

    #[test]
    fn wrappers_are_peeled_whatever_is_around_what() {
        use Wrapper::{
            Ansi, Compose, Cri, Docker, JournalJson, Kubectl, Rfc3164, Rfc5424, SyslogIso, Timestamps,
        };
        let cases: [(&str, &[Wrapper]); 11] = [
            ("GET /", &[]),
            (
                r#"{"log":"<190>Nov 22 06:41:41 web1 nginx[7]: GET /\n","stream":"stdout","time":"2026-11-22T06:41:41Z"}"#,
                &[Docker, Rfc3164],
            ),
            (
                r#"{"log":"2026-11-22T06:41:41.1Z stderr F GET /\n","stream":"stdout","time":"2026-11-22T06:41:41Z"}"#,
                &[Docker, Cri],
            ),
            ("2026-11-22T06:41:41.1Z stdout F [pod/web-5/nginx] GET /", &[Cri, Kubectl]),
            ("<14>1 2026-11-22T06:41:41Z web1 docker - - - web-1  | GET /", &[Rfc5424, Compose]),
            ("\x1b[36mweb-1  | \x1b[0mNov  2 06:41:41 web1 nginx: GET /", &[Ansi, Compose, Rfc3164]),
            ("2026-11-22T06:41:41+00:00 web1 app[3]: 2026-11-22T06:41:41Z GET /", &[SyslogIso, Timestamps]),
            (r#"{"MESSAGE":"\u001b[31mGET /\u001b[0m","__CURSOR":"s=1"}"#, &[JournalJson, Ansi]),
            ("2026-11-22T06:41:41Z GET /", &[Timestamps]),
            ("web.1.x8@node  | 2026-11-22T06:41:41Z GET /", &[Compose, Timestamps]),
            ("[pod/web-5/nginx] 2026-11-22T06:41:41.5Z GET /", &[Kubectl, Timestamps]),
        ];
        for (line, wrappers) in cases {
            assert_eq!(peeled(line.as_bytes()), (wrappers.to_vec(), "GET /".to_owned()), "{line}");
        }
    }

    #[test]
    fn lines_of_web_servers_look_like_no_wrapper() {
        for line in [
            r#"203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET /a | b HTTP/1.1" 502 157 "-" "curl/8.9""#,
            r#"shop.example.com:443 203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] "GET / HTTP/1.1" 503 563 "-" "-""#,
            r#"[22/Nov/2026:06:41:40 +0000] - 502, 502 502 - GET http shop.example.com "/drop?id=13" [Client 127.0.0.1]"#,
            r#"[2026-11-22T06:41:40.310Z] "POST /api HTTP/2" 503 UF 154 0 226 - "10.0.35.28" "-""#,
            r#"{"log":"access","status":502,"uri":"/a","time":"2026-11-22T06:41:40Z"}"#,
            r#"{"MESSAGE":"hello","status":502}"#,
            "1795329985.639 0 127.0.0.1 TCP_MISS/500 279 GET http://h/s/500/item? - FIRSTUP_PARENT/127.0.0.1 text/plain",
            "https 2019-01-01T00:00:00.000000Z app/lb/50dc 192.0.2.1:4417 - -1 -1 -1 502",
            "",
        ] {
            assert_eq!(peel(line.as_bytes()), None, "{line}");
        }
    }
}
