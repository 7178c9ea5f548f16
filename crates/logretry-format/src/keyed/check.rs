use crate::error::LineError;
use crate::keyed::purpose::Purpose;
use crate::keyed::read::KeyedRead;
use crate::keyed::{Keyed, Syntax, mismatch};

impl Keyed {
    /// Whether the line whose values have been found tells of a request, and is one of this format.
    pub(crate) fn check(&self, read: &KeyedRead<'_>) -> Result<(), LineError> {
        for (slot, key) in self.keys.iter().enumerate() {
            if let Some(only) = &key.only
                && read.present(slot).is_some_and(|value| !value.starts_with(only.as_bytes()))
            {
                return Err(LineError::NoRequest);
            }
        }
        let missing = self.keys.iter().enumerate().find(|(slot, key)| key.is_sign && !read.is_there(*slot));
        let wanted = match missing {
            Some((_, key)) => format!("`{}` before it", key.name),
            None if read.status().is_some() || self.is_without_status(read) => return Ok(()),
            None => "a status before it".to_owned(),
        };
        if self.has_messages && !read.names_url() && !may_tell_a_status(read.line) {
            return Err(LineError::NoRequest);
        }
        Err(mismatch(read.line.len(), &wanted))
    }

    /// Whether `-` or nothing stands where W3C logs have their status.
    fn is_without_status(&self, read: &KeyedRead<'_>) -> bool {
        let mut slots = read.slots(|purpose| purpose == Purpose::Status);
        matches!(self.syntax, Syntax::Columns(_))
            && slots.any(|slot| matches!(read.spans[slot].of(read.line), b"-" | b""))
    }
}

/// Whether something in `line` looks like the name of a status, if not by a name that is known. Such a line is never passed over.
fn may_tell_a_status(line: &[u8]) -> bool {
    [b"tatus".as_slice(), b"TATUS", b"response_code", b"responseCode"]
        .iter()
        .any(|word| memchr::memmem::find(line, word).is_some())
}
