use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

/// Where sentences for the person who watches go: standard error in the programs, nowhere in a library.
///
/// Whatever of a log or a server stands in a note goes through [`Shown`](logretry_record::Shown) first.
#[derive(Clone)]
pub struct Notes(Arc<dyn Fn(Note<'_>) + Send + Sync>);

/// A sentence on its way.
#[derive(Clone, Copy)]
pub(crate) struct Note<'a> {
    /// What may be said of any number of logs in the same way, if it is such a thing.
    pub(crate) kind: Option<&'a str>,
    pub(crate) sentence: fmt::Arguments<'a>,
}

/// Logs of which the same is said. A folder may hold thousands.
const LOGS_NAMED_MAX: u64 = 20;

impl Notes {
    /// Notes that nobody reads.
    pub fn silent() -> Self {
        Self::to(|_| ())
    }

    /// Notes that are handed to `say`, one sentence a call, without a line end.
    pub fn to(say: impl Fn(fmt::Arguments<'_>) + Send + Sync + 'static) -> Self {
        let said: Mutex<BTreeMap<String, u64>> = Mutex::default();
        let count = move |kind: &str| {
            let mut said = said.lock().unwrap_or_else(PoisonError::into_inner);
            let logs = said.entry(kind.to_owned()).or_default();
            *logs += 1;
            *logs
        };
        Self::passing(move |Note { kind, sentence }| match kind.map(|kind| (kind, count(kind))) {
            Some((_, logs)) if logs > LOGS_NAMED_MAX + 1 => {}
            Some((kind, logs)) if logs > LOGS_NAMED_MAX => {
                say(format_args!("{kind}: further logs are not named"));
            }
            Some(_) | None => say(sentence),
        })
    }

    /// Notes that are passed on to others, which count them.
    pub(crate) fn passing(pass: impl Fn(Note<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(pass))
    }

    pub(crate) fn pass(&self, note: Note<'_>) {
        (self.0)(note);
    }

    /// Says one sentence.
    pub fn say(&self, sentence: fmt::Arguments<'_>) {
        self.pass(Note { kind: None, sentence });
    }

    /// Says of a log what is perhaps to be said of many: `kind` is that without the log's name and numbers. After the twentieth it is said that no further ones are named.
    pub fn say_of_log(&self, kind: &str, sentence: fmt::Arguments<'_>) {
        self.pass(Note { kind: Some(kind), sentence });
    }
}

impl Default for Notes {
    fn default() -> Self {
        Self::silent()
    }
}

impl fmt::Debug for Notes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Notes(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_of_many_logs_is_said_of_the_first_ones() {
        let said = Arc::<Mutex<Vec<String>>>::default();
        let heard = Arc::clone(&said);
        let notes = Notes::to(move |note| heard.lock().expect("no panic").push(note.to_string()));
        for log in 0..1000 {
            notes.say_of_log("format combined", format_args!("{log}: format combined"));
        }
        notes.say_of_log("format haproxy", format_args!("1000: format haproxy"));
        notes.say(format_args!("something else"));
        let mut expected: Vec<_> = (0..20).map(|log| format!("{log}: format combined")).collect();
        expected.push("format combined: further logs are not named".to_owned());
        expected.extend(["1000: format haproxy".to_owned(), "something else".to_owned()]);
        assert_eq!(*said.lock().expect("no panic"), expected);
    }
}
