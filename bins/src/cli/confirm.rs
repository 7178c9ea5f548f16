//! The question before requests go out that change something.
//!
//! RFC 9110 §9.2.1 wants whoever starts an unsafe action to know of it. Naming a method in `--methods` allows it; that it really goes out
//! now, so many times, is confirmed: with `--yes`, or by a word typed on the terminal. The terminal is `/dev/tty` and not standard input, which
//! in a pipe holds records. Where nobody looks (standard error is no terminal) nobody is asked, and nothing is sent.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, BufRead as _, BufReader, IsTerminal as _, Write as _};
use std::num::NonZeroU64;

use logretry_record::Shown;
use logretry_stage::{Context, Fatal, Result};

/// What must be typed.
const WORD: &str = "send";

/// Requests that change something and are about to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Changes {
    /// How many there are of each method, and how many requests may be sent in all.
    Counted(BTreeMap<String, u64>, Option<NonZeroU64>),
    /// Those methods that are allowed to change something; what comes is not known before it is sent.
    Possible(Vec<String>),
}

impl Changes {
    /// In words, or nothing if there is nothing to confirm.
    fn words(&self) -> Option<String> {
        let (parts, most): (Vec<String>, _) = match self {
            Self::Counted(counts, most) => {
                let all = counts.values().sum();
                let parts = counts.iter().map(|(method, n)| format!("{n} {}", Shown(method.as_bytes())));
                (parts.collect(), most.filter(|most| most.get() < all))
            }
            Self::Possible(methods) => (methods.clone(), None),
        };
        let most = most.map_or_else(String::new, |most| format!("{most} at most of "));
        (!parts.is_empty()).then(|| most + &parts.join(", "))
    }
}

/// Returns when these may go out: nothing to confirm, or confirmed. A stop that comes while the question is open is no error; the drain that
/// it began says that nothing is to begin.
pub(crate) async fn confirm(changes: &Changes, cx: &Context) -> Result<()> {
    let Some(words) = changes.words() else { return Ok(()) };
    let unasked = || {
        Fatal::usage(format!(
            "send requests that change something ({words}) without being told so: look at them with `logretry plan`, then give --yes"
        ))
    };
    if !io::stderr().is_terminal() {
        return Err(unasked());
    }
    let terminal = File::options().read(true).write(true).open("/dev/tty").map_err(|_| unasked())?;
    let question = format!(
        "About to send requests that change something: {words}.\nType `{WORD}` to send them, anything else to stop: "
    );
    let answer = tokio::task::spawn_blocking(move || ask(terminal, &question));
    tokio::select! {
        answer = answer => match answer {
            Ok(Ok(answer)) if answer.trim() == WORD => Ok(()),
            _ => Err(Fatal::usage(format!("go on: `{WORD}` was not typed, and nothing was sent"))),
        },
        () = cx.stops().drain.cancelled() => Ok(()),
    }
}

fn ask(mut terminal: File, question: &str) -> io::Result<String> {
    terminal.write_all(question.as_bytes())?;
    let mut answer = String::new();
    BufReader::new(terminal).read_line(&mut answer)?;
    Ok(answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_confirmed_is_said_in_words() {
        let counts = BTreeMap::from([("DELETE".to_owned(), 3), ("POST".to_owned(), 12)]);
        for (most, words) in
            [(0, "3 DELETE, 12 POST"), (15, "3 DELETE, 12 POST"), (14, "14 at most of 3 DELETE, 12 POST")]
        {
            let changes = Changes::Counted(counts.clone(), NonZeroU64::new(most));
            assert_eq!(changes.words().as_deref(), Some(words));
        }
        assert_eq!(Changes::Counted(BTreeMap::new(), NonZeroU64::new(1)).words(), None);
        let possible = Changes::Possible(vec!["DELETE".to_owned(), "POST".to_owned()]);
        assert_eq!(possible.words().as_deref(), Some("DELETE, POST"));
    }
}
