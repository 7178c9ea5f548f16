use bstr::BString;
use logretry_record::{Exchange, Header, Origin, Outcome, RecordId, Scheme};
use proptest::prelude::*;

use super::*;

fn options() -> Options {
    let mut options = Options { allow_lossy: true, ..Options::default() };
    options.methods = "GET,HEAD,PUT,POST,DELETE".parse().expect("methods");
    options.keep_headers.add("x-b").expect("a name");
    options.destination.allow_hosts =
        ["a.example", "http://b.example:8080"].map(|host| host.parse().expect("a host")).into();
    options
}

fn bytes() -> impl Strategy<Value = BString> {
    prop_oneof![
        "[ -~]{0,60}".prop_map(BString::from),
        prop::collection::vec(any::<u8>(), 0..60).prop_map(BString::from)
    ]
}

fn there_and_back(job: &Job, start: Instant) -> Job {
    let mut parcel = b"what was there before".to_vec();
    assert!(pack(job, start, &mut parcel));
    *unpack(&parcel, start, &options()).expect("it can be read").expect("it may be sent")
}

proptest! {
    /// Also the very bytes that leave in the end, whether the record was made here or came over a pipe.
    #[test]
    fn a_record_that_was_on_disk_gives_the_same_request_and_leaves_the_same(
        (text, body, user_agent) in (bytes(), bytes(), bytes()),
        method in prop::sample::select(vec!["GET", "HEAD", "PUT", "POST", "DELETE"]),
        target in "/[!-;=?-\\\\[\\\\]_a-z~]{0,40}",
        host in prop::sample::select(vec!["a.example", "A.EXAMPLE:443", "b.example:8080"]),
        scheme in prop::sample::select(vec![None, Some(Scheme::Http), Some(Scheme::Https)]),
        duration_us in prop::option::of(any::<u32>()),
        piped in any::<bool>(),
        (due_ms, in_doubt, answered) in (prop::option::of(0..10_000_000_u64), prop::option::of(1..9_u32), any::<bool>()),
    ) {
        let headers = ["Content-Type", "X-B", "X-C"].map(|name| Header { name: name.into(), value: text.clone() });
        let original = Exchange {
            method: Some(method.into()),
            target: Some(target),
            host: Some(host.into()),
            headers: headers.into_iter().filter(|header| http::HeaderValue::from_bytes(&header.value).is_ok()).collect(),
            body: Some(body),
            user_agent: Some(user_agent),
            lossy: vec!["path".into()],
            scheme,
            duration_ms: duration_us.map(|us| f64::from(us) / 1e3),
            ..Exchange::default()
        };
        let origin = Origin::new("access.log", 7, 99, "combined", text);
        let mut record = Record::new(RecordId::of_line(b"x", 0), origin, original);
        if piped {
            let mut line = Vec::new();
            record.encode(&mut line);
            line.pop();
            line.pop();
            line.extend_from_slice(b", \"of_a_later_version\": 1}");
            record = Record::decode(&line).expect("a record");
        }
        let Ok(planned) = options().judge(&record) else { return Ok(()) };
        let start = Instant::now();
        let last = Retry { attempts: 3, outcome: Outcome::Failing, status: Some(503), ..Retry::not_sent(jiff::Timestamp::now(), Reason::Stopped) };
        let mut job = match (answered, in_doubt) {
            (true, _) => Job::answered(record, planned, last.clone()),
            (_, Some(attempt)) => Job::again(record, planned, attempt),
            _ => Job::new(record, planned),
        };
        job.due = due_ms.map(|due_ms| start + Duration::from_millis(due_ms));
        let back = there_and_back(&job, start);
        prop_assert_eq!(&back.planned, &job.planned);
        prop_assert_eq!(&back.record, &job.record);
        prop_assert_eq!((back.due, back.in_doubt, back.answers, back.sent), (job.due, job.in_doubt, job.answers, job.sent));
        prop_assert_eq!((&back.last, back.attempts(), back.told), (&job.last, job.attempts(), false));
        let mut lines = [Vec::new(), Vec::new()];
        for (job, line) in [*job, back].into_iter().zip(&mut lines) {
            job.record.with_retry(last.clone()).encode(line);
        }
        prop_assert_eq!(bstr::BStr::new(&lines[0]), bstr::BStr::new(&lines[1]));
    }
}

fn posted(body: usize) -> Box<Job> {
    let original = Exchange {
        method: Some("POST".into()),
        target: Some("/".into()),
        host: Some("a.example".into()),
        body: Some(vec![0xFF; body].into()),
        ..Exchange::default()
    };
    let record = Record::new(RecordId::of_line(b"x", 0), Origin::new("-", 1, 0, "har", "x"), original);
    let planned = options().judge(&record).expect("it may be sent");
    Job::new(record, planned)
}

#[test]
fn what_could_not_be_read_back_is_not_written() {
    let start = Instant::now();
    // In base64 four bytes are three.
    for (body, is_packed) in [(RECORD_BYTES_MAX / 4 * 3 - 1000, true), (RECORD_BYTES_MAX / 4 * 3, false)] {
        assert_eq!(pack(&posted(body), start, &mut Vec::new()), is_packed, "{body}");
    }
}

#[test]
fn what_is_no_parcel_is_an_error_and_what_may_not_be_sent_any_more_has_its_reason() {
    let start = Instant::now();
    let mut parcel = Vec::new();
    assert!(pack(&posted(9), start, &mut parcel));
    for broken in [&parcel[..3], &parcel[..parcel.len() - 9], b"\x02\0\0\0{", b"\x01\0\0\0{{}"] {
        assert!(unpack(broken, start, &options()).is_err(), "{broken:?}");
    }
    let stricter = Options { methods: crate::Methods::default(), ..options() };
    let Ok(Err((record, reason))) = unpack(&parcel, start, &stricter) else { panic!("it may be sent") };
    assert_eq!((record, reason), (posted(9).record, Reason::MethodNotAllowed));
}
