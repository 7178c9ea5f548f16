//! What a captured exchange holds beyond an access log: the headers and the body of its request.
//!
//! An entry of a HAR file or of a `GoReplay` capture comes as one line of JSON, in the format `har` or `gor`, which reads what an access log has too. This
//! adds the rest. The text of the record is then the same line without them: bodies, cookies and answers have no place in a retry log.

mod gor;
mod har;

use bstr::BString;
use logretry_format::Format;
use logretry_record::Exchange;

/// Whether lines of `format` hold more than an access log.
pub(crate) fn is_capture(format: &Format) -> bool {
    matches!(format.name(), "har" | "gor")
}

/// Adds to `exchange` what only a capture has, if `format` is one. `text` is a line in it; what comes back is the line without that, for the record.
/// An error fits after "cannot use the line: ".
pub(crate) fn complete(
    format: &Format,
    text: &[u8],
    exchange: &mut Exchange,
    body_bytes_max: usize,
) -> Result<Option<BString>, String> {
    let line = match format.name() {
        "har" => har::complete(text, exchange),
        "gor" => gor::complete(text, exchange),
        _ => return Ok(None),
    };
    let line = line.map_err(|error| format!("not `{}`: {error}", format.name()))?;
    if exchange.body.as_ref().is_some_and(|body| body.len() > body_bytes_max) {
        return Err(format!("its body is longer than {body_bytes_max} bytes (--line-limit)"));
    }
    Ok(Some(line.into()))
}

/// Says that the request had a body that is not there, or not as it went over the wire.
fn lose_body(exchange: &mut Exchange) {
    exchange.body = None;
    exchange.lossy.push("body".into());
}
