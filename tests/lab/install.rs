use std::process::{Command, Stdio};

/// What to do when a program is missing that the tests need: the README's second command installs them all.
pub(super) const INSTALL: &str = "install what the tests need: just install (apt-get install -y nginx apache2 logrotate jq zstd xz-utils bzip2)";

/// `name`, a program that a test needs besides ours.
///
/// # Panics
///
/// If it is not there, with the command that installs it: a test that cannot run has not passed.
pub(crate) fn installed(name: &'static str) -> &'static str {
    let found = Command::new(name).arg("--version").stdout(Stdio::null()).stderr(Stdio::null()).status();
    assert!(found.is_ok(), "{name} is missing; {INSTALL}");
    name
}
