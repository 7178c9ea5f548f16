use std::collections::{BTreeMap, VecDeque};
use std::ffi::OsString;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, Weak};

use super::world::World;
use crate::follow::files::{Files, ReadAt, Stat};

/// A file system in memory. The smallest free inode is used first, as soon as nobody has the old file open.
#[derive(Clone, Default)]
pub(super) struct Simulated(Arc<Mutex<State>>, Arc<Mutex<VecDeque<Moment>>>);

/// What happens between two questions of a follower, and how many go before.
pub(super) type Moment = (u8, Box<dyn FnOnce(&Simulated) + Send>);

#[derive(Default)]
struct State {
    names: BTreeMap<String, Arc<Inode>>,
    inodes: Vec<Weak<Inode>>,
}

#[derive(Default)]
pub(super) struct Inode {
    number: u64,
    bytes: Mutex<Vec<u8>>,
    /// What a compressed file holds.
    plain: Option<Vec<u8>>,
    readers: AtomicUsize,
}

/// A reader's open file.
pub(super) struct Handle(Arc<Inode>, Simulated);

impl Drop for Handle {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().expect("a name").to_string_lossy().into_owned()
}

impl Inode {
    fn stat(&self) -> Stat {
        Stat { identity: (1, self.number), bytes: self.bytes.lock().expect("no panic").len() as u64 }
    }
}

impl Simulated {
    /// Lets things happen while it is asked.
    pub(super) fn meanwhile(&self, moments: impl IntoIterator<Item = Moment>) {
        self.1.lock().expect("no panic").extend(moments);
    }

    /// Whether something is still to happen.
    pub(super) fn goes_on(&self) -> bool {
        !self.1.lock().expect("no panic").is_empty()
    }

    /// A question is asked.
    fn ask(&self) {
        let mut moments = self.1.lock().expect("no panic");
        let due = match moments.front_mut() {
            Some((0, _)) => moments.pop_front(),
            Some((before, _)) => {
                *before -= 1;
                None
            }
            None => None,
        };
        drop(moments);
        if let Some((_, happens)) = due {
            happens(self);
        }
    }

    /// All that a follower can still find: what has a name, and what a reader has open.
    pub(super) fn contents(&self) -> Vec<Vec<u8>> {
        let state = self.0.lock().expect("no panic");
        let named = state.names.values().map(Arc::clone);
        let open = state.inodes.iter().filter_map(Weak::upgrade);
        let open = open.filter(|inode| inode.readers.load(Ordering::Relaxed) > 0);
        let plain = |inode: Arc<Inode>| {
            inode.plain.clone().unwrap_or_else(|| inode.bytes.lock().expect("no panic").clone())
        };
        named.chain(open).map(plain).collect()
    }

    /// What is in a file.
    pub(super) fn contents_of(&self, name: &str) -> Vec<u8> {
        self.inode(name).expect("it is there").bytes.lock().expect("no panic").clone()
    }

    /// Writes `NAME.gz`, and leaves the file.
    pub(super) fn pack(&self, name: &str) {
        let plain = self.contents_of(name);
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(&plain).expect("memory");
        self.create(&format!("{name}.gz"), encoder.finish().expect("memory"), Some(plain));
    }

    fn create(&self, name: &str, bytes: Vec<u8>, plain: Option<Vec<u8>>) -> Arc<Inode> {
        let mut state = self.0.lock().expect("no panic");
        state.names.remove(name);
        state.inodes.retain(|inode| inode.strong_count() > 0);
        let used: Vec<u64> =
            state.inodes.iter().filter_map(Weak::upgrade).map(|inode| inode.number).collect();
        let number = (1..u64::MAX).find(|number| !used.contains(number)).expect("a number");
        let inode = Arc::new(Inode { number, bytes: Mutex::new(bytes), plain, readers: AtomicUsize::new(0) });
        state.inodes.push(Arc::downgrade(&inode));
        state.names.insert(name.to_owned(), Arc::clone(&inode));
        inode
    }

    fn inode(&self, name: &str) -> io::Result<Arc<Inode>> {
        let state = self.0.lock().expect("no panic");
        state.names.get(name).cloned().ok_or_else(|| io::ErrorKind::NotFound.into())
    }
}

impl Files for Simulated {
    type File = Handle;

    fn open(&self, path: &Path) -> io::Result<Handle> {
        self.ask();
        let inode = self.inode(&name_of(path))?;
        inode.readers.fetch_add(1, Ordering::Relaxed);
        Ok(Handle(inode, self.clone()))
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        self.ask();
        Ok(self.inode(&name_of(path))?.stat())
    }

    fn names(&self, _: &Path) -> io::Result<Arc<[OsString]>> {
        self.ask();
        Ok(self.0.lock().expect("no panic").names.keys().map(OsString::from).collect())
    }
}

impl ReadAt for Handle {
    fn stat(&self) -> io::Result<Stat> {
        self.1.ask();
        Ok(self.0.stat())
    }

    fn is_removed(&self) -> bool {
        self.1.ask();
        let state = self.1.0.lock().expect("no panic");
        !state.names.values().any(|inode| Arc::ptr_eq(inode, &self.0))
    }

    fn read_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
        self.1.ask();
        let bytes = self.0.bytes.lock().expect("no panic");
        let rest = bytes.get(usize::try_from(offset).expect("small")..).unwrap_or(&[]);
        let read = rest.len().min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        Ok(read)
    }
}

impl World for Simulated {
    type Writer = Arc<Inode>;

    fn path(&self, name: &str) -> PathBuf {
        Path::new("/logs").join(name)
    }

    fn exists(&self, name: &str) -> bool {
        self.inode(name).is_ok()
    }

    fn writer(&self, name: &str) -> Arc<Inode> {
        self.inode(name).unwrap_or_else(|_| self.create(name, Vec::new(), None))
    }

    fn append(&self, writer: &Arc<Inode>, bytes: &[u8]) {
        writer.bytes.lock().expect("no panic").extend_from_slice(bytes);
    }

    fn write_at(&self, writer: &Arc<Inode>, bytes: &[u8], offset: u64) {
        if bytes.is_empty() {
            return;
        }
        let mut held = writer.bytes.lock().expect("no panic");
        let (start, end) =
            (usize::try_from(offset).expect("small"), usize::try_from(offset).expect("small") + bytes.len());
        if held.len() < end {
            held.resize(end, 0);
        }
        held[start..end].copy_from_slice(bytes);
    }

    fn rename(&self, from: &str, to: &str) {
        let mut state = self.0.lock().expect("no panic");
        let inode = state.names.remove(from).expect("it is there");
        state.names.insert(to.to_owned(), inode);
    }

    fn copy(&self, from: &str, to: &str) {
        let inode = self.inode(from).expect("it is there");
        let bytes = inode.bytes.lock().expect("no panic").clone();
        self.create(to, bytes, inode.plain.clone());
    }

    fn truncate(&self, name: &str) {
        self.inode(name).expect("it is there").bytes.lock().expect("no panic").clear();
    }

    fn remove(&self, name: &str) {
        self.0.lock().expect("no panic").names.remove(name).expect("it is there");
    }

    fn gzip(&self, name: &str) {
        self.pack(name);
        self.remove(name);
    }
}
