use std::collections::HashSet;
use std::str::FromStr;

use logretry_record::Record;
use logretry_stage::Dropped;

use crate::request::{RequestKey, is_safe, request_of};

/// How many of the wanted records are kept.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Quota {
    /// Keep only the first of equal requests: same method, host and target, and the same body, where a capture has one. Applies to GET, HEAD and OPTIONS; two equal orders are
    /// two orders.
    pub dedupe: bool,
    /// Keep only this share of them, chosen by their ids: the same log gives the same choice.
    pub sample: Option<Share>,
    /// Keep at most so many. The rest is read and counted all the same, so that one knows what is left.
    pub limit: Option<u64>,
}

/// A share between nothing and all, written `0.05` or `5%`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Share(f64);

impl FromStr for Share {
    type Err = ShareError;

    fn from_str(text: &str) -> Result<Self, ShareError> {
        let (number, divisor) = text.strip_suffix('%').map_or((text, 1.0), |number| (number, 100.0));
        let share = number.trim().parse::<f64>().map_err(|_| ShareError)? / divisor;
        if share > 0.0 && share <= 1.0 { Ok(Self(share)) } else { Err(ShareError) }
    }
}

/// The text is not a share.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a share is a number over 0 and up to 1, as in `0.05`, or a percentage, as in `5%`")]
pub struct ShareError;

/// Applies a quota to one record after the other.
#[derive(Debug)]
pub(crate) struct Turnstile {
    quota: Quota,
    seen: HashSet<RequestKey>,
    passed: u64,
}

impl Turnstile {
    pub(crate) fn new(quota: Quota) -> Self {
        Self { quota, seen: HashSet::new(), passed: 0 }
    }

    pub(crate) fn pass(&mut self, record: &Record) -> Result<(), Dropped> {
        if self.quota.dedupe
            && is_safe(record)
            && let Some(request) = request_of(record)
            && !self.seen.insert(request)
        {
            return Err(Dropped::Duplicate);
        }
        if self.quota.sample.is_some_and(|share| !is_sampled(record, share)) {
            return Err(Dropped::Sample);
        }
        if self.quota.limit.is_some_and(|limit| self.passed >= limit) {
            return Err(Dropped::Limit);
        }
        self.passed += 1;
        Ok(())
    }
}

fn is_sampled(record: &Record, share: Share) -> bool {
    let mut head = [0; 4];
    head.copy_from_slice(&record.id().as_bytes()[..4]);
    f64::from(u32::from_be_bytes(head)) / f64::from(u32::MAX) < share.0 || share.0 >= 1.0
}

#[cfg(test)]
mod tests {
    use logretry_record::{Exchange, Origin, RecordId};

    use super::*;

    fn record(number: u64, method: &str, target: &str) -> Record {
        let original =
            Exchange { method: Some(method.into()), target: Some(target.into()), ..Exchange::default() };
        Record::new(RecordId::of_line(b"", number), Origin::new("-", number, 0, "x", ""), original)
    }

    #[test]
    fn equal_safe_requests_pass_once_and_equal_orders_each() {
        let mut turnstile = Turnstile::new(Quota { dedupe: true, ..Quota::default() });
        assert_eq!(turnstile.pass(&record(1, "GET", "/a")), Ok(()));
        assert_eq!(turnstile.pass(&record(2, "GET", "/a")), Err(Dropped::Duplicate));
        assert_eq!(turnstile.pass(&record(3, "HEAD", "/a")), Ok(()));
        assert_eq!(turnstile.pass(&record(4, "GET", "/a?")), Ok(()));
        assert_eq!(turnstile.pass(&record(5, "POST", "/a")), Ok(()));
        assert_eq!(turnstile.pass(&record(6, "POST", "/a")), Ok(()));
    }

    #[test]
    fn a_query_in_a_body_is_a_part_of_the_request() {
        let asking = |number, body: &str| {
            let plain = record(number, "GET", "/_search");
            let original = Exchange { body: Some(body.into()), ..plain.original().clone() };
            Record::new(plain.id(), plain.origin().clone(), original)
        };
        let mut turnstile = Turnstile::new(Quota { dedupe: true, ..Quota::default() });
        assert_eq!(turnstile.pass(&asking(1, "a")), Ok(()));
        assert_eq!(turnstile.pass(&asking(2, "b")), Ok(()));
        assert_eq!(turnstile.pass(&asking(3, "a")), Err(Dropped::Duplicate));
        assert_eq!(turnstile.pass(&asking(4, "")), Ok(()));
        assert_eq!(turnstile.pass(&record(5, "GET", "/_search")), Err(Dropped::Duplicate));
    }

    #[test]
    fn a_limit_lets_so_many_pass() {
        let mut turnstile = Turnstile::new(Quota { limit: Some(2), ..Quota::default() });
        let passed: Vec<_> =
            (0..4).map(|number| turnstile.pass(&record(number, "GET", "/")).is_ok()).collect();
        assert_eq!(passed, [true, true, false, false]);
    }

    #[test]
    fn a_sample_is_the_same_share_each_time() {
        let sample = || {
            let share = Some("10%".parse().expect("a share"));
            let mut turnstile = Turnstile::new(Quota { sample: share, ..Quota::default() });
            (0..10_000)
                .filter(|&number| turnstile.pass(&record(number, "GET", "/")).is_ok())
                .collect::<Vec<_>>()
        };
        assert_eq!(sample(), sample());
        assert!((900..1100).contains(&sample().len()), "{}", sample().len());
    }

    #[test]
    fn a_share_is_a_fraction_or_a_percentage() {
        assert_eq!("5%".parse(), Ok(Share(0.05)));
        assert_eq!("0.5".parse(), Ok(Share(0.5)));
        for text in ["0", "-1", "101%", "1.5", "half", "NaN", ""] {
            assert_eq!(text.parse::<Share>(), Err(ShareError), "{text}");
        }
    }
}
