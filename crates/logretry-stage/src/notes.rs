use std::fmt;
use std::sync::Arc;

/// Where sentences for the person who watches go: standard error in the programs, nowhere in a library.
///
/// Whatever of a log or a server stands in a note goes through [`Shown`](logretry_record::Shown) first.
#[derive(Clone)]
pub struct Notes(Arc<dyn Fn(fmt::Arguments<'_>) + Send + Sync>);

impl Notes {
    /// Notes that nobody reads.
    pub fn silent() -> Self {
        Self::to(|_| ())
    }

    /// Notes that are handed to `say`, one sentence a call, without a line end.
    pub fn to(say: impl Fn(fmt::Arguments<'_>) + Send + Sync + 'static) -> Self {
        Self(Arc::new(say))
    }

    /// Says one sentence.
    pub fn say(&self, sentence: fmt::Arguments<'_>) {
        (self.0)(sentence);
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
