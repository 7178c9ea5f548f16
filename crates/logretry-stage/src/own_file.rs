use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

/// Refuses a file that must not be written over or into, because it holds something else than what begins with `beginning`. What is no file yet, an empty one, and what is no regular
/// file ([`open_own`] refuses links) may be written.
///
/// # Errors
///
/// If it holds something else, or cannot be read.
pub fn refuse_what_others_hold(beginning: &[u8], path: &Path) -> io::Result<()> {
    if !std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.is_file()) {
        return Ok(());
    }
    let mut found = Vec::new();
    File::open(path)?.take(beginning.len() as u64).read_to_end(&mut found)?;
    if beginning.starts_with(&found) {
        return Ok(());
    }
    Err(io::Error::other("it holds something else; give them another name"))
}

/// Opens a file that we write, as `options` say: readable by its owner only if it is new, and never through a symbolic link, which
/// somebody else may have put there. What is below `/dev` (`/dev/stdout` is a link) is taken as it is.
///
/// # Errors
///
/// As of [`OpenOptions::open`]; and if it is a symbolic link.
pub fn open_own(options: &mut OpenOptions, path: &Path) -> io::Result<File> {
    options.mode(0o600);
    if path.starts_with("/dev") {
        return options.open(path);
    }
    let no_follow = OFlags::NOFOLLOW.bits().cast_signed();
    match options.custom_flags(no_follow).open(path) {
        Err(error) if error.raw_os_error() == Some(Errno::LOOP.raw_os_error()) => {
            Err(io::Error::other("it is a symbolic link; name the file that it points to"))
        }
        opened => opened,
    }
}
