use std::io::{self, IsTerminal as _};
use std::time::Duration;

use indicatif::{HumanBytes, ProgressBar, ProgressDrawTarget, ProgressStyle};
use logretry_record::Outcome;
use logretry_stage::{Accounts, Context};
use tokio::task::JoinHandle;

use super::{Setup, Summary};

/// How often the line is drawn anew.
const TICK: Duration = Duration::from_millis(100);

/// One line on the terminal that says how far the run is; none where standard error is no terminal.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    pub(crate) fn new(setup: &Setup) -> Self {
        let wanted = matches!(setup.summary, Summary::Numbers { .. }) && !setup.common.quiet;
        // What goes to the terminal itself would be written over.
        let wanted = wanted && !(setup.prints && io::stdout().is_terminal());
        // In a pipe of four programs on one terminal, only the one that waits for servers speaks.
        let bar = if wanted && io::stderr().is_terminal() && !setup.ends_with_its_input {
            ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr())
        } else {
            ProgressBar::hidden()
        };
        if let Ok(style) = ProgressStyle::with_template("{spinner} {msg}") {
            bar.set_style(style);
        }
        Self { bar }
    }

    /// A handle to it, for whoever writes above it.
    pub(crate) fn bar(&self) -> ProgressBar {
        self.bar.clone()
    }

    /// Draws the numbers of `cx` until what is returned is dropped.
    pub(crate) fn tick(&self, cx: &Context) -> Ticking {
        let (bar, cx) = (self.bar.clone(), cx.clone());
        Ticking(tokio::spawn(async move {
            while !bar.is_hidden() {
                bar.set_message(line(&cx.tally().accounts()));
                bar.tick();
                tokio::time::sleep(TICK).await;
            }
        }))
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// The task that draws; it ends when this is dropped.
pub(crate) struct Ticking(JoinHandle<()>);

impl Drop for Ticking {
    fn drop(&mut self) {
        self.0.abort();
    }
}

fn line(accounts: &Accounts) -> String {
    let mut parts = Vec::new();
    let read = accounts.bytes.min(accounts.bytes_total);
    parts.push(match (read * 100).checked_div(accounts.bytes_total) {
        Some(percent) => format!("read {percent} % of {}", HumanBytes(accounts.bytes_total)),
        None => format!("{} lines", accounts.lines),
    });
    if accounts.selected > 0 {
        parts.push(format!("{} selected", accounts.selected));
    }
    if accounts.taken > 0 {
        parts.push(format!("{} sent", accounts.sent()));
        for outcome in [Outcome::Recovered, Outcome::Refused, Outcome::Failing, Outcome::Unanswered] {
            if accounts.outcome(outcome) > 0 {
                parts.push(format!("{} {}", accounts.outcome(outcome), outcome.as_str()));
            }
        }
        parts.push(format!("{} in flight", accounts.in_flight));
    }
    parts.join(" · ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_says_how_far_the_run_is() {
        let accounts = Accounts {
            bytes: 512,
            bytes_total: 1024,
            selected: 7,
            taken: 6,
            outcomes: [(Outcome::Recovered, 3), (Outcome::Failing, 1)].into(),
            in_flight: 2,
            ..Accounts::default()
        };
        let expected = "read 50 % of 1.00 KiB · 7 selected · 4 sent · 3 recovered · 1 failing · 2 in flight";
        assert_eq!(line(&accounts), expected);
    }
}
