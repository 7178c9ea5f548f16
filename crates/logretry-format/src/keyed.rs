//! Formats whose values have names: JSON objects, LTSV, logfmt, W3C extended logs.
//!
//! ```text
//!   json:status=.status,url=.request.url ──compile──▶ Keyed: keys with their purposes, best first
//!                                                       │
//!   {"request":{"url":"/a?b=c"},"status":"502"} ──read──▶ one span a key, no copy
//!                                                       │
//!                                  exchange: /a?b=c, 502 ┴ change: the same object, marked, "200"
//! ```
//!
//! A family of logs (Caddy's, Traefik's …) is such a map and nothing else; the generic one has the names that most producers
//! use. What is read is decided value by value: the first key that holds a status is the status.

mod asked;
mod change;
mod check;
mod columns;
mod forms;
mod found;
mod gateway;
mod hashes;
mod join;
mod json;
mod map;
mod moment;
mod origin;
mod pairs;
mod paths;
mod plain;
mod purpose;
mod quantity;
mod read;
mod undelivered;

use std::borrow::Cow;
use std::sync::Arc;

use crate::error::{LineError, SpecError};
use crate::spans::Spans;
use columns::Columns;
use found::Found;
use paths::Paths;
use plain::Coding;
use purpose::Purpose;

pub(crate) use change::change;
pub(crate) use map::{compile, compile_preset, is_keyed, without_columns};
pub(crate) use read::KeyedRead;

/// A compiled keyed format.
#[derive(Debug, Clone)]
pub(crate) struct Keyed {
    syntax: Syntax,
    keys: Vec<Key>,
    paths: Paths,
    /// For each key, whether its value makes the request.
    is_key: Vec<bool>,
    /// The slots of statuses, which each line is asked for.
    statuses: Vec<usize>,
    /// Queries hold parameters that the gateway added.
    has_gateway_parameters: bool,
    /// A line without status and URL is a message of the server, not a request gone wrong.
    has_messages: bool,
    /// Why there are no columns yet.
    no_columns: Option<Arc<str>>,
    pub(crate) lossy: Vec<Cow<'static, str>>,
    pub(crate) notes: Vec<String>,
}

/// A name and what its value is used for.
#[derive(Debug, Clone)]
struct Key {
    name: String,
    purpose: Purpose,
    /// Lines without it are of another family.
    is_sign: bool,
    /// If the value begins with something else, another line tells of the same request.
    only: Option<Box<str>>,
}

/// How names and values stand in a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Syntax {
    Json,
    Ltsv,
    Logfmt,
    Columns(Columns),
}

impl Key {
    fn new(name: &str, purpose: Purpose) -> Self {
        Self { name: name.to_owned(), purpose, is_sign: false, only: None }
    }
}

impl Keyed {
    fn new(syntax: Syntax, keys: Vec<Key>, paths: Paths) -> Self {
        let is_key = keys.iter().map(|key| key.purpose.is_key()).collect();
        let statuses = (0..keys.len()).filter(|&slot| keys[slot].purpose == Purpose::Status).collect();
        Self {
            syntax,
            keys,
            paths,
            is_key,
            statuses,
            has_gateway_parameters: false,
            has_messages: false,
            no_columns: None,
            lossy: Vec::new(),
            notes: Vec::new(),
        }
    }

    /// Finds the value of each key of `line` and leaves them in `spans`.
    pub(crate) fn read(&self, line: &[u8], spans: &mut Spans) -> Result<(), LineError> {
        let is_w3c = matches!(self.syntax, Syntax::Columns(_));
        if is_w3c && line.first() == Some(&b'#') {
            return Err(LineError::NoRequest);
        }
        if let Some(why) = &self.no_columns {
            return Err(LineError::NoColumns { why: Arc::clone(why) });
        }
        spans.reset(self.keys.len());
        let mut found = Found::new(line, &mut spans.kept, &self.is_key);
        let read = match self.syntax {
            Syntax::Json => json::read(line, &self.paths, &mut found),
            Syntax::Ltsv => pairs::read_ltsv(line, &self.paths, &mut found),
            Syntax::Logfmt => pairs::read_logfmt(line, &self.paths, self.prefix_slot(), &mut found),
            Syntax::Columns(columns) => columns.read(line, self.keys.len(), &mut found),
        };
        let clashes = found.clashes();
        read.map_err(|(at, wanted)| mismatch(at, wanted))?;
        if clashes {
            return Err(LineError::Ambiguous);
        }
        self.check(&KeyedRead { keyed: self, line, spans: &spans.kept })
    }

    /// Where the time goes that stands before the pairs.
    fn prefix_slot(&self) -> Option<usize> {
        self.keys.iter().position(|key| key.name == "(time)")
    }

    /// Whether a header says what is in the lines behind it.
    pub(crate) fn has_columns(&self) -> bool {
        matches!(self.syntax, Syntax::Columns(_))
    }

    /// The keys, with what each is used for.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.keys.iter().map(|key| (key.name.as_str(), key.purpose.about()))
    }

    pub(crate) fn has_host(&self) -> bool {
        self.has(|purpose| {
            matches!(purpose, Purpose::Host | Purpose::HostOrMachine | Purpose::ServerName | Purpose::Url)
        })
    }

    pub(crate) fn has_scheme(&self) -> bool {
        self.has(|purpose| matches!(purpose, Purpose::Scheme | Purpose::Tls | Purpose::Port | Purpose::Url))
    }

    pub(crate) fn has_method(&self) -> bool {
        self.has(|purpose| matches!(purpose, Purpose::Method | Purpose::Request))
    }

    pub(crate) fn has_time(&self) -> bool {
        self.has(|purpose| matches!(purpose, Purpose::Time | Purpose::Date))
    }

    pub(crate) fn has_user_agent_in(&self, line: &[u8]) -> bool {
        let mut spans = Spans::default();
        let is_read = self.read(line, &mut spans).is_ok();
        let read = KeyedRead { keyed: self, line, spans: &spans.kept };
        is_read && read.slots(|purpose| purpose == Purpose::UserAgent).any(|slot| read.is_there(slot))
    }

    fn has(&self, wanted: impl Fn(Purpose) -> bool) -> bool {
        self.keys.iter().any(|key| wanted(key.purpose))
    }

    fn is_json(&self) -> bool {
        self.syntax == Syntax::Json
    }

    /// How the value in `slot` is written.
    fn coding(&self, read: &KeyedRead<'_>, slot: usize) -> Coding {
        match self.syntax {
            Syntax::Json => Coding::Json,
            Syntax::Ltsv => Coding::Backslashes,
            Syntax::Logfmt if read.is_quoted(slot) => Coding::Backslashes,
            Syntax::Columns(columns) if columns.is_cloudfront => Coding::CloudFront,
            Syntax::Columns(_) if read.is_quoted(slot) => Coding::Doubled,
            Syntax::Columns(_) if self.keys[slot].purpose == Purpose::UserAgent => Coding::Plus,
            Syntax::Columns(_) | Syntax::Logfmt => Coding::Raw,
        }
    }
}

/// The format of the lines behind `line`, if that is a `#Fields:` line.
pub(crate) fn header(line: &[u8]) -> Option<Result<(Keyed, String), SpecError>> {
    Some(map::compile_columns(&columns::header(line)?, false))
}

fn mismatch(at: usize, wanted: &str) -> LineError {
    LineError::Mismatch { at, wanted: wanted.into() }
}
