use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// What strace saw a process do to its files and sockets, in the order in which it did it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Step {
    /// Wrote `data` into the file; at its end, where `offset` is none. It begins before it is done; here it stands where it was done.
    Write { file: String, offset: Option<u64>, data: Vec<u8> },
    /// Cut the file to `length`.
    Truncate { file: String, length: u64 },
    /// Synced what had been written into the file when the sync began: up to the step with this index.
    Sync { file: String, begun: usize },
    /// Removed the file.
    Remove { file: String },
    /// Began to hand requests with these record ids to the network, so many seconds since the epoch.
    Send { ids: Vec<[u8; 16]>, time: f64 },
}

/// The system calls that make a difference to files and sockets.
pub(crate) const CALLS: &str =
    "write,writev,pwrite64,pwritev,sendto,sendmsg,fsync,fdatasync,sync_file_range,ftruncate,unlink";

/// What strace is to be told so that [`read`] understands what it writes to `output`.
pub(crate) fn strace(output: &Path) -> Vec<String> {
    let output = output.display().to_string();
    let calls = format!("trace={CALLS}");
    [
        "strace",
        "-f",
        "-q",
        "-ttt",
        "-yy",
        "-xx",
        "-s",
        "1000000",
        "-e",
        &calls,
        "-e",
        "signal=none",
        "-o",
        &output,
    ]
    .map(str::to_owned)
    .into()
}

/// Reads what strace wrote to `path`.
pub(crate) fn read(path: &Path) -> Vec<Step> {
    let text = fs::read_to_string(path).expect("strace wrote text");
    let mut steps = Vec::new();
    let mut unfinished: Vec<(String, String, usize)> = Vec::new();
    for line in text.lines() {
        let mut words = line.splitn(3, ' ').filter(|word| !word.is_empty());
        let (Some(thread), Some(rest)) = (words.next(), line.trim_start().split_once(' ')) else { continue };
        let rest = rest.1.trim_start();
        let Some((time, call)) = rest.split_once(' ') else { continue };
        let time = time.parse().expect("a time stamp");
        if let Some((_, after)) = call.split_once(" resumed>") {
            let place = unfinished.iter().position(|(of, ..)| of == thread);
            let (_, before, begun) = unfinished.remove(place.expect("it was begun"));
            steps.extend(done(&format!("{before}{after}"), begun));
        } else if let Some(before) = call.strip_suffix(" <unfinished ...>") {
            steps.extend(sent(before, time));
            unfinished.push((thread.to_owned(), before.to_owned(), steps.len()));
        } else {
            steps.extend(sent(call, time));
            steps.extend(done(call, steps.len()));
        }
    }
    steps
}

/// The requests that `call` begins to send, if that is what it does.
fn sent(call: &str, time: f64) -> Option<Step> {
    let (_, rest) = call.split_once('(')?;
    if !rest.split_once('<')?.1.starts_with("TCP") {
        return None;
    }
    let data = data(rest);
    let ids: Vec<_> = positions(&data, b" id=").filter_map(|at| id(data.get(at..at + 32)?)).collect();
    (!ids.is_empty()).then_some(Step::Send { ids, time })
}

/// What a finished `call` did to a file, if that is what it did and it did not fail.
fn done(call: &str, begun: usize) -> Option<Step> {
    let (name, rest) = call.split_once('(')?;
    let (arguments, result) = rest.rsplit_once(" = ")?;
    let result: u64 = result.split(' ').next()?.parse().ok()?;
    let last_part = |path: Vec<u8>| String::from_utf8(path).ok()?.rsplit('/').next().map(str::to_owned);
    if name == "unlink" {
        return Some(Step::Remove { file: last_part(data(arguments))? });
    }
    let (_, described) = arguments.split_once('<')?;
    if described.starts_with("TCP") {
        return None;
    }
    let (file, arguments) = described.split_once('>')?;
    let file = last_part(bytes(file))?;
    let last = || arguments.trim_end_matches(')').rsplit(", ").next()?.parse::<u64>().ok();
    match name {
        "pwrite64" => {
            let mut data = data(arguments);
            data.truncate(usize::try_from(result).ok()?);
            Some(Step::Write { file, offset: last(), data })
        }
        "write" | "writev" => {
            let mut data = data(arguments);
            data.truncate(usize::try_from(result).ok()?);
            Some(Step::Write { file, offset: None, data })
        }
        "ftruncate" => Some(Step::Truncate { file, length: last()? }),
        "fsync" | "fdatasync" => Some(Step::Sync { file, begun }),
        _ => None,
    }
}

/// All bytes between quotation marks.
fn data(arguments: &str) -> Vec<u8> {
    arguments.split('"').skip(1).step_by(2).flat_map(bytes).collect()
}

/// What strace writes as `\xHH\xHH`.
fn bytes(text: &str) -> Vec<u8> {
    let digits = text.split("\\x").skip(1);
    digits.map(|digits| u8::from_str_radix(&digits[..2], 16).expect("two hexadecimal digits")).collect()
}

/// Where `data` goes on behind each `mark`.
fn positions<'a>(data: &'a [u8], mark: &'a [u8]) -> impl Iterator<Item = usize> + 'a {
    (mark.len()..=data.len()).filter(move |&end| data[..end].ends_with(mark))
}

/// A record id of 32 hexadecimal digits.
pub(crate) fn id(digits: &[u8]) -> Option<[u8; 16]> {
    let mut id = [0; 16];
    for (byte, pair) in id.iter_mut().zip(digits.chunks_exact(2)) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    (digits.len() == 32).then_some(id)
}

/// The record ids that stand in `data`, of those that are `known`.
pub(crate) fn ids_in(data: &[u8], known: &BTreeSet<[u8; 16]>) -> BTreeSet<[u8; 16]> {
    data.windows(16).filter_map(|bytes| known.get(bytes).copied()).collect()
}

#[test]
fn a_trace_is_read() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let path = folder.path().join("trace");
    let hex = |text: &str| {
        let digits: Vec<_> = text.bytes().map(|byte| format!("\\x{byte:02x}")).collect();
        digits.concat()
    };
    let (wal_path, log_path) = (hex("/tmp/x/retry.log.ledger-wal"), hex("/tmp/x/retry.log"));
    let request = hex(" id=00112233445566778899aabbccddeeff\r");
    let text = format!(
        "1 10.5 pwrite64(7<{wal_path}>, \"\\x41\\x42\", 2, 32) = 2\n\
         1  10.6 fdatasync(7<{wal_path}> <unfinished ...>\n\
         2 10.7 writev(9<TCP:[127.0.0.1:1->127.0.0.1:2]>, [{{iov_base=\"{request}\", iov_len=37}}], 1) = 37\n\
         1 10.8 <... fdatasync resumed>) = 0\n\
         2 10.9 write(8<{log_path}>, \"\\x0a\", 1) = -1 ENOSPC (No space left on device)\n\
         2 11.0 ftruncate(8<{log_path}>, 5) = 0\n\
         2 11.1 unlink(\"{log_path}\") = 0\n"
    );
    fs::write(&path, text).expect("the folder can be written");
    let wal = || "retry.log.ledger-wal".to_owned();
    let id = [0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238, 255];
    assert_eq!(
        read(&path),
        [
            Step::Write { file: wal(), offset: Some(32), data: b"AB".to_vec() },
            Step::Send { ids: vec![id], time: 10.7 },
            Step::Sync { file: wal(), begun: 1 },
            Step::Truncate { file: "retry.log".to_owned(), length: 5 },
            Step::Remove { file: "retry.log".to_owned() },
        ]
    );
}
