//! HTTP/2 frames, made by hand, for what no HTTP/2 library would ever send (RFC 9113 §4.1, §6).

pub(super) const DATA: u8 = 0;
pub(super) const HEADERS: u8 = 1;
pub(super) const RST_STREAM: u8 = 3;
pub(super) const SETTINGS: u8 = 4;
pub(super) const PUSH_PROMISE: u8 = 5;
pub(super) const PING: u8 = 6;
pub(super) const GOAWAY: u8 = 7;
pub(super) const WINDOW_UPDATE: u8 = 8;
pub(super) const CONTINUATION: u8 = 9;

pub(super) const NO_FLAGS: u8 = 0;
pub(super) const END_STREAM: u8 = 1;
pub(super) const END_HEADERS: u8 = 4;
pub(super) const PADDED: u8 = 8;

/// The stream of a client's first request.
pub(super) const OURS: u32 = 1;

/// HPACK: the fields `:status: 200`, `:status: 204` and `:status: 500` of the static table (RFC 7541, appendix A).
pub(super) const STATUS_200: &[u8] = &[0x88];
pub(super) const STATUS_500: &[u8] = &[0x8E];

/// One frame.
pub(super) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).expect("not that long").to_be_bytes();
    let mut frame = length[1..].to_vec();
    frame.extend([kind, flags]);
    frame.extend(stream.to_be_bytes());
    frame.extend(payload);
    frame
}

/// HPACK: a field that is written out and not remembered (RFC 7541 §6.2.2); short ones only.
pub(super) fn field(name: &str, value: &str) -> Vec<u8> {
    let length = |text: &str| u8::try_from(text.len()).ok().filter(|length| *length < 127).expect("short");
    [&[0, length(name)], name.as_bytes(), &[length(value)], value.as_bytes()].concat()
}

/// The head of an answer on our stream, which goes on.
pub(super) fn head(fields: &[u8]) -> Vec<u8> {
    frame(HEADERS, END_HEADERS, OURS, fields)
}

/// Bytes of the body on our stream, which goes on.
pub(super) fn data(bytes: &[u8]) -> Vec<u8> {
    frame(DATA, NO_FLAGS, OURS, bytes)
}

/// The last bytes of the body on our stream.
pub(super) fn last_data(bytes: &[u8]) -> Vec<u8> {
    frame(DATA, END_STREAM, OURS, bytes)
}

/// Our stream is broken off (RFC 9113 §6.4).
pub(super) fn broken_off(code: u32) -> Vec<u8> {
    frame(RST_STREAM, NO_FLAGS, OURS, &code.to_be_bytes())
}

/// The connection is given up; streams up to `last` may have been looked at (RFC 9113 §6.8).
pub(super) fn goaway(last: u32, code: u32) -> Vec<u8> {
    frame(GOAWAY, NO_FLAGS, 0, &[last.to_be_bytes(), code.to_be_bytes()].concat())
}
