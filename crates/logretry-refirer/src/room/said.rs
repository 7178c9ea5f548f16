//! Why requests fail, for the person who waits for them.

use std::fmt;

use logretry_record::{ErrorKind, Retry, Scheme, Shown};
use logretry_stage::Notes;

use crate::pace::crawl::Crawling;
use crate::{Planned, Site, methods};

/// Notes at most: where hundreds of hosts are gone, the first show what is wrong.
const NOTES_MAX: usize = 20;

/// What has been said of which hosts.
#[derive(Debug, Default)]
pub(super) struct Said(Vec<(usize, What)>);

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Unanswered(ErrorKind),
    Redirected,
    Crawling,
    Spent,
}

impl Said {
    /// Says why the host at `place` gave no whole answer, once for each kind of error.
    pub(super) fn unanswered(&mut self, place: usize, site: &Site, retry: &Retry, notes: &Notes) {
        let Some(error) =
            retry.error.filter(|error| !matches!(error, ErrorKind::BodyLimit | ErrorKind::Aborted))
        else {
            return;
        };
        if self.is_new(place, What::Unanswered(error)) {
            let detail = Shown(retry.detail.as_deref().unwrap_or_default().as_bytes());
            notes.say(format_args!("{site}: a request had no whole answer ({}): {detail}", error.as_str()));
        }
    }

    /// Says once that the host at `place` wants what changes something to be sent elsewhere (RFC 9110 §15.4.2, §15.4.8 and §15.4.9). 302 and 303 are what a
    /// form is answered with that has been dealt with.
    pub(super) fn redirected(&mut self, place: usize, site: &Site, retry: &Retry, notes: &Notes) {
        let method = retry.method.as_deref().unwrap_or("GET");
        if let (Some(status @ (301 | 307 | 308)), None) = (retry.status, retry.error)
            && !methods::is_safe(method)
            && self.is_new(place, What::Redirected)
        {
            let method = Shown(method.as_bytes());
            notes.say(format_args!(
                "{site}: {method} was answered with {status}, a redirect, and none is followed: it counts as recovered, and most likely nothing was done; \
                 send it to where that leads"
            ));
        }
    }

    /// Says of the first answer that a host gave what a 400 may mean besides that it was this request: nginx says so to all who show no certificate that it takes where it wants one, and
    /// to all who speak plain HTTP to a port for TLS. Both count as refused, for good. And what a redirect may mean of a request that changes nothing: servers send all who speak plain HTTP, use another name,
    /// or have not logged in, elsewhere, and that counts as recovered.
    pub(super) fn first_answer(site: &Site, retry: &Retry, shows_certificate: bool, notes: &Notes) {
        let is_safe = methods::is_safe(retry.method.as_deref().unwrap_or("GET"));
        let (counts_as, advice) = match (retry.status, site.scheme()) {
            (Some(400), Scheme::Http) => ("refused for good", "it speaks TLS, write `https://` in its URL"),
            (Some(400), Scheme::Https) if shows_certificate => {
                ("refused for good", "it does not take our certificate, give another `--cert FILE`")
            }
            (Some(400), Scheme::Https) => {
                ("refused for good", "it wants to see a certificate of ours, give `--cert FILE`")
            }
            (Some(301 | 302 | 303 | 307 | 308), scheme) if is_safe => {
                ("recovered, though no redirect is followed", elsewhere(scheme))
            }
            _ => return,
        };
        let status = retry.status.unwrap_or_default();
        notes.say(format_args!(
            "{site}: its first answer was {status}, which counts as {counts_as}; if it says so to each request because {advice}, with a new ledger where one is kept"
        ));
    }

    /// Says that a host has refused all so far, this request as the last one: perhaps it is not the server that is meant.
    pub(super) fn only_refusals(planned: &Planned, last: &Retry, answers: u32, notes: &Notes) {
        let path = planned.target().split('?').next().unwrap_or_default();
        notes.say(format_args!(
            "{site}: its first {answers} answers were all refusals, the last one {} for {}, and they count as refused for good; if it is another server that is meant, \
             or this one wants a login (--header), stop here, and give it so, with a new ledger where one is kept",
            End(last),
            Shown(path.as_bytes()),
            site = planned.site(),
        ));
    }

    /// Says once that the host at `place` is asked with pauses because a part of its answers failed, the last one, of this request, perhaps like this.
    pub(super) fn crawling(
        &mut self,
        place: usize,
        planned: &Planned,
        last: Option<&Retry>,
        Crawling { a_second, failures, answers }: Crawling,
        notes: &Notes,
    ) {
        if !self.is_new(place, What::Crawling) {
            return;
        }
        let path = planned.target().split('?').next().unwrap_or_default();
        let last_one =
            last.map(|last| format!(", the last with {} for {}", End(last), Shown(path.as_bytes())));
        let share = f64::from(failures) / f64::from(answers) * 100.0;
        let metered = if last.is_some_and(|last| last.status == Some(503)) {
            "; if it says 503 to clients that come too often, give --rate"
        } else {
            ""
        };
        notes.say(format_args!(
            "{site}: it is asked only {a_second:.1} times a second: {failures} of its last {answers} answers ({share:.0} %) failed{}, and each is taken as too much \
             for the whole host; if only a part of it is down, keep those URLs back for a later run (--deny-path), or give --pace fixed --concurrency N{metered}",
            last_one.unwrap_or_default(),
            site = planned.site(),
        ));
    }

    /// Says once that more requests to the host at `place` have failed than are sent again.
    pub(super) fn spent(&mut self, place: usize, site: &Site, notes: &Notes) {
        if self.is_new(place, What::Spent) {
            notes.say(format_args!(
                "{site}: so much fails that not all of it is sent again, though it has --attempts left: at most ten requests are, and one for every five; \
                 --dead-letter keeps the rest for later"
            ));
        }
    }

    fn is_new(&mut self, place: usize, what: What) -> bool {
        let is_new = self.0.len() < NOTES_MAX && !self.0.contains(&(place, what));
        if is_new {
            self.0.push((place, what));
        }
        is_new
    }
}

/// Why all that is asked for may be said to be elsewhere, and what to do then.
fn elsewhere(scheme: Scheme) -> &'static str {
    match scheme {
        Scheme::Http => {
            "it wants to be asked over TLS, or by another name, write that in its URL, or because it wants a login, give `--header @FILE`"
        }
        Scheme::Https => {
            "it wants to be asked by another name, write that in its URL, or because it wants a login, give `--header @FILE`"
        }
    }
}

/// What a refire ended with: a status, or what kept it from having one.
pub(super) struct End<'r>(pub(super) &'r Retry);

impl fmt::Display for End<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.error, self.0.status) {
            (None | Some(ErrorKind::BodyLimit), Some(status)) => write!(f, "{status}"),
            (error, _) => f.write_str(error.unwrap_or(ErrorKind::Other).as_str()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use jiff::Timestamp;
    use logretry_record::Outcome;

    use super::*;

    fn retry(status: Option<u16>, error: Option<ErrorKind>) -> Retry {
        Retry {
            time: Timestamp::UNIX_EPOCH,
            method: None,
            url: None,
            attempts: 1,
            outcome: Outcome::Unanswered,
            in_doubt_retry: false,
            sent_before: false,
            status,
            duration_ms: None,
            bytes: None,
            error,
            reason: None,
            detail: error.map(|_| "what the system said\n".to_owned()),
        }
    }

    #[test]
    fn why_a_host_does_not_answer_is_said_once_and_not_without_end() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = {
            let heard = Arc::clone(&heard);
            Notes::to(move |note| heard.lock().expect("no panic").push(note.to_string()))
        };
        let site: Site = "https://shop.example".parse().expect("a site");
        let mut said = Said::default();
        for error in
            [ErrorKind::Tls, ErrorKind::Tls, ErrorKind::Aborted, ErrorKind::BodyLimit, ErrorKind::Reset]
        {
            said.unanswered(0, &site, &retry(None, Some(error)), &notes);
        }
        said.unanswered(0, &site, &retry(Some(503), None), &notes);
        let first = std::mem::take(&mut *heard.lock().expect("no panic"));
        assert_eq!(
            first,
            [
                r"https://shop.example: a request had no whole answer (tls): what the system said\u{a}",
                r"https://shop.example: a request had no whole answer (reset): what the system said\u{a}",
            ]
        );
        (1..100).for_each(|place| said.unanswered(place, &site, &retry(None, Some(ErrorKind::Dns)), &notes));
        assert_eq!(heard.lock().expect("no panic").len(), NOTES_MAX - 2);
    }

    #[test]
    fn what_changes_something_and_is_redirected_is_told_of_once() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = {
            let heard = Arc::clone(&heard);
            Notes::to(move |note| heard.lock().expect("no panic").push(note.to_string()))
        };
        let site: Site = "http://shop.example".parse().expect("a site");
        let mut said = Said::default();
        for (method, status) in [("GET", 301), ("POST", 303), ("POST", 200), ("PUT", 308), ("POST", 307)] {
            let answered = Retry { method: Some(method.to_owned()), ..retry(Some(status), None) };
            said.redirected(0, &site, &answered, &notes);
        }
        let expected = "http://shop.example: PUT was answered with 308, a redirect, and none is followed: it counts as recovered, and most likely \
                        nothing was done; send it to where that leads";
        assert_eq!(*heard.lock().expect("no panic"), [expected]);
    }

    #[test]
    fn what_a_first_answer_of_400_may_mean_is_told() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = {
            let heard = Arc::clone(&heard);
            Notes::to(move |note| heard.lock().expect("no panic").push(note.to_string()))
        };
        for (site, status, shows_certificate) in [
            ("https://shop.example", Some(400), false),
            ("https://shop.example", Some(400), true),
            ("https://shop.example", Some(404), false),
            ("https://shop.example", None, false),
            ("http://shop.example", Some(400), false),
        ] {
            let site = site.parse().expect("a site");
            Said::first_answer(&site, &retry(status, None), shows_certificate, &notes);
        }
        let first = "its first answer was 400, which counts as refused for good; if it says so to each request because it";
        assert_eq!(
            *heard.lock().expect("no panic"),
            [
                format!(
                    "https://shop.example: {first} wants to see a certificate of ours, give `--cert FILE`, with a new ledger where one is kept"
                ),
                format!(
                    "https://shop.example: {first} does not take our certificate, give another `--cert FILE`, with a new ledger where one is kept"
                ),
                format!(
                    "http://shop.example: {first} speaks TLS, write `https://` in its URL, with a new ledger where one is kept"
                ),
            ]
        );
    }

    /// All of a log was answered so, counted as recovered, and nothing was said.
    #[test]
    fn what_a_first_answer_that_redirects_may_mean_is_told() {
        let heard = Arc::new(Mutex::new(Vec::new()));
        let notes = {
            let heard = Arc::clone(&heard);
            Notes::to(move |note| heard.lock().expect("no panic").push(note.to_string()))
        };
        for (site, method, status) in [
            ("http://shop.example", "GET", 301),
            ("https://shop.example", "HEAD", 302),
            ("https://shop.example", "POST", 303),
            ("https://shop.example", "GET", 304),
        ] {
            let site = site.parse().expect("a site");
            let answered = Retry { method: Some(method.to_owned()), ..retry(Some(status), None) };
            Said::first_answer(&site, &answered, false, &notes);
        }
        let counts = "which counts as recovered, though no redirect is followed; if it says so to each request because it wants to be asked";
        let login = "or because it wants a login, give `--header @FILE`, with a new ledger where one is kept";
        assert_eq!(
            *heard.lock().expect("no panic"),
            [
                format!(
                    "http://shop.example: its first answer was 301, {counts} over TLS, or by another name, write that in its URL, {login}"
                ),
                format!(
                    "https://shop.example: its first answer was 302, {counts} by another name, write that in its URL, {login}"
                ),
            ]
        );
    }

    #[test]
    fn a_refire_ends_with_a_status_or_an_error() {
        for (status, error, end) in [
            (Some(503), None, "503"),
            (Some(200), Some(ErrorKind::Timeout), "timeout"),
            (Some(200), Some(ErrorKind::BodyLimit), "200"),
            (None, Some(ErrorKind::Connect), "connect"),
        ] {
            assert_eq!(End(&retry(status, error)).to_string(), end);
        }
    }
}
