//! Logs that tell of the same requests in two formats.
//!
//! A server can write one log for people and one for machines, side by side, and a directory holds both. A line is known again by its bytes, and so is its request: told in another way
//! it is another one, and would be sent twice. Logs that are rotated together begin together, so their first lines show it.

use std::collections::BTreeSet;

use bstr::BString;
use logretry_format::{Format, Spans};
use logretry_record::Shown;
use logretry_stage::Notes;

use crate::search::Searched;

/// The requests that the first lines of a log tell of.
#[derive(Debug)]
pub(crate) struct Beginning {
    name: BString,
    format: String,
    requests: BTreeSet<Request>,
}

/// Logs that are compared, each with each; of more, the first. The requests of their first lines are kept meanwhile, some tens of kilobytes of each as a rule.
pub(crate) const LOGS_MAX: usize = 512;

/// When, what, and how it ended: as much as any two formats have in common. A second is as exact as most times are.
type Request = (i64, String, String, u16);

impl Beginning {
    /// What `searched` has found of the log `name`, which is in `format`.
    pub(crate) fn of(searched: &Searched, name: BString, format: &Format) -> Self {
        let mut spans = Spans::new();
        let requests = searched.survey.lines.iter().filter_map(|line| {
            let original = format.parse(line.at(searched.found.depth), &mut spans).ok()?.exchange();
            Some((original.time?.as_second(), original.method?, original.target?, original.status?))
        });
        let requests = requests.collect();
        Self { name, format: format.name().to_owned(), requests }
    }

    /// Whether both tell of the same requests, each in its own way. Two servers that are asked whether they are well, at the same time, do so of one target.
    fn is_twin_of(&self, other: &Self) -> bool {
        if self.format == other.format {
            return false;
        }
        let least = self.requests.len().min(other.requests.len());
        let common: Vec<_> = self.requests.intersection(&other.requests).collect();
        let targets: BTreeSet<_> = common.iter().map(|(_, _, target, _)| target).collect();
        common.len() * 2 >= least && targets.len() > 1
    }
}

/// Says it of the first two logs that tell of the same requests, if there are any.
pub(crate) fn tell(beginnings: &[Beginning], notes: &Notes) {
    let twins = beginnings.iter().enumerate().find_map(|(index, log)| {
        let twin = beginnings[..index].iter().find(|other| log.is_twin_of(other))?;
        Some((twin, log))
    });
    let Some((one, other)) = twins else { return };
    notes.say(format_args!(
        "{} and {} tell of the same requests, in two formats ({} and {}): each of them would be sent once for each log; name one of the two only",
        Shown(&one.name),
        Shown(&other.name),
        Shown(one.format.as_bytes()),
        Shown(other.format.as_bytes()),
    ));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn beginning(format: &str, requests: &[(i64, &str)]) -> Beginning {
        let requests =
            requests.iter().map(|(second, target)| (*second, "GET".to_owned(), (*target).into(), 502));
        Beginning { name: format.into(), format: format.to_owned(), requests: requests.collect() }
    }

    #[test]
    fn twins_are_known_by_their_requests() {
        let log = beginning("combined", &[(1, "/a"), (1, "/b"), (2, "/a"), (3, "/c")]);
        for (other, is_twin) in [
            (beginning("json", &[(1, "/a"), (1, "/b"), (2, "/a"), (3, "/c")]), true),
            // One of them was rotated later, or leaves something out.
            (beginning("json", &[(2, "/a"), (3, "/c"), (4, "/d"), (5, "/e")]), true),
            (beginning("json", &[(1, "/a"), (3, "/c")]), true),
            (beginning("json", &[(3, "/c"), (4, "/d"), (5, "/e"), (6, "/f")]), false),
            // Of another server, and both are asked how they are.
            (beginning("json", &[(1, "/a"), (2, "/a")]), false),
            (beginning("combined", &[(1, "/a"), (1, "/b"), (2, "/a"), (3, "/c")]), false),
            (beginning("json", &[]), false),
        ] {
            assert_eq!(log.is_twin_of(&other), is_twin, "{other:?}");
            assert_eq!(other.is_twin_of(&log), is_twin, "{other:?}");
        }
    }
}
