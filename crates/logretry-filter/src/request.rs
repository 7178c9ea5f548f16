use logretry_record::{Exchange, Record};

/// What makes two requests the same one, hashed.
pub(crate) type RequestKey = [u8; 16];

/// The request of `record`: its method, host and target, and the body that a capture has of it. None if the line does not hold method and target.
pub(crate) fn request_of(record: &Record) -> Option<RequestKey> {
    let original = record.original();
    key(original, original.body.as_ref().map_or(&b""[..], |body| body.as_slice()))
}

/// The request of `record` as made by its client. None if the line does not say who that was, either.
pub(crate) fn request_of_client(record: &Record) -> Option<RequestKey> {
    key(record.original(), record.original().client.as_ref()?.as_slice())
}

fn key(original: &Exchange, more: &[u8]) -> Option<RequestKey> {
    let host = original.host.as_ref().map_or(&b""[..], |host| host.as_slice());
    let mut hasher = blake3::Hasher::new();
    for part in [original.method.as_ref()?.as_bytes(), host, original.target.as_ref()?.as_bytes(), more] {
        hasher.update(&(part.len() as u64).to_le_bytes());
        hasher.update(part);
    }
    let mut key = RequestKey::default();
    hasher.finalize_xof().fill(&mut key);
    Some(key)
}

/// Whether asking once is as good as asking twice, and so one answer is as good as the other (RFC 9110 §9.2.1).
pub(crate) fn is_safe(record: &Record) -> bool {
    matches!(record.original().method.as_deref(), Some("GET" | "HEAD" | "OPTIONS"))
}

/// Whether a later success stands for the request that failed (RFC 9110 §9.2.2). Two equal POSTs may be two orders.
pub(crate) fn is_idempotent(record: &Record) -> bool {
    is_safe(record) || matches!(record.original().method.as_deref(), Some("PUT" | "DELETE"))
}
