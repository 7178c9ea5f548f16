//! A path in one key and its query in another, or both in one.

use crate::keyed::gateway;
use crate::keyed::plain::Plain;
use crate::keyed::purpose::Purpose;
use crate::keyed::read::KeyedRead;

/// What a key for the query says.
pub(crate) enum Apart {
    /// There is none in the line.
    Missing,
    /// It is there as an object, taken apart and decoded.
    Object,
    /// Its text, without a `?`.
    Query(Plain),
}

/// How the value for a target and the one for a query go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Join {
    /// The target is in the value alone.
    Alone,
    /// The path is in the value, the query apart.
    Apart {
        /// The path may have been decoded.
        decoded: bool,
    },
}

impl KeyedRead<'_> {
    pub(crate) fn apart(&self) -> Apart {
        let mut slots = self.slots(|purpose| purpose == Purpose::Query).peekable();
        let Some(&first) = slots.peek() else { return Apart::Missing };
        let object = if self.is_filled_object(first) { Apart::Object } else { Apart::Missing };
        match slots.find(|&slot| self.has_text(slot)) {
            Some(slot) => Apart::Query(self.query(slot)),
            None => object,
        }
    }

    /// The query in `slot`, as the client sent it.
    pub(crate) fn query(&self, slot: usize) -> Plain {
        let plain = self.plain(slot).unwrap_or_default();
        let mark = usize::from(plain.bytes.first() == Some(&b'?'));
        let plain = plain.part(mark..plain.bytes.len());
        if self.keyed.has_gateway_parameters { gateway::cleaned(&plain) } else { plain }
    }
}

/// Whether the query stands in the value itself or apart.
pub(crate) fn join(purpose: Purpose, plain: &Plain, apart: &Apart) -> Join {
    let own = plain.query().map(|range| &plain.bytes[range]);
    let Apart::Query(query) = apart else { return Join::Alone };
    let query = query.bytes.split(|&byte| byte == b'#').next().unwrap_or_default();
    let is_same = own == Some(query);
    match purpose {
        _ if is_same => Join::Alone,
        Purpose::Path if own.is_some() => Join::Alone,
        Purpose::Path => Join::Apart { decoded: false },
        // Under `request` it is Apache's `%U`, if a query stands beside it.
        Purpose::Uri | Purpose::DecodedPath | Purpose::Request => Join::Apart { decoded: true },
        _ if own.is_some() || query.is_empty() => Join::Alone,
        _ => Join::Apart { decoded: true },
    }
}
