use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use super::files::{Disk, Files, Identity, Stat};

/// The real file system, in which a folder is listed once for all the logs in it: thousands of them would each list all the others.
///
/// A list holds as long as the folder has not changed since, which its time says: it is changed with each name that comes or goes.
#[derive(Debug, Clone)]
pub(crate) struct Listed {
    lists: Rc<RefCell<HashMap<PathBuf, List>>>,
    /// How long a list is believed at most.
    believed: Duration,
}

#[derive(Debug)]
struct List {
    names: Arc<[OsString]>,
    folder: (Identity, SystemTime),
    made: Instant,
}

/// What happens within this time may leave a folder the same time twice: two seconds on FAT, some milliseconds elsewhere.
const SAME_TIME: Duration = Duration::from_secs(2);

/// Not every network file system keeps the times of folders.
const BELIEVED: Duration = Duration::from_secs(1);

impl Default for Listed {
    fn default() -> Self {
        Self { lists: Rc::default(), believed: BELIEVED }
    }
}

impl Files for Listed {
    type File = File;

    fn open(&self, path: &Path) -> io::Result<File> {
        Disk.open(path)
    }

    fn stat(&self, path: &Path) -> io::Result<Stat> {
        Disk.stat(path)
    }

    fn names(&self, folder: &Path) -> io::Result<Arc<[OsString]>> {
        // Both are asked for before the names are: what changes meanwhile is seen the next time.
        let now = SystemTime::now();
        let metadata = std::fs::metadata(folder)?;
        let changed = metadata.modified()?;
        let state = ((metadata.dev(), metadata.ino()), changed);
        let mut lists = self.lists.borrow_mut();
        if let Some(list) = lists.get(folder)
            && list.folder == state
            && list.made.elapsed() < self.believed
        {
            return Ok(Arc::clone(&list.names));
        }
        lists.remove(folder);
        let made = Instant::now();
        let names = Disk.names(folder)?;
        if now.duration_since(changed).is_ok_and(|age| age > SAME_TIME) {
            let list = List { names: Arc::clone(&names), folder: state, made };
            lists.insert(folder.to_owned(), list);
        }
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aged(folder: &Path, seconds: u64) {
        let time = SystemTime::now() - Duration::from_secs(seconds);
        File::open(folder).and_then(|folder| folder.set_modified(time)).expect("a folder");
    }

    #[test]
    fn a_folder_is_listed_once_as_long_as_nothing_happens_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let write = |name| std::fs::write(folder.path().join(name), "").expect("a file");
        let files = Listed { believed: Duration::MAX, ..Listed::default() };
        let names = || files.names(folder.path()).expect("a folder");
        write("a.log");
        assert_eq!(names().len(), 1);
        assert!(files.lists.borrow().is_empty(), "a name may have come in the same tick");
        aged(folder.path(), 60);
        let first = names();
        assert!(Arc::ptr_eq(&first, &names()));
        write("b.log");
        assert_eq!(names().len(), 2);
        aged(folder.path(), 30);
        assert_eq!(names().len(), 2);
        std::fs::rename(folder.path().join("b.log"), folder.path().join("c.log")).expect("a file");
        assert!(names().iter().any(|name| name == "c.log"));
    }
}
