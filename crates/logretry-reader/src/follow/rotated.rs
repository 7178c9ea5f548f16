//! What has become of a log's earlier files: how they are called, and whether one of them holds a certain place.

use std::ffi::OsString;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use logretry_stage::folder;

use super::files::{Files, Identity, ReadAt, Stat};
use super::print::{Fingerprint, MARKER_BYTES, Marker};
use super::volume::Body;
use crate::rotation::{Age, age, is_packed, unpacked};
use crate::unpack::{compression, decompress};

/// Rotated files that are looked at; of more, the oldest are not.
const FILES_MAX: usize = 256;

/// How often it is begun anew to look at the files because something was done to them meanwhile: more than ever happens at once.
pub(crate) const TRIES_MAX: usize = 64;

/// Which files beside a log are looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Which {
    /// Those whose names say how old they are.
    Dated,
    /// Also those whose names only begin as that of the log: for what is known by its content.
    Alike,
}

/// What `look` finds among the rotated files of the log at `path`, which it gets from the youngest on. Where one is there twice, because it is being compressed, only the plain one counts.
///
/// One that is renamed or compressed between the reading of the names and its opening is at neither of its names: if anything of that has happened, `look` looks again.
pub(crate) fn among<S: Files, T>(
    files: &S,
    path: &Path,
    which: Which,
    mut look: impl FnMut(&mut dyn Iterator<Item = (PathBuf, Opened<S::File>)>) -> T,
) -> io::Result<T> {
    let mut standing = standing(files, path, which)?;
    let mut tries = 0..TRIES_MAX;
    loop {
        let open = |(path, _): &(PathBuf, _)| Some((path.clone(), Opened::at(files, path).ok()?));
        let found = look(&mut standing.iter().rev().filter_map(open));
        let now = self::standing(files, path, which)?;
        if now == standing || tries.next().is_none() {
            return Ok(found);
        }
        standing = now;
    }
}

/// Whether the rotated files of the log at `path` are all among `named`, can be read, and are not more than are looked at: who looks at them passes over the others.
pub(crate) fn are_all_in(named: &[PathBuf], files: &impl Files, path: &Path) -> io::Result<bool> {
    let own = path.file_name().unwrap_or_default().to_string_lossy();
    let is_named = |name: &OsString| {
        named.iter().any(|named| named.file_name() == Some(name) && folder(named) == folder(path))
    };
    let listed = names(files, folder(path))?;
    let rotated: Vec<_> = listed.iter().filter(|name| age(&own, &name.to_string_lossy()).is_some()).collect();
    let is_readable = |name: &OsString| {
        Opened::at(files, &folder(path).join(name)).and_then(|opened| opened.fingerprint()).is_ok()
    };
    Ok(rotated.len() <= FILES_MAX && rotated.iter().all(|name| is_named(name) && is_readable(name)))
}

/// The names of the rotated files, the oldest first, and which file is at each; none where a link leads nowhere.
fn standing(files: &impl Files, path: &Path, which: Which) -> io::Result<Vec<(PathBuf, Option<Identity>)>> {
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let stem = own.rsplit_once('.').map_or(&*own, |(stem, _)| stem);
    let folder = folder(path);
    let mut found: Vec<(Age, String, bool, PathBuf)> = names(files, folder)?
        .iter()
        .filter_map(|name| {
            let text = name.to_string_lossy();
            let is_alike = || which == Which::Alike && text != own && text.starts_with(stem);
            let age = age(&own, &text).or_else(|| is_alike().then_some(Age::Current))?;
            Some((age, unpacked(&text).to_owned(), is_packed(&text), folder.join(name)))
        })
        .collect();
    found.sort();
    found.dedup_by(|one, before| one.1 == before.1);
    let surplus = found.len().saturating_sub(FILES_MAX);
    let with_identity = |(.., path): (Age, String, bool, PathBuf)| {
        let identity = files.stat(&path).ok().map(|stat| stat.identity);
        (path, identity)
    };
    Ok(found.into_iter().skip(surplus).map(with_identity).collect())
}

/// The names in `folder`. It can go, and come again, like a file.
fn names(files: &impl Files, folder: &Path) -> io::Result<Arc<[OsString]>> {
    match files.names(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Arc::default()),
        names => names,
    }
}

/// An open file of a log, whatever becomes of its name.
pub(crate) struct Opened<F> {
    file: Arc<F>,
    pub(crate) stat: Stat,
    pub(crate) is_packed: bool,
}

impl<F: ReadAt> Opened<F> {
    /// Opens the file at `path`, and looks whether it is compressed.
    pub(crate) fn at(files: &impl Files<File = F>, path: &Path) -> io::Result<Self> {
        let file = Arc::new(files.open(path)?);
        let stat = file.stat()?;
        let mut head = [0; 6];
        let read = file.read_at(&mut head, 0)?;
        Ok(Self { file, stat, is_packed: compression(&head[..read]).is_some() })
    }

    /// It, to be read from its beginning.
    pub(crate) fn body(&self) -> io::Result<Body<F>> {
        let file = Arc::clone(&self.file);
        Ok(if self.is_packed {
            Body::Packed(decompress(Sequence { file, offset: 0 })?.0)
        } else {
            Body::Plain(file)
        })
    }

    pub(crate) fn fingerprint(&self) -> io::Result<Option<Fingerprint>> {
        Fingerprint::of(match self.body()? {
            Body::Plain(file) | Body::Copied(file) => Box::new(Sequence { file, offset: 0 }),
            Body::Packed(reader) => reader,
        })
    }

    /// Whether the `marker` stands before `offset`.
    pub(crate) fn has(&self, offset: u64, marker: Marker) -> io::Result<bool> {
        match self.body()? {
            Body::Plain(file) | Body::Copied(file) => Ok(Marker::before(&*file, offset)? == Some(marker)),
            Body::Packed(mut reader) => {
                let length = offset.min(MARKER_BYTES as u64);
                io::copy(&mut (&mut reader).take(offset - length), &mut io::sink())?;
                let mut before = Vec::new();
                reader.take(length).read_to_end(&mut before)?;
                Ok(before.len() as u64 == length && Marker::of(&before) == marker)
            }
        }
    }

    /// Whether it ends before `offset`.
    pub(crate) fn is_shorter(&self, offset: u64) -> io::Result<bool> {
        Ok(match self.body()? {
            Body::Plain(_) | Body::Copied(_) => self.stat.bytes < offset,
            Body::Packed(reader) => io::copy(&mut reader.take(offset), &mut io::sink())? < offset,
        })
    }
}

/// Reads a file in its order.
pub(crate) struct Sequence<F> {
    pub(crate) file: Arc<F>,
    pub(crate) offset: u64,
}

impl<F: ReadAt> Read for Sequence<F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(buffer, self.offset)?;
        self.offset += read as u64;
        Ok(read)
    }
}
