use std::fs::{File, OpenOptions};
use std::io;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;

use rustix::fs::OFlags;
use rustix::io::Errno;

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
