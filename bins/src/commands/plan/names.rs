use std::collections::BTreeMap;
use std::fmt::Write as _;

use logretry_record::Shown;

/// Counted names that are kept apart at most; a log can be made of nothing but different ones.
const NAMES_MAX: usize = 10_000;
/// Counted names that are shown at most.
const SHOWN_MAX: usize = 12;

/// How often each of some names came.
#[derive(Debug, Default)]
pub(super) struct Names {
    counts: BTreeMap<String, u64>,
    others: u64,
}

impl Names {
    /// Counts one more of this name.
    pub(super) fn count(&mut self, name: String) {
        if self.counts.len() >= NAMES_MAX && !self.counts.contains_key(&name) {
            self.others += 1;
        } else {
            *self.counts.entry(name).or_insert(0) += 1;
        }
    }

    /// How many different ones there are, as far as they are kept apart.
    pub(super) fn different(&self) -> usize {
        self.counts.len()
    }

    /// The most frequent ones, and how many are not shown.
    pub(super) fn write(&self, title: &str, out: &mut String) {
        let mut counts: Vec<_> = self.counts.iter().collect();
        counts.sort_by_key(|&(name, n)| (std::cmp::Reverse(*n), name));
        for (index, (name, n)) in counts.iter().take(SHOWN_MAX).enumerate() {
            let title = if index == 0 { title } else { "" };
            let _ = writeln!(out, "{title:<12}{n:>8}  {}", Shown(name.as_bytes()));
        }
        let rest: u64 = counts.iter().skip(SHOWN_MAX).map(|(_, n)| **n).sum::<u64>() + self.others;
        if rest > 0 {
            let _ = writeln!(out, "{:<12}{rest:>8}  (others)", "");
        }
    }
}
