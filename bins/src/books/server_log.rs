use std::collections::HashMap;
use std::ffi::OsString;
use std::time::Duration;

use bstr::BString;
use futures_util::StreamExt as _;
use jiff::{SignedDuration, Timestamp};
use logretry_ledger::{InDoubt, Verdict};
use logretry_reader::{Reader, ReaderOptions, inputs};
use logretry_record::{Exchange, Origin, RecordId, Shown, refire_in};
use logretry_stage::{Context, Notes, Result, Source as _};

/// What nginx logs when its client has gone before the answer was there.
const CLIENT_CLOSED: u16 = 499;

/// What the server itself has logged about requests of ours, which it knows by their user agent, `logretry/VERSION id=ID`.
///
/// A web server writes a line when it is done with a request, so a line with a status of 2xx to 5xx says how the request ended. 499 says that
/// it arrived, and not what became of it. No line says that it never arrived, if the log is whole: a server that was killed itself, one
/// that logs elsewhere or only a part, or one that holds lines back, would say the same. So that is believed only if the operator vouches for it, and if the
/// log reaches back before the request, goes on after it (a copy from before the run does not) and names user agents; and not of a request whose answer would still be waited for, for the server may be at it.
#[derive(Debug, Default)]
pub(crate) struct ServerLog {
    /// By the request's record.
    seen: HashMap<RecordId, About>,
    /// The files in which lines about our requests stand.
    sources: Vec<BString>,
    first: Option<Timestamp>,
    last: Option<Timestamp>,
    /// Which requests it would tell of: those that began before. None, if nobody vouches for it.
    whole_until: Option<Timestamp>,
}

/// What is told of one of our requests.
#[derive(Debug)]
struct About {
    method: String,
    lines: Vec<Seen>,
}

/// A line about one of our requests.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Seen {
    pub(crate) time: Option<Timestamp>,
    pub(crate) bytes: Option<u64>,
    status: u16,
    /// Which file it stands in.
    source: usize,
    /// Whether it may be the request itself. One of another method, but the same user agent, is what a server has asked another one for its sake (nginx `auth_request`, gateways): how that
    /// ended says nothing of it.
    is_itself: bool,
}

impl ServerLog {
    /// Reads `logs` for what they say about the requests in `doubts`. `whole_after`: the operator vouches that they hold every request so long after it began, which counts
    /// as long as each of their lines can be read, and each format of theirs names user agents in a field of their own.
    pub(crate) async fn read(
        logs: &[OsString],
        reading: ReaderOptions,
        doubts: &[InDoubt],
        whole_after: Option<Duration>,
        notes: &Notes,
    ) -> Result<Self> {
        // Before a line is read: what is logged meanwhile may be missed.
        let now = Timestamp::now();
        let whole_until = whole_after.map(|time| now.checked_sub(time).unwrap_or(Timestamp::MIN));
        let mut log = Self { whole_until, ..Self::default() };
        for doubt in doubts {
            log.expect(doubt);
        }
        if doubts.is_empty() {
            return Ok(log);
        }
        // Numbers of its own: these lines are not to be sent.
        let cx = Context::default();
        let mut records = std::pin::pin!(Reader::new(inputs(logs)?, reading).open(&cx));
        // The formats, and whether any line of each has named a user agent.
        let mut formats: HashMap<String, bool> = HashMap::new();
        while let Some(record) = records.next().await {
            let record = record?;
            let (format, names_one) = (&record.origin().format, record.original().user_agent.is_some());
            if let Some(names_any) = formats.get_mut(format) {
                *names_any |= names_one;
            } else {
                formats.insert(format.clone(), names_one);
            }
            log.take(record.origin(), record.original());
        }
        let rejected = cx.tally().accounts().rejected;
        if rejected > 0 {
            log.whole_until = None;
            notes.say(format_args!(
                "{rejected} lines of the server's own log cannot be read, and may tell of requests in doubt: none of these is taken for never arrived; \
                 where --format is given, give that log's format too, by one more --format"
            ));
        }
        let nameless = formats.iter().find(|(_, names_any)| !**names_any);
        if let Some((format, _)) = nameless.filter(|_| log.whole_until.is_some()) {
            log.whole_until = None;
            notes.say(format_args!(
                "the server's own log, in format {}, names no user agents in a field of their own, by which refires are known: no request in doubt is taken for never arrived",
                Shown(format.as_bytes())
            ));
        }
        let ended = log.silent_before(doubts);
        if ended > 0 {
            notes.say(format_args!(
                "the server's own log has no line from after {ended} requests in doubt of which it does not tell, and may be a copy from before them: none of these is taken for never \
                 arrived; give the log as it is now, or decide with `logretry held`"
            ));
        }
        let open = doubts.iter().filter(|doubt| log.may_be_under_way(doubt)).count();
        if open > 0 {
            let after = whole_after.unwrap_or_default();
            notes.say(format_args!(
                "{open} requests in doubt, of which the server's own log does not tell, began less than {after:?} ago (--timeout), and the server may still be at them: none of these is \
                 taken for never arrived; run the same command again later"
            ));
        }
        Ok(log)
    }

    /// How many of `doubts` it would not tell of although it is vouched for, because it ends before them.
    fn silent_before(&self, doubts: &[InDoubt]) -> usize {
        let is_silent = |doubt: &&InDoubt| {
            doubt.verdict.is_none() && self.seen.get(&doubt.id).is_none_or(|about| about.lines.is_empty())
        };
        let doubts = doubts.iter().filter(is_silent);
        doubts.filter(|doubt| self.whole_until.is_some() && !self.goes_on_after(doubt)).count()
    }

    fn expect(&mut self, doubt: &InDoubt) {
        let about = About { method: doubt.method.clone(), lines: Vec::new() };
        self.seen.insert(doubt.id, about);
    }

    /// Whether nothing is known of a request but that the log does not tell of it, and would if it had ended, so that it may not have ended yet.
    fn may_be_under_way(&self, doubt: &InDoubt) -> bool {
        doubt.verdict.is_none()
            && self.reaches_back_before(doubt)
            && self.whole_until.is_some_and(|until| doubt.time > until)
            && self.seen.get(&doubt.id).is_none_or(|about| about.lines.is_empty())
    }

    fn reaches_back_before(&self, doubt: &InDoubt) -> bool {
        self.first.is_some_and(|first| first <= doubt.time)
    }

    fn goes_on_after(&self, doubt: &InDoubt) -> bool {
        self.last.is_some_and(|last| last > doubt.time)
    }

    fn take(&mut self, origin: &Origin, logged: &Exchange) {
        if let Some(time) = logged.time {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = self.last.max(Some(time));
        }
        let (line, captured) = (&origin.text, logged.user_agent.is_none());
        let Some(id) = refire_in(logged.user_agent.as_ref().unwrap_or(line)) else { return };
        let (Some(About { method, lines }), Some(status)) = (self.seen.get_mut(&id), logged.status) else {
            return;
        };
        let status = if captured && says_that_the_client_has_gone(line) { CLIENT_CLOSED } else { status };
        let known = self.sources.iter().position(|source| *source == origin.source);
        let source = known.unwrap_or_else(|| {
            self.sources.push(origin.source.clone());
            self.sources.len() - 1
        });
        let is_itself = logged.method.as_ref().is_none_or(|logged| logged.eq_ignore_ascii_case(method));
        lines.push(Seen { time: logged.time, bytes: logged.bytes, status, source, is_itself });
    }

    /// What the log says about a request in doubt; none if it does not know.
    pub(crate) fn verdict(&self, doubt: &InDoubt) -> Option<(Verdict, Option<Seen>)> {
        let About { lines, .. } = self.seen.get(&doubt.id)?;
        if lines.is_empty() {
            let is_whole = self.whole_until.is_some_and(|until| doubt.time <= until);
            let is_within = self.reaches_back_before(doubt) && self.goes_on_after(doubt);
            return (is_whole && is_within).then_some((Verdict::Send, None));
        }
        let own: Vec<&Seen> = lines.iter().filter(|seen| seen.is_itself).collect();
        // Requests of the record before this one have lines too, one in each server's log.
        let earlier = usize::try_from(doubt.attempt.saturating_sub(1)).unwrap_or(usize::MAX);
        let most =
            (0..self.sources.len()).map(|file| own.iter().filter(|seen| seen.source == file).count()).max();
        let may_be_earlier = most.is_none_or(|most| most <= earlier);
        // A log's times are whole seconds, of the end or of the beginning.
        let begun = doubt.time.checked_sub(SignedDuration::from_secs(1)).unwrap_or(doubt.time);
        let about = |begun| own.iter().rev().filter(move |seen| seen.time.is_none_or(|time| time >= begun));
        // Where several logs are given, the proxy in front may only know that its client has gone, or that it had waited long enough (504), and the server behind it how the request ended.
        let ends = about(if earlier > 0 { doubt.time } else { begun }).filter(|seen| seen.says_the_end());
        let end = ends.min_by_key(|seen| seen.status / 100);
        let seen = **end.or_else(|| about(begun).next())?;
        match seen.status {
            CLIENT_CLOSED => Some((Verdict::Arrived, Some(seen))),
            _ if may_be_earlier && earlier > 0 => None,
            status if seen.says_the_end() => Some((Verdict::Ended(status), Some(seen))),
            _ => None,
        }
    }
}

impl Seen {
    /// Whether its status is one that the request was answered with.
    fn says_the_end(&self) -> bool {
        matches!(self.status, 200..=599) && self.status != CLIENT_CLOSED
    }
}

/// Whether HAProxy, which has user agents among captured headers, wrote that the client has gone before the answer was there: the status is of its own making then (HAProxy configuration
/// manual §8.5, `CC`, `CQ`, `CR` and `CH`; with `CD` the answer's status had come).
fn says_that_the_client_has_gone(line: &[u8]) -> bool {
    line.split(|byte| b" \"".contains(byte)).any(|word| {
        let is_state = |byte: &u8| byte.is_ascii_alphabetic() || *byte == b'-';
        matches!(word, [b'C', b'C' | b'Q' | b'R' | b'H'] | [b'C', b'C' | b'Q' | b'R' | b'H', _, _])
            && word.iter().all(is_state)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGUN: &str = "2026-11-22T09:40:03.7Z";

    fn doubt(attempt: u32) -> InDoubt {
        InDoubt {
            id: RecordId::of_line(b"x", 0),
            attempt,
            time: BEGUN.parse().expect("a time"),
            method: "POST".to_owned(),
            url: "http://shop.example/orders".to_owned(),
            verdict: None,
        }
    }

    /// A log whose lines about the request have these times (seconds of a minute) and statuses.
    fn log(lines: &[(u32, u16)], is_whole: bool) -> ServerLog {
        let whole_until = is_whole.then_some(Timestamp::MAX);
        let mut log = ServerLog { whole_until, ..ServerLog::default() };
        log.expect(&doubt(1));
        for &(second, status) in lines {
            log.take(&origin("server.log", ""), &logged("POST", second, status));
        }
        log
    }

    fn logged(method: &str, second: u32, status: u16) -> Exchange {
        Exchange {
            time: format!("2026-11-22T09:40:{second:02}Z").parse().ok(),
            method: Some(method.to_owned()),
            status: Some(status),
            user_agent: Some(format!("logretry/0.1.0 id={}", doubt(1).id).into()),
            ..Exchange::default()
        }
    }

    fn origin(source: &str, line: &str) -> Origin {
        Origin::new(source, 1, 0, "combined", line)
    }

    fn said(log: &ServerLog, attempt: u32) -> Option<Verdict> {
        log.verdict(&doubt(attempt)).map(|(verdict, _)| verdict)
    }

    #[test]
    fn a_line_says_how_the_request_ended_or_that_it_arrived() {
        assert_eq!(said(&log(&[(4, 201)], false), 1), Some(Verdict::Ended(201)));
        // A log's times are whole seconds, of the end or of the beginning.
        assert_eq!(said(&log(&[(3, 502)], false), 1), Some(Verdict::Ended(502)));
        assert_eq!(said(&log(&[(4, 499)], false), 1), Some(Verdict::Arrived));
        assert_eq!(said(&log(&[(4, 0)], false), 1), None);
    }

    #[test]
    fn of_several_logs_the_one_that_knows_the_end_counts_whatever_their_order() {
        for in_front in [499, 502, 504] {
            for lines in [[(4, in_front), (6, 201)], [(6, 201), (4, in_front)]] {
                assert_eq!(said(&log(&lines, false), 1), Some(Verdict::Ended(201)), "{lines:?}");
            }
        }
        for lines in [[(4, 504), (6, 404)], [(6, 404), (4, 504)]] {
            assert_eq!(said(&log(&lines, false), 1), Some(Verdict::Ended(404)), "{lines:?}");
        }
        let earlier = [(3, 503), (4, 499)];
        assert_eq!(said(&log(&earlier, false), 2), Some(Verdict::Arrived), "503 may be the first one's end");
    }

    #[test]
    fn what_haproxy_has_captured_is_read_too() {
        let verdict = |state: &str, status: u16| {
            let mut log = log(&[], false);
            let line =
                format!("… {status} 187 - - {state} 1/1/0/0/0 0/0 {{h|logretry/0.1.0 id={}}} …", doubt(1).id);
            let time = "2026-11-22T09:40:04Z".parse().ok();
            log.take(
                &origin("server.log", &line),
                &Exchange { time, status: Some(status), ..Exchange::default() },
            );
            said(&log, 1)
        };
        assert_eq!(verdict("----", 204), Some(Verdict::Ended(204)));
        assert_eq!(verdict("CDVN", 200), Some(Verdict::Ended(200)));
        assert_eq!(verdict("CH--", 400), Some(Verdict::Arrived));
        assert_eq!(verdict("sH--", 504), Some(Verdict::Ended(504)));
    }

    #[test]
    fn no_line_says_that_it_never_arrived_only_in_a_whole_log_from_before_it_until_after_it() {
        let (before, same, after) = ("2026-11-22T09:00:00Z", "2026-11-22T09:40:03Z", "2026-11-22T09:40:04Z");
        for (is_whole, times, expected) in [
            (true, &[before, after][..], Some(Verdict::Send)),
            (false, &[before, after], None),
            (true, &[], None),
            (true, &[after], None),
            // A copy from before it.
            (true, &[before], None),
            (true, &[before, same], None),
        ] {
            let mut log = log(&[], is_whole);
            for time in times {
                let logged = Exchange { time: time.parse().ok(), status: Some(200), ..Exchange::default() };
                log.take(&origin("server.log", ""), &logged);
            }
            assert_eq!(said(&log, 1), expected, "{is_whole} {times:?}");
        }
    }

    #[test]
    fn what_the_server_may_still_be_at_is_not_taken_for_never_arrived() {
        let begun: Timestamp = BEGUN.parse().expect("a time");
        for (until, expected) in [(begun, Some(Verdict::Send)), (begun - SignedDuration::from_secs(1), None)]
        {
            let mut log = log(&[], true);
            log.whole_until = Some(until);
            log.first = Some(begun - SignedDuration::from_secs(60));
            log.last = Some(begun + SignedDuration::from_secs(60));
            assert_eq!((said(&log, 1), log.may_be_under_way(&doubt(1))), (expected, expected.is_none()));
        }
        let mut log = log(&[], true);
        log.whole_until = Some(begun - SignedDuration::from_secs(1));
        assert!(!log.may_be_under_way(&doubt(1)), "it does not reach back, and never will");
        log.first = Some(begun);
        assert!(log.may_be_under_way(&doubt(1)));
        assert!(!log.may_be_under_way(&InDoubt { verdict: Some(Verdict::Arrived), ..doubt(1) }));
        log.take(&origin("server.log", ""), &logged("POST", 4, 499));
        assert!(!log.may_be_under_way(&doubt(1)));
    }

    #[test]
    fn a_line_of_an_earlier_request_of_the_record_is_not_taken_for_this_ones() {
        assert_eq!(said(&log(&[(1, 503)], true), 2), None, "it was logged before this one began");
        assert_eq!(said(&log(&[(3, 503)], true), 2), None, "in the same second, and there is only one");
        assert_eq!(said(&log(&[(3, 503), (4, 200)], true), 2), Some(Verdict::Ended(200)));
    }

    #[test]
    fn what_a_server_asked_another_one_for_its_sake_is_not_the_request() {
        let mut log = log(&[], true);
        log.take(&origin("server.log", ""), &logged("GET", 4, 200));
        log.first = Some(Timestamp::MIN);
        assert_eq!(said(&log, 1), None, "it has arrived somewhere, and how it ended is not known");
        log.take(&origin("server.log", ""), &logged("post", 6, 504));
        assert_eq!(said(&log, 1), Some(Verdict::Ended(504)));
    }

    #[test]
    fn of_each_server_an_earlier_request_has_a_line() {
        let mut log = log(&[(3, 503)], false);
        log.take(&origin("app.log", ""), &logged("POST", 3, 503));
        assert_eq!(said(&log, 2), None, "both may be of the first request");
        log.take(&origin("app.log", ""), &logged("POST", 4, 201));
        log.take(&origin("server.log", ""), &logged("POST", 5, 504));
        assert_eq!(said(&log, 2), Some(Verdict::Ended(201)), "the better of two ends");
    }
}
