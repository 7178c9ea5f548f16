//! The first answers of a host, which tell whether it is the one that is meant.

use logretry_record::{Outcome, Retry};

/// Refusals without any other answer before them: one may be of a URL that is gone, so many are of nearly all.
const REFUSALS: u32 = 20;

/// The answers of a host, from its first one on.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Opening {
    answers: u32,
    refusals: u32,
}

/// What an answer shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shows {
    /// It is the first one.
    First,
    /// It is the last of so many, and each was a refusal.
    OnlyRefusals(u32),
}

impl Opening {
    /// A request has ended so.
    pub(crate) fn end(&mut self, retry: &Retry) -> Option<Shows> {
        if retry.status.is_none() || self.answers == REFUSALS {
            return None;
        }
        self.answers += 1;
        // That it is asked too often (429) a host says of what it would do later.
        let is_refusal = retry.outcome == Outcome::Refused && retry.status != Some(429);
        self.refusals += u32::from(is_refusal);
        match self.answers {
            1 => Some(Shows::First),
            REFUSALS if self.refusals == REFUSALS => Some(Shows::OnlyRefusals(REFUSALS)),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;
    use logretry_record::Reason;

    use super::*;

    fn shown(statuses: impl IntoIterator<Item = Option<u16>>) -> Vec<Shows> {
        let mut opening = Opening::default();
        let retry = |status: Option<u16>| Retry {
            outcome: status.map_or(Outcome::Unanswered, Outcome::of_status),
            status,
            reason: None,
            ..Retry::not_sent(Timestamp::UNIX_EPOCH, Reason::Stopped)
        };
        statuses.into_iter().filter_map(|status| opening.end(&retry(status))).collect()
    }

    #[test]
    fn a_host_that_refuses_all_from_the_first_answer_on_is_told_of_once() {
        let refused = || (0..100).map(|n| Some(if n % 2 == 0 { 404 } else { 403 }));
        assert_eq!(shown(refused()), [Shows::First, Shows::OnlyRefusals(20)]);
        assert_eq!(shown(refused().take(19)), [Shows::First]);
        // One that knows a single URL is the right one, and one without an answer says nothing.
        assert_eq!(shown(refused().take(19).chain([Some(200)]).chain(refused())), [Shows::First]);
        assert_eq!(shown([None].into_iter().chain(refused())), [Shows::First, Shows::OnlyRefusals(20)]);
        assert_eq!(shown((0..100).map(|_| Some(429))), [Shows::First]);
    }
}
