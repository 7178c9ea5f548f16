//! What servers do wrong: a catalogue, and for each entry what the refirer must say of it. Each fault goes over every way onto
//! the wire, beside requests to the same server that are well, and must end in time, with its own outcome and nobody else's.

use std::num::NonZeroUsize;
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use futures_util::StreamExt as _;
use logretry_record::{ErrorKind, Outcome, Record, Retry};
use logretry_refirer::{HttpVersion, Options, Pace};
use rustls::ServerConfig;

use self::script::{FaultServer, Step};
use crate::server::{options, record, refire_all};
use crate::tls::{certificate, server_config};

mod connecting;
mod descriptors;
mod frames;
mod http1;
mod http2;
mod retiring;
mod script;

/// Outcome, status and error.
type Expected = (Outcome, Option<u16>, Option<ErrorKind>);

/// A fault, and what is to be said of it.
#[derive(Debug, Clone)]
struct Fault {
    name: &'static str,
    steps: Vec<Step>,
    expected: Expected,
}

/// For what must come to its timeout: mostly long enough for all else to be done by then.
const SHORT: Duration = Duration::from_millis(700);
/// For everything else: nothing of it waits for a timeout.
const LONG: Duration = Duration::from_secs(20);
/// What may pass beyond a timeout on a busy machine.
const SLACK: Duration = Duration::from_secs(2);

fn timeout_for(expected: Expected) -> Duration {
    if expected.2 == Some(ErrorKind::Timeout) { SHORT } else { LONG }
}

fn ended(retry: &Retry) -> Expected {
    (retry.outcome, retry.status, retry.error)
}

/// So many at once, from the beginning, and none given up.
fn fixed(url: &str, concurrency: usize, timeout: Duration) -> Options {
    let mut options = options(url);
    options.pace = Pace::Fixed;
    options.trips = 0;
    options.concurrency = NonZeroUsize::new(concurrency).expect("not 0");
    options.timeout = timeout;
    options.body_bytes_max = 20_000;
    options.tls.insecure = true;
    options
}

/// What a proxy is asked for.
const BEHIND_THE_PROXY: &str = "http://shop.example";

/// The ways onto the wire for HTTP/1.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    /// Over TCP.
    Plain,
    /// Over TLS.
    Tls,
    /// Through a proxy; the server that is at fault is the proxy itself.
    Proxied,
}

impl Way {
    const ALL: [Self; 3] = [Self::Plain, Self::Tls, Self::Proxied];

    /// The options of [`fixed`] for `server`.
    fn options(self, server: &FaultServer, concurrency: usize, timeout: Duration) -> Options {
        if self != Self::Proxied {
            return fixed(&server.url(), concurrency, timeout);
        }
        let mut options = fixed(BEHIND_THE_PROXY, concurrency, timeout);
        options.proxy = Some(server.url().parse().expect("a proxy"));
        options
    }

    async fn server(self, steps: &[Step]) -> FaultServer {
        static TLS: OnceLock<Arc<ServerConfig>> = OnceLock::new();
        let config =
            || Arc::clone(TLS.get_or_init(|| server_config(&certificate("shop.example"), None).into()));
        FaultServer::start(steps.to_vec(), (self == Self::Tls).then(config)).await
    }
}

/// What is wrong, in words.
struct Complaint {
    text: String,
    /// Whether it may be nothing but a busy machine: the time was over for what should not have needed all of it.
    is_late: bool,
}

/// Gives an attempt more time, as long as only time was wanting.
async fn with_enough_time<A>(fault: &Fault, attempt: impl Fn(Duration) -> A) -> Option<String>
where
    A: Future<Output = Option<Complaint>>,
{
    let mut timeout = timeout_for(fault.expected);
    loop {
        let Complaint { text, is_late } = attempt(timeout).await?;
        if !is_late || timeout >= LONG {
            return Some(text);
        }
        timeout = LONG.min(timeout * 4);
    }
}

/// What is wrong with how these records ended when each had this `timeout`.
fn complaint(
    fault: &Fault,
    way: impl std::fmt::Debug,
    output: &[Record],
    timeout: Duration,
    took: Duration,
) -> Option<Complaint> {
    let ran_out = |retry: &Retry| matches!(retry.error, Some(ErrorKind::Timeout | ErrorKind::Connect));
    let retry = |record: &Record| record.retry().expect("a decision").clone();
    let target = |record: &Record| record.original().target.clone().unwrap_or_default();
    let (faulty, well): (Vec<_>, Vec<_>) =
        output.iter().partition(|record| target(record).starts_with("/fault"));
    let faulty = retry(faulty[0]);
    // A reset may overtake what was said before it.
    let overtaken = matches!(fault.steps[..], [.., Step::Reset]) && faulty.status.is_none();
    let expected = if overtaken { (fault.expected.0, None, fault.expected.2) } else { fault.expected };
    if ended(&faulty) != expected {
        let text = format!("{} ({way:?}): {:?}\n  {faulty:?}", fault.name, ended(&faulty));
        return Some(Complaint { text, is_late: ran_out(&faulty) });
    }
    // A good answer's body is the path it was asked for: an answer of somebody else has another length.
    let disturbed = well.iter().find(|record| {
        let retry = retry(record);
        ended(&retry) != (Outcome::Recovered, Some(200), None)
            || retry.bytes != Some(target(record).len() as u64)
    });
    if let Some(disturbed) = disturbed {
        let text = format!("{} ({way:?}) disturbs {:?}", fault.name, disturbed.retry());
        return Some(Complaint { text, is_late: ran_out(&retry(disturbed)) });
    }
    let text = || format!("{} ({way:?}) took {took:?}", fault.name);
    (took > timeout + SLACK).then(|| Complaint { text: text(), is_late: true })
}

/// Sends the fault with `others` in their order, so many at once, and says what is wrong with what came of it.
async fn attempt(fault: &Fault, way: Way, others: &[&str], concurrency: usize) -> Option<String> {
    with_enough_time(fault, |timeout| attempt_within(timeout, fault, way, others, concurrency)).await
}

async fn attempt_within(
    timeout: Duration,
    fault: &Fault,
    way: Way,
    others: &[&str],
    concurrency: usize,
) -> Option<Complaint> {
    let server = way.server(&fault.steps).await;
    let options = way.options(&server, concurrency, timeout);
    let targets = ["/fault"].into_iter().chain(others.iter().copied());
    let records: Vec<_> = targets.map(|target| record("GET", target)).collect();
    let mut expected: Vec<_> = records.iter().map(|record| format!("{} HTTP/1.1", record.text())).collect();
    expected.sort();
    let start = Instant::now();
    let output = refire_all(options, records).await;
    let complaint = complaint(fault, way, &output, timeout, start.elapsed());
    let heard = server.heard();
    let text = || format!("{} ({way:?}): heard {heard:?}", fault.name);
    complaint.or_else(|| (heard != expected).then(|| Complaint { text: text(), is_late: false }))
}

/// How many faults happen at once: few enough for what is not a timeout to come in time.
const AT_ONCE: usize = 12;

/// Asserts that none of these attempts ends in a complaint.
async fn none_complains(attempts: impl Iterator<Item = impl Future<Output = Option<String>>>) {
    let complaints: Vec<_> = futures_util::stream::iter(attempts).buffer_unordered(AT_ONCE).collect().await;
    let complaints: Vec<_> = complaints.into_iter().flatten().collect();
    assert!(complaints.is_empty(), "{}:\n{}", complaints.len(), complaints.join("\n"));
}

/// The catalogue over these ways, with `others` in their order, so many at once.
async fn with(ways: &[Way], others: &[&str], concurrency: usize) {
    let faults = http1::catalogue();
    let attempts =
        faults.iter().flat_map(|fault| ways.iter().map(move |&way| attempt(fault, way, others, concurrency)));
    none_complains(attempts).await;
}

#[tokio::test]
async fn each_fault_has_its_outcome_and_disturbs_nobody_beside_it() {
    with(&Way::ALL, &["/beside/1", "/beside/number/2"], 3).await;
}

/// As fast as the server can write them; slowly, they are in the catalogue. What goes through a proxy has its timeout only.
#[tokio::test]
async fn a_flood_of_interim_answers_has_a_limit() {
    let flood = |kind| Fault {
        name: "a flood of interim answers",
        steps: vec![Step::Forever(b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n")],
        expected: (Outcome::Unanswered, None, Some(kind)),
    };
    let (limited, timed_out) = (flood(ErrorKind::Protocol), flood(ErrorKind::Timeout));
    let cases = [(&limited, Way::Plain), (&limited, Way::Tls), (&timed_out, Way::Proxied)];
    none_complains(cases.into_iter().map(|(fault, way)| attempt(fault, way, &["/beside/1"], 2))).await;
}

#[tokio::test]
async fn no_answer_is_taken_for_that_to_a_later_request() {
    with(&Way::ALL, &["/after/1", "/after/number/2"], 1).await;
}

#[tokio::test]
async fn each_http2_fault_has_its_outcome_and_disturbs_no_other_host() {
    let faults = http2::catalogue();
    let attempts =
        faults.iter().flat_map(|fault| [false, true].into_iter().map(move |tls| http2::attempt(fault, tls)));
    none_complains(attempts).await;
}

#[test]
fn the_catalogue_is_complete_and_says_each_thing_once() {
    let names: Vec<_> =
        http1::catalogue().iter().chain(&http2::catalogue()).map(|fault| fault.name).collect();
    let mut once = names.clone();
    once.sort_unstable();
    once.dedup();
    assert_eq!(once.len(), names.len());
    assert!(names.len() >= 80, "{}", names.len());
}

fn over_http2(mut options: Options) -> Options {
    options.http = HttpVersion::Http2;
    options
}
