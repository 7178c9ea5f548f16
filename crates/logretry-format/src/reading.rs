use std::borrow::Cow;

use jiff::Timestamp;
use logretry_record::{Exchange, ExchangeRef};

use crate::keyed::KeyedRead;
use crate::parsed::{FieldView, StepsRead};

/// A line whose fields have been found. Nothing is decoded until it is asked for.
#[derive(Debug, Clone, Copy)]
pub struct Parsed<'a>(pub(crate) Reading<'a>);

#[derive(Debug, Clone, Copy)]
pub(crate) enum Reading<'a> {
    Steps(StepsRead<'a>),
    Keyed(KeyedRead<'a>),
}

impl<'a> Parsed<'a> {
    /// The status that the client got; `None` where the server wrote `-`.
    pub fn status(&self) -> Option<u16> {
        match &self.0 {
            Reading::Steps(read) => read.status(),
            Reading::Keyed(read) => read.status(),
        }
    }

    /// When the request happened, if the line says so. A time without an offset is taken as UTC.
    pub fn time(&self) -> Option<Timestamp> {
        match &self.0 {
            Reading::Steps(read) => read.time(),
            Reading::Keyed(read) => read.time(),
        }
    }

    /// What was asked for.
    pub(crate) fn target(&self) -> Option<Cow<'a, [u8]>> {
        match &self.0 {
            Reading::Steps(read) => read.asking().target,
            Reading::Keyed(read) => read.asked().target.map(|target| Cow::Owned(target.into_bytes())),
        }
    }

    /// Whether the line has a key for (a part of) the URL, if only with an empty value.
    pub(crate) fn names_url(&self) -> bool {
        matches!(&self.0, Reading::Keyed(read) if read.names_url())
    }

    /// Every field: of a step format in the order of the line, of a keyed one those that the line has, by what they are for.
    pub fn fields(&self) -> impl Iterator<Item = FieldView<'a>> + use<'a> {
        let (steps, keyed) = match self.0 {
            Reading::Steps(read) => (Some(read.fields()), None),
            Reading::Keyed(read) => (None, Some(read.fields())),
        };
        steps.into_iter().flatten().chain(keyed.into_iter().flatten())
    }

    /// What the server logged about the request.
    pub fn exchange(&self) -> Exchange {
        self.exchange_ref().into_owned()
    }

    /// The same, with values that stand in the line where they stand there as they are.
    pub fn exchange_ref(&self) -> ExchangeRef<'a> {
        match &self.0 {
            Reading::Steps(read) => read.exchange(),
            Reading::Keyed(read) => read.exchange().into(),
        }
    }
}
