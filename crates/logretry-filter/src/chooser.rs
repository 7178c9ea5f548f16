use std::borrow::Cow;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use logretry_record::{Exchange, Predicate, Record, TimeRangeError};
use logretry_stage::{Dropped, Fatal};
use regex::{Regex, RegexBuilder};

use crate::expression::Expression;
use crate::hosts::HostPattern;
use crate::quota::{Quota, Turnstile};

/// Decides which records are kept. See the [crate's front page](crate) for the order.
#[derive(Debug)]
pub struct Chooser {
    predicate: Predicate,
    hosts: Vec<HostPattern>,
    paths: Option<GlobSet>,
    path_regex: Option<Regex>,
    expression: Option<Expression>,
    /// Why the expression failed for the record that it failed for last.
    failure: Option<String>,
    turnstile: Turnstile,
}

/// A selection that cannot be understood.
#[derive(Debug, thiserror::Error)]
pub enum FilterError {
    /// A path pattern that is no glob.
    #[error("use the path pattern `{pattern}`: {}", error.kind())]
    Glob {
        /// The pattern.
        pattern: String,
        /// What is wrong with it.
        #[source]
        error: globset::Error,
    },
    /// A regular expression that does not compile, or is too large.
    #[error("use the regular expression `{pattern}`: {error}")]
    Regex {
        /// The expression.
        pattern: String,
        /// What is wrong with it.
        #[source]
        error: regex::Error,
    },
    /// A condition that is none of jq's language.
    #[error("use the expression `{expression}`: {problem}")]
    Expression {
        /// The expression.
        expression: String,
        /// What is wrong with it.
        problem: String,
    },
    /// A time range in which nothing lies.
    #[error(transparent)]
    Times(#[from] TimeRangeError),
}

impl From<FilterError> for Fatal {
    fn from(error: FilterError) -> Self {
        Self::usage(error)
    }
}

/// What a compiled regular expression may use; patterns of people are far below it.
const REGEX_BYTES_MAX: usize = 1 << 20;

impl Chooser {
    /// Compiles what is wanted.
    pub fn new(predicate: &Predicate, quota: Quota) -> Result<Self, FilterError> {
        predicate.time.checked()?;
        let path_regex = predicate.path_regex.as_ref().map(|pattern| {
            RegexBuilder::new(pattern)
                .size_limit(REGEX_BYTES_MAX)
                .build()
                .map_err(|error| FilterError::Regex { pattern: pattern.clone(), error })
        });
        let expression = predicate.expression.as_ref().map(|expression| {
            Expression::new(expression)
                .map_err(|problem| FilterError::Expression { expression: expression.clone(), problem })
        });
        Ok(Self {
            hosts: predicate.hosts.iter().map(|host| HostPattern::new(host)).collect(),
            paths: (!predicate.paths.is_empty()).then(|| globs(&predicate.paths)).transpose()?,
            path_regex: path_regex.transpose()?,
            expression: expression.transpose()?,
            failure: None,
            turnstile: Turnstile::new(quota),
            predicate: predicate.clone(),
        })
    }

    /// Keeps `record`, or says why it is dropped.
    pub fn decide(&mut self, record: &Record) -> Result<(), Dropped> {
        self.judge(record)?;
        self.admit(record)
    }

    /// Whether `record` is one of the wanted ones.
    pub(crate) fn judge(&mut self, record: &Record) -> Result<(), Dropped> {
        let original = record.original();
        let keep = |holds: bool, why| if holds { Ok(()) } else { Err(why) };
        keep(self.predicate.include_marked || !record.is_of_refire(&self.predicate.mark), Dropped::Marked)?;
        keep(self.predicate.has_status(original.status), Dropped::Status)?;
        keep(self.has_method(original), Dropped::Method)?;
        keep(self.has_host(original), Dropped::Host)?;
        keep(self.has_path(original), Dropped::Path)?;
        keep(self.predicate.time.contains(original.time), Dropped::Time)?;
        match self.expression.as_mut().map(|expression| expression.holds(record)) {
            Some(Err(failure)) => {
                self.failure = Some(failure);
                Err(Dropped::ExpressionFailed)
            }
            Some(Ok(false)) => Err(Dropped::Expression),
            Some(Ok(true)) | None => Ok(()),
        }
    }

    /// Why the expression failed for the last record that was dropped for that; asked once.
    pub(crate) fn take_failure(&mut self) -> Option<String> {
        self.failure.take()
    }

    /// Whether one more of the wanted ones may pass.
    pub(crate) fn admit(&mut self, record: &Record) -> Result<(), Dropped> {
        self.turnstile.pass(record)
    }

    fn has_method(&self, original: &Exchange) -> bool {
        let methods = &self.predicate.methods;
        methods.is_empty()
            || original
                .method
                .as_ref()
                .is_some_and(|method| methods.iter().any(|one| one.eq_ignore_ascii_case(method)))
    }

    fn has_host(&self, original: &Exchange) -> bool {
        self.hosts.is_empty()
            || original
                .host
                .as_ref()
                .is_some_and(|host| self.hosts.iter().any(|pattern| pattern.matches(host)))
    }

    fn has_path(&self, original: &Exchange) -> bool {
        if self.paths.is_none() && self.path_regex.is_none() {
            return true;
        }
        let Some(target) = &original.target else { return false };
        let origin_form = origin_form(target);
        let path = origin_form.split(['?', '#']).next().unwrap_or_default();
        self.paths.as_ref().is_none_or(|globs| globs.is_match(path))
            && self.path_regex.as_ref().is_none_or(|regex| regex.is_match(&origin_form))
    }
}

/// `target` from its path on: `/a?b` of `http://host/a?b`, and, as it would be sent, `/?b` of `http://host?b`.
fn origin_form(target: &str) -> Cow<'_, str> {
    let Some((_, rest)) = target.split_once("://").filter(|_| !target.starts_with('/')) else {
        return target.into();
    };
    match rest.find(['/', '?', '#']) {
        Some(end) if rest[end..].starts_with('/') => rest[end..].into(),
        Some(end) => ["/", &rest[end..]].concat().into(),
        None => "/".into(),
    }
}

fn globs(patterns: &[String]) -> Result<GlobSet, FilterError> {
    let mut set = GlobSetBuilder::new();
    for pattern in patterns {
        let glob = GlobBuilder::new(pattern).literal_separator(false).backslash_escape(true).build();
        set.add(glob.map_err(|error| FilterError::Glob { pattern: pattern.clone(), error })?);
    }
    set.build().map_err(|error| FilterError::Glob { pattern: patterns.join("`, `"), error })
}

#[cfg(test)]
mod tests {
    use logretry_record::{Origin, RecordId, TimeRange};

    use super::*;

    fn original() -> Exchange {
        Exchange {
            time: "2026-11-22T06:00:00Z".parse().ok(),
            method: Some("GET".into()),
            target: Some("/shop/cart?id=1".into()),
            host: Some("www.shop.example:8443".into()),
            status: Some(502),
            ..Exchange::default()
        }
    }

    fn decide(predicate: &Predicate, original: Exchange) -> Result<(), Dropped> {
        let record = Record::new(RecordId::of_line(b"", 0), Origin::new("-", 1, 0, "x", ""), original);
        Chooser::new(predicate, Quota::default()).expect("a good predicate").decide(&record)
    }

    #[test]
    fn each_clause_keeps_what_it_names() {
        let strings = |all: &[&str]| all.iter().map(|one| (*one).to_owned()).collect::<Vec<_>>();
        let any = Predicate::default();
        for (predicate, expected) in [
            (any.clone(), Ok(())),
            (Predicate { status: "500-503".parse().ok(), ..any.clone() }, Ok(())),
            (Predicate { status: "504".parse().ok(), ..any.clone() }, Err(Dropped::Status)),
            (Predicate { methods: strings(&["post", "get"]), ..any.clone() }, Ok(())),
            (Predicate { methods: strings(&["POST"]), ..any.clone() }, Err(Dropped::Method)),
            (Predicate { hosts: strings(&["*.SHOP.example"]), ..any.clone() }, Ok(())),
            (Predicate { hosts: strings(&["shop.example"]), ..any.clone() }, Err(Dropped::Host)),
            (Predicate { paths: strings(&["/blog/*", "/shop/*"]), ..any.clone() }, Ok(())),
            (Predicate { paths: strings(&["/shop"]), ..any.clone() }, Err(Dropped::Path)),
            (Predicate { paths: strings(&["*id=1"]), ..any.clone() }, Err(Dropped::Path)),
            (Predicate { path_regex: Some(r"id=\d$".into()), ..any.clone() }, Ok(())),
            (Predicate { path_regex: Some("^/blog".into()), ..any.clone() }, Err(Dropped::Path)),
            (Predicate { expression: Some(".original.status == 502".into()), ..any.clone() }, Ok(())),
            (
                Predicate { expression: Some(".original.bytes".into()), ..any.clone() },
                Err(Dropped::Expression),
            ),
            (
                Predicate { expression: Some(".original + 1".into()), ..any.clone() },
                Err(Dropped::ExpressionFailed),
            ),
        ] {
            assert_eq!(decide(&predicate, original()), expected, "{predicate:?}");
        }
    }

    #[test]
    fn a_time_range_holds_its_beginning_and_not_its_end() {
        let range = |since: &str, until: &str| Predicate {
            time: TimeRange { since: since.parse().ok(), until: until.parse().ok() },
            ..Predicate::default()
        };
        assert_eq!(decide(&range("2026-11-22T06:00:00Z", ""), original()), Ok(()));
        assert_eq!(decide(&range("", "2026-11-22T06:00:00Z"), original()), Err(Dropped::Time));
        assert_eq!(decide(&range("2026-11-22T05:00:00Z", "2026-11-22T07:00:00Z"), original()), Ok(()));
        let timeless = Exchange { time: None, ..original() };
        assert_eq!(decide(&range("2026-11-22T05:00:00Z", ""), timeless), Err(Dropped::Time));
    }

    #[test]
    fn what_logretry_sent_is_dropped_unless_it_is_asked_for() {
        let marked = Exchange { target: Some("/a?retry=True".into()), ..original() };
        let ours = Exchange { user_agent: Some("logretry/0.1.0 id=7".into()), ..original() };
        let all = Predicate { include_marked: true, ..Predicate::default() };
        for exchange in [marked, ours] {
            assert_eq!(decide(&Predicate::default(), exchange.clone()), Err(Dropped::Marked));
            assert_eq!(decide(&all, exchange), Ok(()));
        }
        let id = RecordId::of_line(b"", 0);
        let line = format!("… {{shop.example|logretry/0.1.0 id={id}}} …");
        let record = Record::new(id, Origin::new("-", 1, 0, "haproxy", line), original());
        let mut chooser = Chooser::new(&Predicate::default(), Quota::default()).expect("a good predicate");
        assert_eq!(chooser.decide(&record), Err(Dropped::Marked), "its line tells of a refire");
        let other = Predicate { mark: "again=1".parse().expect("a mark"), ..Predicate::default() };
        let again = Exchange { target: Some("/a?again=1".into()), ..original() };
        assert_eq!(decide(&other, again), Err(Dropped::Marked));
    }

    #[test]
    fn the_path_of_an_absolute_target_is_its_path() {
        for (target, path) in [
            ("/a?b", "/a?b"),
            ("http://host/a?b", "/a?b"),
            ("http://host", "/"),
            ("http://host?to=/x", "/?to=/x"),
            ("/redirect?to=http://host/x", "/redirect?to=http://host/x"),
            ("*", "*"),
        ] {
            assert_eq!(origin_form(target), path);
        }
    }

    #[test]
    fn a_pattern_that_is_none_is_named() {
        let glob = Predicate { paths: vec!["/a[".into()], ..Predicate::default() };
        let regex = Predicate { path_regex: Some("(".into()), ..Predicate::default() };
        let expression = Predicate { expression: Some("(".into()), ..Predicate::default() };
        let message =
            |predicate| Chooser::new(&predicate, Quota::default()).expect_err("no pattern").to_string();
        assert!(message(glob).starts_with("use the path pattern `/a[`: "));
        assert!(message(regex).starts_with("use the regular expression `(`: "));
        assert!(message(expression).starts_with("use the expression `(`: "));
    }
}
