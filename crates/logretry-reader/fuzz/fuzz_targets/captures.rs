//! Any bytes as a log: as they are, as a HAR file, as a capture of GoReplay. No panic, no hang, and each entry has one end: lines = records +
//! rejected + screened.

#![no_main]

use std::io::Write as _;
use std::path::Path;

use futures_util::StreamExt as _;
use libfuzzer_sys::fuzz_target;
use logretry_reader::{Reader, ReaderOptions, format, inputs};
use logretry_stage::{Context, Source as _};

const HAR: &[u8] = br#"{"log":{"version":"1.2","entries":["#;
const GOR: &[u8] = b"1 5c0ffee5c0ffee5c0ffee5c0 1795329862135079900 0\nPOST / HTTP/1.1\r\n";

fuzz_target!(|input: (u8, &[u8])| {
    let (kind, bytes) = input;
    let (head, name): (&[u8], _) = match kind % 3 {
        0 => (b"", None),
        1 => (HAR, Some("har")),
        _ => (GOR, Some("gor")),
    };
    let mut file = tempfile::NamedTempFile::new_in("/dev/shm").expect("a file");
    file.write_all(head).and_then(|()| file.write_all(bytes)).expect("memory");
    read(file.path(), None);
    if name.is_some() {
        read(file.path(), name);
    }
});

fn read(path: &Path, name: Option<&str>) {
    let formats = name.map(|name| format(name).expect("a preset")).into_iter().collect();
    let options = ReaderOptions { formats, line_bytes_max: 4096, ..ReaderOptions::default() };
    let reader = Reader::new(inputs(&[path]).expect("the file is there"), options);
    let cx = Context::default();
    let runtime = tokio::runtime::Builder::new_current_thread().build().expect("a runtime");
    let (mut records, mut failed) = (0, false);
    runtime.block_on(async {
        let mut stream = std::pin::pin!(reader.open(&cx));
        while let Some(item) = stream.next().await {
            match item {
                Ok(record) => {
                    let mut line = Vec::new();
                    record.encode(&mut line);
                    records += 1;
                }
                // No format was found.
                Err(_) => failed = true,
            }
        }
    });
    let accounts = cx.tally().accounts();
    assert!(failed || accounts.records == records);
    assert_eq!(accounts.check(), Ok(()));
}
