//! Asks the same URL again, and says how it ended. The only crate of logretry that sends HTTP.
//!
//! ```text
//!            judge                     pace              transport
//!   Record ────────▶ Planned ─────────────────▶ Request ───────────▶ Record + Retry
//!              │     GET https://shop.example/a   │  one on the wire      recovered 200
//!              ╰─ skipped: host_not_allowed …     ╰─ unsent: stopped      unanswered: reset
//! ```
//!
//! [`Options`] say what is allowed, [`Options::judge`] decides about a record and opens no socket ([`Planned`]), and
//! [`Refirer`] is the stage that sends.
//!
//! # What is promised
//!
//! - **The log never chooses the host.** A [`Destination`] is the operator's. Targets are taken apart, never joined to a URL by
//!   rules that could change its host; what was built is read back and compared.
//! - **One attempt is at most one request that a server may have processed**: no redirect is followed, nothing is sent a second time unless
//!   [`Options::attempts`] asks for it or the protocol proves that the server has not looked at it, no proxy comes from the environment, nothing is decoded.
//! - **The target arrives byte for byte.** What a proxy's client would normalise is skipped.
//! - **Link-local and metadata addresses are never connected to**, whatever name leads there, and private ones only where the operator has
//!   named the server; checked on the address dialled.
//! - **What changes something is not sent by accident**: methods that are not safe must be named, and a GET whose URL says that it acts is
//!   skipped.
//! - **A host is asked for as much as it bears** ([`Pace`]), left alone while it fails, and given up in the end. Hosts do not wait
//!   for each other. A pace makes requests wait and drops none.
//! - **Every record that comes in goes out**, with an outcome, or with the reason for which nothing was sent.
//!
//! # Example
//!
//! ```
//! use logretry_record::{Exchange, Origin, Outcome, Reason, Record, RecordId};
//! use logretry_refirer::Options;
//!
//! let record = |target: &str| {
//!     let original = Exchange { target: Some(target.to_owned()), status: Some(502), ..Exchange::default() };
//!     Record::new(RecordId::of_line(b"x", 0), Origin::new("access.log", 1, 0, "combined", "x"), original)
//! };
//! let mut options = Options::default();
//! options.destination.base_url = Some("https://shop.example".parse()?);
//!
//! let planned = options.judge(&record("//evil.example/x")).expect("a path is a path");
//! assert_eq!(planned.url(), "https://shop.example//evil.example/x");
//! assert_eq!(options.judge(&record("http://evil.example/x")), Err(Reason::HostNotAllowed));
//! # Ok::<(), logretry_refirer::RefirerError>(())
//! ```
//!
//! As a stage it stands between a filter and a writer:
//!
//! ```no_run
//! use logretry_refirer::{Options, Refirer, RefirerError};
//! use logretry_stage::{Context, RecordStream, Stage as _};
//!
//! fn again(records: impl RecordStream, options: Options, cx: &Context) -> Result<impl RecordStream, RefirerError> {
//!     Ok(Refirer::new(options)?.apply(records, cx))
//! }
//! ```

mod account;
mod acting;
mod address;
mod again;
mod bodies;
mod breaker;
#[cfg(feature = "cli")]
mod cli;
mod crew;
mod denied;
mod destination;
mod error;
mod fault;
mod headers;
mod idempotency;
mod journal;
mod judge;
mod lane;
mod methods;
mod opening;
mod options;
mod overflow;
mod pace;
mod parcel;
mod patience;
mod payload;
mod pem;
mod quantity;
mod random;
mod rate;
mod refire;
mod refirer;
mod resolver;
mod retry_after;
mod room;
mod settle;
mod site;
mod taken_up;
mod target;
mod tls;
mod transport;

pub use again::Backoff;
pub use bodies::Bodies;
#[cfg(feature = "cli")]
pub use cli::RefireArgs;
pub use denied::DeniedPath;
pub use destination::{AllowedHost, BaseUrl, Destination};
pub use error::RefirerError;
pub use headers::{add_header, add_header_lines};
pub use idempotency::IdempotencySecret;
pub use journal::{Before, Journal, NoJournal};
pub use judge::Planned;
pub use methods::Methods;
pub use options::{HttpVersion, Options, ProxyUrl, Resolve, Tls};
pub use pace::{Pace, Score, Tempo};
pub use payload::KeepHeaders;
pub use rate::Rate;
pub use refirer::Refirer;
pub use site::Site;
pub use taken_up::known_by;
pub use target::TARGET_BYTES_MAX;
