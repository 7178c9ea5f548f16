//! What the client asked for, put together from the values of a line.

use std::borrow::Cow;

use bstr::BString;
use logretry_record::Scheme;
use memchr::memchr;

use crate::keyed::join::{Apart, Join, join};
use crate::keyed::origin::{Whole, same_host};
use crate::keyed::plain::Plain;
use crate::keyed::purpose::Purpose;
use crate::keyed::read::KeyedRead;
use crate::request;
use crate::spans::Span;
use crate::target;

/// Method and target, and what of the target is lost.
#[derive(Debug, Default)]
pub(crate) struct Asked {
    pub(crate) method: Option<String>,
    pub(crate) target: Option<String>,
    pub(crate) lossy: Vec<Cow<'static, str>>,
    /// Of a URL that is logged whole.
    pub(crate) origin: Option<(BString, Option<Scheme>)>,
}

impl KeyedRead<'_> {
    pub(crate) fn asked(&self) -> Asked {
        let method = self.slots(|purpose| purpose == Purpose::Method).find_map(|slot| self.plain(slot));
        let method = method.filter(|plain| request::is_token(&plain.bytes));
        let method = method.map(|plain| String::from_utf8_lossy(&plain.bytes).into_owned());
        let line = self.slots(|purpose| purpose == Purpose::Request).find_map(|slot| self.request_line(slot));
        if let Some((method, plain)) = line {
            let mut asked = Asked { method: Some(method), ..Asked::default() };
            asked.finish(&plain, Join::Alone, &Apart::Missing);
            return asked;
        }
        let apart = self.apart();
        let slots = self.slots(|purpose| purpose.is_target() || purpose == Purpose::Request);
        let mut asked = slots.into_iter().find_map(|slot| self.target(slot, &apart)).unwrap_or_default();
        asked.method = method;
        asked
    }

    /// The method and the target of the request line in `slot`.
    pub(crate) fn request_line(&self, slot: usize) -> Option<(String, Plain)> {
        let plain = self.plain(slot)?;
        let whole = Span { start: 0, end: plain.bytes.len() };
        let line = request::split(&plain.bytes, whole)?;
        let method = String::from_utf8_lossy(line.method.of(&plain.bytes)).into_owned();
        Some((method, plain.part(line.target.start..line.target.end)))
    }

    /// What `slot` gives as a target, if that is one.
    fn target(&self, slot: usize, apart: &Apart) -> Option<Asked> {
        let purpose = self.keyed.keys[slot].purpose;
        let (plain, origin) = self.without_origin(slot)?;
        let join = join(purpose, &plain, apart);
        let mut asked = Asked { origin, ..Asked::default() };
        asked.finish(&plain, join, apart);
        asked.lose(purpose, &plain, join, apart);
        Some(asked)
    }

    /// The value of `slot`, if it can be a target; of a URL that the producer put together, what the client sent.
    #[expect(clippy::type_complexity, reason = "it is taken apart at once")]
    pub(crate) fn without_origin(&self, slot: usize) -> Option<(Plain, Option<(BString, Option<Scheme>)>)> {
        let plain = self.plain(slot)?;
        let purpose = self.keyed.keys[slot].purpose;
        let whole = Whole::of(&plain.bytes);
        if purpose == Purpose::Url
            && let Some(whole) = &whole
        {
            // A host that the log names elsewhere too is the one that was meant; another was the client's.
            let is_meant = self.named_host().is_none_or(|named| same_host(&named, &whole.host));
            if is_meant {
                let rest = plain.part(whole.rest..plain.bytes.len());
                return Some((rest, Some((whole.host.clone(), whole.scheme))));
            }
        }
        let may_be_target = match purpose {
            Purpose::Target => true,
            _ => {
                matches!(plain.bytes.first(), Some(b'/' | b'*' | b'?'))
                    || whole.is_some_and(|whole| whole.scheme.is_some())
            }
        };
        may_be_target.then_some((plain, None))
    }
}

impl Asked {
    fn finish(&mut self, plain: &Plain, join: Join, apart: &Apart) {
        let mut out = String::new();
        match (join, apart) {
            (Join::Apart { decoded }, Apart::Query(query)) => {
                if decoded {
                    target::push_decoded_path(&plain.bytes, true, &mut out);
                } else {
                    target::push_raw(&plain.bytes, &mut out);
                }
                if !query.bytes.is_empty() {
                    out.push('?');
                    target::push_raw(&query.bytes, &mut out);
                }
                self.lose_bytes(query, Some(0));
            }
            _ => target::push_raw(&plain.bytes, &mut out),
        }
        // A whole URL may end behind its host.
        if !matches!(plain.bytes.first(), Some(b'/')) && (out.is_empty() || out.starts_with('?')) {
            out.insert(0, '/');
        }
        let question = match join {
            Join::Alone => memchr(b'?', &plain.bytes),
            Join::Apart { .. } => None,
        };
        self.lose_bytes(plain, question);
        self.target = Some(out);
    }

    /// Bytes that the producer could not write.
    fn lose_bytes(&mut self, plain: &Plain, question: Option<usize>) {
        let question = question.unwrap_or(plain.bytes.len());
        for (part, range) in [("path", 0..question), ("query", question..plain.bytes.len())] {
            // A fragment, or what HAProxy has escaped: nobody can tell.
            let is_unclear = plain.part(range.clone()).has_hash_escapes();
            if is_unclear || plain.has_lost(range) {
                self.note(part);
            }
        }
    }

    /// Parts that the format has not.
    fn lose(&mut self, purpose: Purpose, plain: &Plain, join: Join, apart: &Apart) {
        let has_query = plain.query().is_some();
        let is_path = matches!(purpose, Purpose::Path | Purpose::DecodedPath);
        if purpose == Purpose::Template
            || join == (Join::Apart { decoded: true })
            || (purpose == Purpose::DecodedPath && join == Join::Alone && !has_query)
        {
            self.note("path");
        }
        if purpose == Purpose::Template
            || (join == Join::Alone && !has_query && (is_path || matches!(apart, Apart::Object)))
        {
            self.note("query");
        }
    }

    fn note(&mut self, part: &'static str) {
        if !self.lossy.iter().any(|lost| lost == part) {
            self.lossy.push(Cow::Borrowed(part));
        }
    }
}
