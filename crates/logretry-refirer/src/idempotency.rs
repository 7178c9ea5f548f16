//! `Idempotency-Key`: a name for what a request wants, so that a server which knows it does that once.
//!
//! The key is made of the record's id and of a number, with a secret:
//!
//! ```text
//!   key = UUID version 8 of BLAKE3(secret, id ‖ number)          Idempotency-Key: "5b0f6c1e-…"
//! ```
//!
//! - **Stable**: whoever has the secret makes the same key for the same record, today, after a crash, on another machine. So a request
//!   whose end is not known can be sent again: a server that has seen it answers what it has answered, and does nothing.
//! - **Not to be guessed**: the ids of records are hashes of log lines, which others may know. A key that could be computed from them would let
//!   others ask for an answer that is not theirs (draft-ietf-httpapi-idempotency-key-header §5).
//! - **New after an answer**: servers store the answer with the key, a 500 included, and give it again (Stripe does). A request that has
//!   been answered and is sent again must have another key, or it would get the stored failure. That is the number: the answers that this
//!   record has had. "I am still at it" (409) is none, nor is "not now" (429) to what is not idempotent. What earlier runs have sent is known from a ledger only. A dead letter that is sent without one has the key that it had, and may get the
//!   stored failure: behind the 504 of a proxy the request may have been done, and another key would have it done twice.
//!
//! The value is a String of RFC 9651, which the draft asks for: with its quotation marks.

use std::fmt;
use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use http::header::{HeaderName, HeaderValue};
use logretry_record::{Outcome, RecordId, Retry};
use logretry_stage::folder;
use tempfile::NamedTempFile;

use crate::RefirerError;

/// The header's name.
pub(crate) const NAME: HeaderName = HeaderName::from_static("idempotency-key");

/// What keys are made with. Debug output does not show it.
#[derive(Clone, PartialEq, Eq)]
pub struct IdempotencySecret([u8; 32]);

impl IdempotencySecret {
    /// The secret of these bytes, which must be hard to guess.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// A new one, from the system's source of randomness.
    pub fn random() -> Result<Self, RefirerError> {
        let mut bytes = [0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        random.fill(&mut bytes).map_err(|_| RefirerError::Random)?;
        Ok(Self(bytes))
    }

    /// The one in the file at `path`: 64 hexadecimal digits. A file that does not exist is made, with a new secret, for its owner only; it is on the disk before the secret
    /// is used, and whole as soon as it has its name.
    pub fn of_file(path: &Path) -> Result<Self, RefirerError> {
        match fs::symlink_metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            _ => return Self::read(path),
        }
        let secret = Self::random()?;
        match secret.write_new(path) {
            // Another run that begins now has made it.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Self::read(path),
            Err(error) => Err(RefirerError::NewFile { path: path.to_owned(), error }),
            Ok(()) => Ok(secret),
        }
    }

    fn read(path: &Path) -> Result<Self, RefirerError> {
        let text =
            fs::read_to_string(path).map_err(|error| RefirerError::File { path: path.to_owned(), error })?;
        Self::of_digits(text.trim()).ok_or_else(|| RefirerError::Secret(path.to_owned()))
    }

    fn write_new(&self, path: &Path) -> io::Result<()> {
        let folder = folder(path);
        // Of the name that it has for now nobody need hear.
        let mut file = NamedTempFile::new_in(folder).map_err(|error| error.kind())?;
        file.as_file_mut().write_all(self.digits().as_bytes())?;
        file.as_file().sync_all()?;
        file.persist_noclobber(path)?;
        fs::File::open(folder)?.sync_all()
    }

    fn digits(&self) -> String {
        self.0.iter().map(|byte| format!("{byte:02x}")).chain(["\n".to_owned()]).collect()
    }

    fn of_digits(text: &str) -> Option<Self> {
        let mut bytes = [0; 32];
        if text.len() != 64 || !text.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        for (byte, digits) in bytes.iter_mut().zip(text.as_bytes().chunks(2)) {
            *byte = u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The header's value for a record that has had so many answers.
    pub(crate) fn key(&self, id: RecordId, answers: u32) -> HeaderValue {
        let mut hasher = blake3::Hasher::new_keyed(&self.0);
        hasher.update(id.to_string().as_bytes()).update(&answers.to_be_bytes());
        let mut bytes = [0; 16];
        bytes.copy_from_slice(&hasher.finalize().as_bytes()[..16]);
        // RFC 9562 §5.8: version and variant, the rest is ours.
        bytes[6] = 0x80 | (bytes[6] & 0x0F);
        bytes[8] = 0x80 | (bytes[8] & 0x3F);
        let number = u128::from_be_bytes(bytes);
        let digits = format!("{number:032x}");
        let key = [0..8, 8..12, 12..16, 16..20, 20..32].map(|part| &digits[part]).join("-");
        format!("\"{key}\"").try_into().expect("hexadecimal digits are ASCII")
    }
}

impl fmt::Debug for IdempotencySecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IdempotencySecret(…)")
    }
}

/// The answers that a record has had in earlier runs, which have sent so many requests for it, of which the last one ended so. A request that is not idempotent is sent again only
/// while the server is still at the first one, so it has had none; of the others every one before the last is taken for answered, and does no harm if it was not.
pub(crate) fn answers_before(is_idempotent: bool, sent: u32, last: Option<&Retry>) -> u32 {
    let is_last_open = last.is_some_and(|last| !is_answered(last) || last.status == Some(409));
    if is_idempotent { sent.saturating_sub(is_last_open.into()) } else { 0 }
}

/// Whether a request that ended so was answered: the server has stored what it said, if it stores anything.
pub(crate) fn is_answered(retry: &Retry) -> bool {
    matches!(retry.outcome, Outcome::Recovered | Outcome::Refused | Outcome::Failing)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn id(text: &str) -> RecordId {
        RecordId::of_line(text.as_bytes(), 0)
    }

    #[test]
    fn a_key_is_a_quoted_uuid_that_depends_on_secret_record_and_answers() {
        let secret = IdempotencySecret::new([7; 32]);
        let key = secret.key(id("a"), 0);
        let text = key.to_str().expect("ASCII").to_owned();
        assert_eq!(text.len(), 38);
        assert_eq!((&text[..1], &text[15..16], &text[37..]), ("\"", "8", "\""), "{text}");
        assert!("89ab".contains(&text[20..21]), "{text}");
        assert_eq!(secret.key(id("a"), 0), key);
        for other in
            [secret.key(id("a"), 1), secret.key(id("b"), 0), IdempotencySecret::new([8; 32]).key(id("a"), 0)]
        {
            assert_ne!(other, key);
        }
    }

    #[test]
    fn answers_of_earlier_runs_are_told_from_what_they_sent() {
        use Outcome::{Failing, Refused, Unanswered};

        for (method, sent, last, answers) in [
            ("POST", 0, None, 0),
            // The server was still at the first one.
            ("POST", 1, None, 0),
            ("POST", 2, Some((Refused, 409)), 0),
            ("PUT", 0, None, 0),
            ("PUT", 1, None, 1),
            ("PUT", 2, Some((Failing, 503)), 2),
            ("PUT", 1, Some((Refused, 409)), 0),
            ("DELETE", 1, Some((Unanswered, 0)), 0),
        ] {
            let last = last.map(|(outcome, status)| Retry {
                outcome,
                status: Some(status),
                ..Retry::not_sent(jiff::Timestamp::now(), logretry_record::Reason::Stopped)
            });
            assert_eq!(
                answers_before(crate::methods::is_idempotent(method), sent, last.as_ref()),
                answers,
                "{method} {sent} {last:?}"
            );
        }
    }

    #[test]
    fn a_secret_is_made_once_and_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("secret");
        let made = IdempotencySecret::of_file(&path).expect("a secret");
        assert_eq!(IdempotencySecret::of_file(&path).expect("the same"), made);
        assert_eq!(fs::metadata(&path).expect("a file").permissions().mode() & 0o777, 0o600);
        assert!(!format!("{made:?}").contains(&made.digits()[..8]));
        fs::write(&path, "no digits").expect("a file");
        assert!(IdempotencySecret::of_file(&path).is_err());
        std::os::unix::fs::symlink(folder.path().join("nowhere"), folder.path().join("link"))
            .expect("a link");
        assert!(IdempotencySecret::of_file(&folder.path().join("link")).is_err());
        let nowhere = folder.path().join("no/secret");
        let told = IdempotencySecret::of_file(&nowhere).expect_err("there is no such folder").to_string();
        assert_eq!(told, format!("create `{}`: {}", nowhere.display(), io::ErrorKind::NotFound));
    }

    /// One of them met a file that was still empty.
    #[test]
    fn runs_that_begin_at_once_have_the_same_secret() {
        let folder = tempfile::tempdir().expect("a folder");
        for round in 0..20 {
            let path = folder.path().join(round.to_string());
            let begin = std::sync::Barrier::new(4);
            let secret = || {
                begin.wait();
                IdempotencySecret::of_file(&path).expect("a secret")
            };
            let secrets = std::thread::scope(|scope| {
                [0; 4].map(|_| scope.spawn(secret)).map(|run| run.join().expect("no panic"))
            });
            assert!(secrets.iter().all(|secret| *secret == secrets[0]));
        }
        assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 20);
    }
}
