use std::fs::File;
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::path::Path;

use logretry_stage::{Fatal, Result};

/// Shows each line of the file to `take`, with its number and without its line end; none for a line that is longer than `bytes_max`.
pub(crate) fn each_line(
    path: &Path,
    bytes_max: usize,
    mut take: impl FnMut(u64, Option<&[u8]>),
) -> Result<()> {
    let failed = |doing, error| Fatal::new(format!("{doing} {}: {error}", path.display()));
    let file = File::open(path).map_err(|error| failed("open", error))?;
    let mut file = BufReader::with_capacity(256 << 10, file);
    let mut line = Vec::new();
    let mut number = 0;
    while read_line(&mut file, bytes_max, &mut line).map_err(|error| failed("read", error))? {
        number += 1;
        let text = line.strip_suffix(b"\n").unwrap_or(&line);
        take(number, (text.len() <= bytes_max).then_some(text));
    }
    Ok(())
}

/// Reads a line, or as much of it as shows that it is too long; false at the end.
fn read_line(file: &mut BufReader<File>, bytes_max: usize, line: &mut Vec<u8>) -> io::Result<bool> {
    line.clear();
    file.by_ref().take((bytes_max as u64).saturating_add(1)).read_until(b'\n', line)?;
    if line.len() > bytes_max && !line.ends_with(b"\n") {
        file.skip_until(b'\n')?;
    }
    Ok(!line.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_one_line_all_the_same() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.log");
        std::fs::write(&path, "12345\n1234567890123\n123456\n\n12").expect("it can be written");
        let mut lines = Vec::new();
        each_line(&path, 5, |number, line| lines.push((number, line.map(<[u8]>::to_vec))))
            .expect("it is read");
        let text = |text: &str| Some(text.as_bytes().to_vec());
        assert_eq!(lines, [(1, text("12345")), (2, None), (3, None), (4, text("")), (5, text("12"))]);
        let mut all = 0;
        each_line(&path, usize::MAX, |_, line| all += usize::from(line.is_some())).expect("it is read");
        assert_eq!(all, 5);
    }
}
