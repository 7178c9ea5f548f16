use bstr::ByteSlice as _;
use logretry_record::{Mark, Record, Retry};

use crate::renderer::marked_url;

/// The columns of the retry log as a table.
const HEADER: [&str; 14] = [
    "time",
    "method",
    "url",
    "outcome",
    "status",
    "error",
    "duration_ms",
    "bytes",
    "attempts",
    "original_time",
    "original_status",
    "source",
    "line",
    "id",
];

/// The header, with its line end.
pub(crate) fn header() -> Vec<u8> {
    let mut out = row(HEADER.map(str::to_owned));
    out.push(b'\n');
    out
}

/// Appends the refire of `record` as a row, without a line end.
pub(crate) fn render(record: &Record, retry: &Retry, mark: &Mark, out: &mut Vec<u8>) {
    fn text(value: Option<impl ToString>) -> String {
        value.map(|value| value.to_string()).unwrap_or_default()
    }
    let cells = [
        retry.time.to_string(),
        text(retry.method.as_ref()),
        text(marked_url(retry, mark)),
        retry.outcome.as_str().to_owned(),
        text(retry.status),
        text(retry.error.map(logretry_record::ErrorKind::as_str)),
        text(retry.duration_ms),
        text(retry.bytes),
        retry.attempts.to_string(),
        text(record.original().time),
        text(record.original().status),
        record.origin().source.to_str_lossy().into_owned(),
        record.origin().line.to_string(),
        record.id().to_string(),
    ];
    out.extend(row(cells));
}

fn row(cells: [String; HEADER.len()]) -> Vec<u8> {
    let mut writer =
        csv::WriterBuilder::new().terminator(csv::Terminator::Any(b'\n')).from_writer(Vec::new());
    // Writing to memory cannot fail.
    let _ = writer.write_record(cells.map(harmless));
    let mut row = writer.into_inner().unwrap_or_default();
    row.pop();
    row
}

/// A cell that no spreadsheet takes for a formula. The `-` of standard input is none.
fn harmless(cell: String) -> String {
    let may_be_one = cell != "-" && cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    if may_be_one { format!("'{cell}") } else { cell }
}
