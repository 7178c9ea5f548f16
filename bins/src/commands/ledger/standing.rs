use logretry_ledger::{Before, Entry, InDoubt, LedgerError, Look, Verdict};
use logretry_record::{Outcome, Retry};

/// How a record stands.
pub(super) struct Standing {
    /// The word of its outcome, or one of [`Standing::OPEN`].
    pub(super) word: &'static str,
    /// Its status, what went wrong, or what has been decided about it.
    pub(super) detail: String,
    pub(super) method: String,
    pub(super) url: String,
}

impl Standing {
    /// It was answered, and is sent again.
    pub(super) const ANSWERED: &'static str = "answered";
    /// It was cut off; the next run sends it again, or settles it.
    pub(super) const IN_DOUBT: &'static str = "in_doubt";
    /// It was cut off, and waits for a person.
    pub(super) const HELD: &'static str = "held";

    /// The words of records that have not ended.
    pub(super) const OPEN: [&'static str; 3] = [Self::ANSWERED, Self::IN_DOUBT, Self::HELD];

    /// The words there are.
    pub(super) fn words() -> Vec<&'static str> {
        let ended = Outcome::ALL.map(Outcome::as_str).into_iter().filter(|word| !Self::OPEN.contains(word));
        ended.chain(Self::OPEN).collect()
    }

    /// How the record of this event stands; none if another event says it.
    pub(super) fn of(look: &Look, entry: &Entry) -> Result<Option<Self>, LedgerError> {
        let Some(id) = entry.id.filter(|_| look.is_current(entry)) else { return Ok(None) };
        Ok(match (&entry.retry, look.before(id)?) {
            (Some(retry), Before::Answered(_)) => Some(Self::ended(Self::ANSWERED, retry)),
            (Some(retry), _) => Some(Self::ended(retry.outcome.as_str(), retry)),
            (None, Before::InDoubt(doubt)) => Some(Self::open(doubt)),
            _ => None,
        })
    }

    fn ended(word: &'static str, retry: &Retry) -> Self {
        let (method, url) = (retry.method.clone(), retry.url.clone());
        let (method, url) = (method.unwrap_or_else(|| "-".to_owned()), url.unwrap_or_else(|| "-".to_owned()));
        Self { word, detail: end(retry), method, url }
    }

    fn open(doubt: InDoubt) -> Self {
        let word = if doubt.is_held() { Self::HELD } else { Self::IN_DOUBT };
        let detail = match doubt.verdict {
            None => "-".to_owned(),
            Some(Verdict::Send) => "released".to_owned(),
            Some(Verdict::Arrived) => "arrived".to_owned(),
            Some(Verdict::Ended(status)) => format!("settled {status}"),
        };
        Self { word, detail, method: doubt.method, url: doubt.url }
    }
}

/// The status of the last answer, or why there is none.
pub(super) fn end(retry: &Retry) -> String {
    match (retry.status, retry.error) {
        (Some(status), _) => status.to_string(),
        (None, Some(error)) => error.as_str().to_owned(),
        (None, None) => retry.reason.map_or("-", |reason| reason.as_str()).to_owned(),
    }
}
