//! A line after a refire: which values of it change, and into what. It stays what it is, to the byte: JSON stays JSON, a string
//! a string.

use logretry_record::Mark;

use crate::keyed::forms::Part;
use crate::keyed::join::{Apart, Join, join};
use crate::keyed::moment;
use crate::keyed::plain::Plain;
use crate::keyed::purpose::Purpose;
use crate::keyed::quantity;
use crate::keyed::read::KeyedRead;
use crate::rewrite::{Change, Edits, write_to};
use crate::spans::Span;

/// Makes the edits of a refire.
pub(crate) fn change(read: &KeyedRead<'_>, change: &Change<'_>, edits: &mut Edits) {
    if read.asked().target.is_some() {
        mark_url(read, change.mark, edits);
    }
    replace_status(read, change, edits);
    replace_times(read, change, edits);
    if let Some((slot, _)) = read.bytes_slot() {
        let bytes = change.bytes.unwrap_or(0);
        edits.put(read.spans[slot], |out| write_to(out, format_args!("{bytes}")));
    }
    if let Some((slot, _)) = read.duration_slot() {
        let Purpose::Duration(unit) = read.keyed.keys[slot].purpose else { return };
        let span = read.spans[slot];
        edits.put(span, |out| match change.duration_ms {
            Some(ms) => quantity::write(span.of(read.line), unit, ms, out),
            None if read.keyed.is_json() && !read.is_quoted(slot) => out.extend_from_slice(b"null"),
            None => out.push(b'-'),
        });
    }
}

fn replace_status(read: &KeyedRead<'_>, change: &Change<'_>, edits: &mut Edits) {
    let Some((slot, _)) = read.status_slot() else { return };
    let status = change.status.unwrap_or(0);
    edits.put(read.spans[slot], |out| {
        if read.keyed.is_json() && !read.is_quoted(slot) {
            // No number of JSON begins with more than one 0.
            write_to(out, format_args!("{status}"));
        } else {
            write_to(out, format_args!("{status:03}"));
        }
    });
}

fn replace_times(read: &KeyedRead<'_>, change: &Change<'_>, edits: &mut Edits) {
    for (slot, key) in read.keyed.keys.iter().enumerate() {
        let part = match key.purpose {
            Purpose::Time => Part::Whole,
            Purpose::Date => Part::Date,
            Purpose::Clock => Part::Clock,
            _ => continue,
        };
        let mut anew = Vec::new();
        let written =
            read.time_text(slot).and_then(|text| moment::write(&text, part, change.time, &mut anew));
        if written.is_some() {
            let span = read.spans[slot];
            let is_escaped = memchr::memmem::find(span.of(read.line), br"\/").is_some();
            edits.put(span, |out| {
                for byte in anew {
                    out.extend_from_slice(if is_escaped && byte == b'/' {
                        br"\/"
                    } else {
                        std::slice::from_ref(&byte)
                    });
                }
            });
        }
    }
}

/// Marks each value that holds (a part of) the URL.
fn mark_url(read: &KeyedRead<'_>, mark: &Mark, edits: &mut Edits) {
    let apart = read.apart();
    let mut has_joined = false;
    let mut is_apart = false;
    for slot in read.slots(Purpose::is_url) {
        let purpose = read.keyed.keys[slot].purpose;
        if purpose == Purpose::Request
            && let Some((_, target)) = read.request_line(slot)
        {
            mark_target(read, slot, &target, mark, edits);
        } else if purpose != Purpose::Query
            && let Some((plain, _)) = read.without_origin(slot)
        {
            has_joined = true;
            match join(purpose, &plain, &apart) {
                Join::Alone => mark_target(read, slot, &plain, mark, edits),
                Join::Apart { .. } => is_apart = true,
            }
        }
    }
    // The query's own key is marked if the target is made with it, or if it says the same as the target.
    if is_apart || !has_joined || says_the_same(read, &apart) {
        for slot in read.slots(|purpose| purpose == Purpose::Query).filter(|&slot| read.has_text(slot)) {
            mark_query(read, slot, mark, edits);
        }
    }
}

/// Whether the query apart is that of each value that has one, so that it is to stay so.
fn says_the_same(read: &KeyedRead<'_>, apart: &Apart) -> bool {
    let Apart::Query(query) = apart else { return false };
    let query = query.bytes.split(|&byte| byte == b'#').next().unwrap_or_default();
    let mut values = read.slots(Purpose::is_target).filter_map(|slot| read.without_origin(slot));
    values.all(|(plain, _)| plain.query().map_or(&b""[..], |own| &plain.bytes[own]) == query)
}

fn mark_target(read: &KeyedRead<'_>, slot: usize, target: &Plain, mark: &Mark, edits: &mut Edits) {
    if let Some((at, text)) = mark.insertion(&target.bytes) {
        insert(read, slot, target.place(at), &text, edits);
    }
}

fn mark_query(read: &KeyedRead<'_>, slot: usize, mark: &Mark, edits: &mut Edits) {
    let raw = read.spans[slot].of(read.line);
    if read.present(slot).is_none() {
        let coding = read.keyed.coding(read, slot);
        let place = if raw == b"\"\"" { read.spans[slot].part(1, 1) } else { read.spans[slot] };
        edits.put(place, |out| coding.encode(mark.parameter(), out));
        return;
    }
    let query = read.query(slot);
    let with_mark = [b"?", query.bytes.as_slice()].concat();
    let Some((at, text)) = mark.insertion(&with_mark) else { return };
    if query.bytes.is_empty() && raw != b"?" {
        // All of it is the gateway's.
        insert(read, slot, raw.len(), &format!("&{text}"), edits);
    } else {
        insert(read, slot, query.place(at - 1), &text, edits);
    }
}

fn insert(read: &KeyedRead<'_>, slot: usize, at: usize, text: &str, edits: &mut Edits) {
    let at = read.spans[slot].start + at;
    let coding = read.keyed.coding(read, slot);
    edits.put(Span { start: at, end: at }, |out| coding.encode(text, out));
}
