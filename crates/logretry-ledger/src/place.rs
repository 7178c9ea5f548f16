//! Where a ledger lies: its lock, its file system, its permissions, and whose it is.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, Write as _};
use std::os::unix::fs::{MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustix::fs::{Access, FlockOperation, OFlags};

use crate::LedgerError;
use crate::error::At as _;

/// The right to write a ledger, until it is dropped; the system takes it back when the process dies, however it dies.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    /// The ledger itself.
    _ledger: Option<File>,
    _ours: Option<Ours>,
}

impl Lock {
    /// Takes the lock of the ledger at `path`, or says at once who has it.
    pub(crate) fn take(path: &Path) -> Result<Self, LedgerError> {
        let mut options = OpenOptions::new();
        options.read(true).write(true).create(true).truncate(false).mode(0o600);
        options.custom_flags(OFlags::NOFOLLOW.bits().cast_signed());
        let mut file = options.open(beside(path, ".lock")).at(path, "lock")?;
        match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
            Ok(()) => {}
            Err(rustix::io::Errno::WOULDBLOCK) => {
                let mut holder = String::new();
                // Who it is, is a courtesy.
                let _ = file.take(300).read_to_string(&mut holder);
                let holder = if holder.trim().is_empty() { "another process" } else { holder.trim() };
                return Err(LedgerError::InUse { path: path.to_owned(), holder: holder.to_owned() });
            }
            Err(error) => return Err(io::Error::from(error)).at(path, "lock"),
        }
        let host = rustix::system::uname();
        let holder = format!("process {} on {}\n", std::process::id(), host.nodename().to_string_lossy());
        file.set_len(0).and_then(|()| file.rewind()).at(path, "lock")?;
        file.write_all(holder.as_bytes()).at(path, "lock")?;
        Ok(Self { _file: file, _ledger: None, _ours: None })
    }

    /// Locks the ledger itself too, which is there now: somebody may have removed the other file, for it looks as if it had been left behind.
    ///
    /// It must be dropped after all connections of SQLite, whose own locks end when any file of this process that is the same one is closed. Where they are of one kind with this
    /// lock, it would keep them out.
    #[cfg(target_os = "linux")]
    pub(crate) fn and_the_file(self, path: &Path) -> Result<Self, LedgerError> {
        let ours = Ours::enter(path)?;
        let mut options = OpenOptions::new();
        // Whatever it is, it is not waited for.
        options.read(true).custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits().cast_signed());
        let file = options.open(path).at(path, "open")?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive)
            == Err(rustix::io::Errno::WOULDBLOCK)
        {
            return Err(LedgerError::InUse { path: path.to_owned(), holder: "another process".to_owned() });
        }
        Ok(Self { _ledger: Some(file), _ours: Some(ours), ..self })
    }

    #[cfg(not(target_os = "linux"))]
    pub(crate) fn and_the_file(self, path: &Path) -> Result<Self, LedgerError> {
        Ok(Self { _ours: Some(Ours::enter(path)?), ..self })
    }

    /// Who works with the ledger at `path`, if anybody does.
    pub(crate) fn holder(path: &Path) -> Option<String> {
        let mut file = File::open(beside(path, ".lock")).ok()?;
        if rustix::fs::flock(&file, FlockOperation::NonBlockingLockShared).is_ok() {
            return None;
        }
        let mut holder = String::new();
        file.read_to_string(&mut holder).ok()?;
        Some(holder.trim().to_owned())
    }
}

/// A ledger that this process has open, by its device and inode; no second time. SQLite loses its locks in this process as soon as any file that is the same one is closed
/// (<https://sqlite.org/howtocorrupt.html>, 2.2), and another program could take the WAL for left behind: so a second one is refused before it is opened.
#[derive(Debug)]
struct Ours((u64, u64));

impl Ours {
    fn enter(path: &Path) -> Result<Self, LedgerError> {
        let identity = identity(path).at(path, "open")?;
        if Self::all().insert(identity) {
            return Ok(Self(identity));
        }
        Err(LedgerError::InUse { path: path.to_owned(), holder: "this process".to_owned() })
    }

    fn has(path: &Path) -> bool {
        identity(path).is_ok_and(|identity| Self::all().contains(&identity))
    }

    fn all() -> MutexGuard<'static, BTreeSet<(u64, u64)>> {
        static ALL: Mutex<BTreeSet<(u64, u64)>> = Mutex::new(BTreeSet::new());
        ALL.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Ours {
    fn drop(&mut self) {
        Self::all().remove(&self.0);
    }
}

/// The file beside `path` whose name has `suffix` added.
pub(crate) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

/// Refuses what is not there or may not be read, in the system's words; SQLite has the same ones for all that it cannot open.
pub(crate) fn refuse_unreadable(path: &Path) -> Result<(), LedgerError> {
    rustix::fs::access(path, Access::READ_OK).map_err(io::Error::from).at(path, "open")
}

/// What a database of SQLite begins with (<https://sqlite.org/fileformat2.html>).
const HEADER: &[u8] = b"SQLite format 3\0";
/// What a rollback journal of SQLite begins with.
const JOURNAL: &[u8] = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7";

/// Refuses a file that is no database, before a lock is left beside it: beside a log, and in a folder of logs, that would be taken for one.
pub(crate) fn refuse_other_kind(path: &Path) -> Result<(), LedgerError> {
    // Where there is a lock, none is left anew; and one that this process has open is no other kind.
    if beside(path, ".lock").exists() || Ours::has(path) {
        return Ok(());
    }
    // What may not be read is said with more words later.
    let is_file = path.symlink_metadata().is_ok_and(|found| found.is_file());
    let Some(file) = is_file.then(|| File::open(path).ok()).flatten() else { return Ok(()) };
    let head = head(file, HEADER.len()).at(path, "read")?;
    if head.is_empty() || head == HEADER {
        return Ok(());
    }
    // The power failed while it was made: its beginning has not reached the disk, but what SQLite needs to take it back has.
    let is_begun = || File::open(beside(path, "-journal")).and_then(|file| self::head(file, JOURNAL.len()));
    if head.iter().all(|&byte| byte == 0) && is_begun().is_ok_and(|head| head == JOURNAL) {
        return Ok(());
    }
    Err(LedgerError::NoLedger { path: path.to_owned() })
}

/// The first `length` bytes of `file`, or fewer.
fn head(file: File, length: usize) -> io::Result<Vec<u8>> {
    let mut head = Vec::new();
    file.take(length as u64).read_to_end(&mut head)?;
    Ok(head)
}

/// Refuses a ledger that somebody else may have put there: a symbolic link, and in a folder that everybody may write into (`/tmp`) a file of another user. It would say
/// what has been sent already, and with which secret keys are made. SQLite itself follows no link to the files beside it.
pub(crate) fn refuse_foreign(path: &Path) -> Result<(), LedgerError> {
    let Ok(found) = path.symlink_metadata() else { return Ok(()) };
    if found.is_symlink() {
        let error = io::Error::other("it is a symbolic link; name the file that it points to");
        return Err(error).at(path, "open");
    }
    let folder = folder(path).metadata().at(path, "look at the folder of")?;
    if is_foreign(found.uid(), folder.mode(), rustix::process::geteuid().as_raw()) {
        let error = io::Error::other("it belongs to another user, and everybody may write into its folder");
        return Err(error).at(path, "open");
    }
    Ok(())
}

/// Refuses a ledger with a second name. What was written last stands in a file beside the name under which it was written, and the lock is beside that name too: under the
/// other one requests would be sent that have been sent already (<https://sqlite.org/howtocorrupt.html#_multiple_links_to_the_same_file>).
pub(crate) fn refuse_other_names(path: &Path) -> Result<(), LedgerError> {
    let found = path.metadata().at(path, "open")?;
    if !found.is_file() || found.nlink() < 2 {
        return Ok(());
    }
    let error = io::Error::other(
        "it has a second name (a hard link), under which a part of it would be missing; copy it there instead, and remove the other name",
    );
    Err(error).at(path, "use")
}

/// Which files a ledger is: the one with its name, and the one beside it, in which stands what was written last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Identity([(u64, u64); 2]);

impl Identity {
    /// That of the files which have the names now.
    pub(crate) fn of(path: &Path) -> io::Result<Self> {
        Ok(Self([identity(path)?, identity(&beside(path, "-wal"))?]))
    }
}

fn identity(path: &Path) -> io::Result<(u64, u64)> {
    path.symlink_metadata().map(|found| (found.dev(), found.ino()))
}

fn is_foreign(owner: u32, folder_mode: u32, me: u32) -> bool {
    owner != me && folder_mode & 0o002 != 0
}

/// Makes the file, for its owner only, if it is not there; and says whether it is new.
///
/// A file name is durable when its folder is.
pub(crate) fn create(path: &Path) -> Result<bool, LedgerError> {
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path);
    match made {
        Ok(file) => {
            file.sync_all().at(path, "create")?;
            sync_folder(path)?;
            Ok(true)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(false),
        Err(error) => Err(error).at(path, "create"),
    }
}

/// Makes the names in the folder of `path` durable.
pub(crate) fn sync_folder(path: &Path) -> Result<(), LedgerError> {
    File::open(folder(path)).and_then(|folder| folder.sync_all()).at(path, "sync the folder of")
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// Refuses file systems of other machines: SQLite's WAL needs memory that all its users share, and the lock must hold.
#[cfg(target_os = "linux")]
pub(crate) fn refuse_network(path: &Path) -> Result<(), LedgerError> {
    let found =
        rustix::fs::statfs(folder(path)).map_err(io::Error::from).at(path, "look at the folder of")?;
    // The numbers are 32 bits wide, and some of them come with their sign extended.
    match network(found.f_type.cast_unsigned() & 0xFFFF_FFFF) {
        Some(file_system) => Err(LedgerError::NetworkFileSystem { path: path.to_owned(), file_system }),
        None => Ok(()),
    }
}

#[cfg(not(target_os = "linux"))]
pub(crate) fn refuse_network(_: &Path) -> Result<(), LedgerError> {
    Ok(())
}

/// The network file systems among the magic numbers of `statfs(2)`.
#[cfg(target_os = "linux")]
fn network(magic: u64) -> Option<&'static str> {
    Some(match magic {
        0x6969 => "NFS",
        0x517B | 0xFE53_4D42 | 0xFF53_4D42 => "SMB",
        0x0102_1997 => "9p",
        0x00C3_6400 => "Ceph",
        0x0BD0_0BD0 => "Lustre",
        0x1983_0326 => "BeeGFS",
        0x4750_4653 => "GPFS",
        0x5346_414F | 0x6B41_4653 => "AFS",
        0x7375_7245 => "Coda",
        0x564C => "NCP",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::time::{Duration, Instant};

    use super::*;

    #[test]
    fn a_second_instance_is_told_at_once_who_the_first_is() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.log.ledger");
        assert_eq!(Lock::holder(&path), None);
        let first = Lock::take(&path).expect("a lock");
        let start = Instant::now();
        let error = Lock::take(&path).expect_err("it is taken").to_string();
        assert!(start.elapsed() < Duration::from_secs(2));
        assert!(error.contains(&format!("process {} on ", std::process::id())), "{error}");
        assert!(Lock::holder(&path).is_some());
        drop(first);
        assert_eq!(Lock::holder(&path), None);
        Lock::take(&path).expect("it is free again");
    }

    #[test]
    fn a_ledger_is_for_its_owner_only() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("ledger");
        assert!(create(&path).expect("it is made"));
        assert!(!create(&path).expect("it is there"));
        assert_eq!(path.metadata().expect("a file").permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_ledger_that_somebody_else_may_have_put_there_is_refused() {
        let folder = tempfile::tempdir().expect("a folder");
        let (path, link) = (folder.path().join("ledger"), folder.path().join("link"));
        refuse_foreign(&path).expect("nothing is there");
        create(&path).expect("it is made");
        refuse_foreign(&path).expect("it is ours");
        std::os::unix::fs::symlink(&path, &link).expect("a link");
        let error = refuse_foreign(&link).expect_err("it is a link").to_string();
        assert!(error.contains("it is a symbolic link; name the file"), "{error}");
        std::os::unix::fs::symlink(&path, folder.path().join("other.lock")).expect("a link");
        assert!(Lock::take(&folder.path().join("other")).is_err());
        let (me, other) = (1000, 1001);
        assert!(is_foreign(other, 0o41777, me) && is_foreign(0, 0o40777, me));
        assert!(!is_foreign(me, 0o41777, me) && !is_foreign(other, 0o40755, me));
    }

    #[test]
    fn nothing_is_left_beside_a_file_that_is_no_ledger() {
        let folder = tempfile::tempdir().expect("a folder");
        let log = folder.path().join("access.log");
        std::fs::write(&log, "203.0.113.9 - - …\n").expect("a file");
        let errors = [
            crate::Ledger::open(&log, "http://h", crate::Durability::Grouped).expect_err("it is a log"),
            crate::Ledger::open_existing(&log).expect_err("it is a log"),
        ];
        for error in errors {
            assert!(matches!(error, LedgerError::NoLedger { .. }), "{error}");
        }
        assert_eq!(folder.path().read_dir().expect("a folder").count(), 1);
    }

    #[test]
    fn a_ledger_that_a_power_cut_left_unmade_is_made_anew() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("retry.log.ledger");
        let open = || crate::Ledger::open(&path, "http://h", crate::Durability::Grouped);
        std::fs::write(&path, [0; 4096]).expect("a file");
        let error = open().expect_err("it may be anything, for nothing is beside it");
        assert!(matches!(error, LedgerError::NoLedger { .. }), "{error}");
        // No records, no pages before, sectors of 512 bytes, pages of 4096.
        let journal = [JOURNAL, &[0, 0, 0, 0, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 16, 0]].concat();
        let journal: Vec<u8> = journal.into_iter().chain(std::iter::repeat(0)).take(512).collect();
        std::fs::write(beside(&path, "-journal"), journal).expect("a file");
        drop(open().expect("it is made anew"));
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn network_file_systems_are_known_and_local_ones_are_not_refused() {
        assert_eq!(network(0x6969), Some("NFS"));
        assert_eq!(network(0xFF53_4D42), Some("SMB"));
        assert_eq!(network(0xEF53), None, "ext4");
        refuse_network(&tempfile::tempdir().expect("a folder").path().join("x")).expect("a local disk");
    }
}
