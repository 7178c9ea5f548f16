//! Logs that are rotated before it is their turn are read as they were when they were named.

use std::fs;
use std::path::{Path, PathBuf};

use crate::lab::{Read, options, read_files_after};

/// A folder with `access.log.N` … `access.log.1` and `access.log`, which have a line with so many letters each, and these in the order in which they are read.
fn rotated(count: usize) -> (tempfile::TempDir, Vec<PathBuf>) {
    let folder = tempfile::tempdir().expect("a folder");
    let name = |number| match number {
        0 => "access.log".to_owned(),
        number => format!("access.log.{number}"),
    };
    let path = |number| {
        let path = folder.path().join(name(number));
        let line =
            "203.0.113.9 - - [22/Nov/2026:06:22:52 +0000] \"GET /NUMBER HTTP/1.1\" 502 157 \"-\" \"curl\"\n";
        fs::write(&path, line.replace("NUMBER", &"n".repeat(number))).expect("a file");
        path
    };
    let paths = (0..=count).rev().map(path).collect();
    (folder, paths)
}

/// Reads the logs after something has happened to them.
fn read_after(paths: &[PathBuf], happens: impl FnOnce()) -> Read {
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    read_files_after(&paths, options(&[]), happens)
}

/// Each log gets the next number, and a new one is begun.
fn rotate(paths: &[PathBuf], folder: &Path) {
    let last = folder.join(format!("access.log.{}", paths.len()));
    let names = [last].into_iter().chain(paths.iter().cloned()).collect::<Vec<_>>();
    for pair in names.windows(2) {
        fs::rename(&pair[1], &pair[0]).expect("renamed");
    }
    fs::write(
        folder.join("access.log"),
        "203.0.113.9 - - [22/Nov/2026:07:00:00 +0000] \"GET /new HTTP/1.1\" 502 157 \"-\" \"-\"\n",
    )
    .expect("a file");
}

#[test]
fn each_log_is_read_wherever_it_has_gone() {
    // So many are not kept open.
    let (folder, paths) = rotated(30);
    let read = read_after(&paths, || rotate(&paths, folder.path()));
    let expected: Vec<String> = (0..=30).rev().map(|number| format!("/{}", "n".repeat(number))).collect();
    assert_eq!((read.targets(), &read.fatal), (expected.iter().map(String::as_str).collect(), &None));
}

#[test]
fn a_log_that_is_compressed_meanwhile_is_read_too() {
    let (folder, paths) = rotated(2);
    let read = read_after(&paths, || {
        rotate(&paths, folder.path());
        // As gzip does: another file, and the first one is gone.
        fs::write(folder.path().join("access.log.2.gz"), "another file").expect("a file");
        fs::remove_file(folder.path().join("access.log.2")).expect("removed");
    });
    assert_eq!((read.targets(), &read.fatal), (vec!["/nn", "/n", "/"], &None));
}

#[test]
fn a_log_that_is_gone_is_not_passed_over_in_silence() {
    let (folder, paths) = rotated(30);
    let read = read_after(&paths, || {
        rotate(&paths, folder.path());
        fs::remove_file(folder.path().join("access.log.30")).expect("removed");
    });
    let fatal = read.fatal.expect("one log is missing");
    assert!(fatal.contains("access.log.29` as it was: it has been rotated since"), "{fatal}");
}

#[test]
fn a_log_that_has_been_emptied_is_not_taken_for_a_short_one() {
    let (folder, paths) = rotated(0);
    let read = read_after(&paths, || {
        fs::copy(&paths[0], folder.path().join("access.log.1")).expect("a copy");
        fs::write(&paths[0], "").expect("emptied");
    });
    let fatal = read.fatal.expect("its lines are in the copy");
    assert!(fatal.contains("it has been emptied meanwhile"), "{fatal}");
}
