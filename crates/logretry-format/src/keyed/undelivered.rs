use crate::evidence;
use crate::keyed::purpose::Purpose;
use crate::keyed::read::KeyedRead;

impl<'a> KeyedRead<'a> {
    /// What proves that no application has seen the request, if the line does.
    pub(crate) fn undelivered(&self) -> Option<&'static str> {
        if !self.keyed.is_json() {
            return None;
        }
        let values = |wanted: Purpose| {
            self.slots(move |purpose| purpose == wanted).filter_map(|slot| self.present(slot))
        };
        let answered = values(Purpose::ServiceTime).next().is_some()
            || values(Purpose::ResponseDetails).any(evidence::is_by_upstream);
        let again = values(Purpose::Attempts).any(evidence::is_again);
        if answered || again {
            return None;
        }
        let tells_answers = values(Purpose::ResponseDetails).next().is_some();
        let flags =
            self.whole(Purpose::ResponseFlags).and_then(|flags| evidence::envoy(flags, tells_answers));
        flags.or_else(|| {
            let (address, connect) =
                (self.whole(Purpose::UpstreamAddress), self.whole(Purpose::UpstreamConnect));
            evidence::nginx(self.status(), address, connect)
        })
    }

    /// The value of the one key of this purpose, if it is a text and not one of several in an array.
    fn whole(&self, purpose: Purpose) -> Option<&'a [u8]> {
        let mut slots = self.slots(|other| other == purpose).filter(|&slot| self.is_there(slot));
        let slot = slots.next().filter(|&slot| self.is_quoted(slot))?;
        let before = self.line.get(..self.spans[slot].start - 1)?.trim_ascii_end();
        (slots.next().is_none() && before.ends_with(b":")).then(|| self.spans[slot].of(self.line))
    }
}
