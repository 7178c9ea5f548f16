//! Logs that lie there twice, as they are and compressed.
//!
//! So it is while logrotate compresses a large log, for minutes, and after `gzip -k`. Both would be read: each request would be there twice, and the copy that is being
//! written would be said to be damaged.

use std::collections::HashSet;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::Input;
use crate::rotation::is_packed;
use crate::unpack::decompress;

/// What is compared of two logs. Lines say when they were written: other logs differ in the first one.
const COMPARED_BYTES: u64 = 64 << 10;

/// Takes out of `inputs` each compressed copy of a log that is there too.
pub(crate) fn leave_out_copies(inputs: &mut Vec<Input>) {
    let paths: HashSet<PathBuf> = inputs.iter().filter_map(path).map(Path::to_owned).collect();
    inputs.retain(|input| {
        let copied =
            path(input).and_then(|copy| Some((copy, original(copy).filter(|path| paths.contains(path))?)));
        // What cannot be told is read, and says itself why.
        !copied.is_some_and(|(copy, original)| is_copy(copy, &original).unwrap_or(false))
    });
}

fn path(input: &Input) -> Option<&Path> {
    match input {
        Input::File(path) => Some(path),
        Input::Stdin => None,
    }
}

/// What `copy` would be called before it was compressed.
fn original(copy: &Path) -> Option<PathBuf> {
    let name = copy.file_name().filter(|name| is_packed(&name.to_string_lossy()));
    name.map(|_| copy.with_extension(""))
}

/// Whether `copy` was made of `original`, or is being made: it begins with the same lines, and is not older. An older one may be what a log is just being unpacked from.
fn is_copy(copy: &Path, original: &Path) -> io::Result<bool> {
    let [packed, plain] = [File::open(copy)?, File::open(original)?];
    let [made, written] = [packed.metadata()?, plain.metadata()?];
    if !made.is_file() || !written.is_file() || made.modified()? < written.modified()? {
        return Ok(false);
    }
    let (unpacked, Some(_)) = decompress(packed)? else { return Ok(false) };
    let [copied, written] = [head(unpacked), head(plain)];
    let length = copied.len().min(written.len());
    Ok(copied[..length] == written[..length] && copied[..length].contains(&b'\n'))
}

/// The first bytes of `log`, as far as it can be read: what is being compressed breaks off somewhere.
fn head(log: impl Read) -> Vec<u8> {
    let mut head = Vec::new();
    let _ = log.take(COMPARED_BYTES).read_to_end(&mut head);
    head
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write as _;
    use std::time::{Duration, SystemTime};

    use super::*;

    fn gzip(text: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text).expect("memory");
        encoder.finish().expect("memory")
    }

    /// Lines that do not compress to nothing.
    fn lines(first: u64) -> Vec<u8> {
        let mut number = fastrand::Rng::with_seed(first);
        (0..5000).flat_map(|_| format!("{}\n", number.u64(..)).into_bytes()).collect()
    }

    /// Which of a log and what lies beside it are read, if that is so many seconds younger.
    fn left(log: &[u8], beside: (&str, &[u8]), younger: i64) -> Vec<String> {
        let folder = tempfile::tempdir().expect("a folder");
        let now = SystemTime::now();
        let put = |name: &str, bytes: &[u8], time| {
            let path = folder.path().join(name);
            fs::write(&path, bytes).expect("a file");
            File::options()
                .append(true)
                .open(&path)
                .and_then(|file| file.set_modified(time))
                .expect("a time");
            Input::File(path)
        };
        let past = now - Duration::from_secs(100);
        let time = if younger < 0 {
            past - Duration::from_secs(younger.unsigned_abs())
        } else {
            past + Duration::from_secs(younger.unsigned_abs())
        };
        let mut inputs = vec![put(beside.0, beside.1, time), Input::Stdin, put("access.log.1", log, past)];
        leave_out_copies(&mut inputs);
        inputs
            .iter()
            .map(|input| {
                Path::new(input.name()).file_name().unwrap_or_default().to_string_lossy().into_owned()
            })
            .collect()
    }

    #[test]
    fn a_log_that_lies_beside_its_compressed_copy_is_read_once() {
        let (log, other) = (lines(1), lines(2));
        let packed = gzip(&log);
        let unfinished = &packed[..packed.len() / 2];
        let (both, one) = (vec!["access.log.1.gz", "-", "access.log.1"], vec!["-", "access.log.1"]);
        assert_eq!(left(&log, ("access.log.1.gz", &packed), 0), one);
        assert_eq!(left(&log, ("access.log.1.gz", unfinished), 60), one);
        // Written on since, or just being unpacked.
        assert_eq!(left(&log[..9000], ("access.log.1.gz", &packed), -60), both);
        assert_eq!(left(&other, ("access.log.1.gz", &packed), 0), both);
        assert_eq!(left(b"", ("access.log.1.gz", &packed), 0), both);
        assert_eq!(left(&log, ("access.log.1.gz", &log), 0), both, "it is not compressed");
        assert_eq!(left(&log, ("access.log.1.gz", &packed[..10]), 60), both, "nothing can be told");
        assert_eq!(left(&log, ("access.log.2.gz", &packed), 0), ["access.log.2.gz", "-", "access.log.1"]);
    }
}
