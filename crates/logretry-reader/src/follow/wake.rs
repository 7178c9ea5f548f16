use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use logretry_record::Shown;
use logretry_stage::Context;
use logretry_stage::bridge::Closed;
use notify::{ErrorKind, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::mpsc;

/// How long nobody looks if nothing is heard: a network file system tells nothing of what others do.
const LOOK_AFTER: Duration = Duration::from_secs(1);
/// What a busy server writes in this time is read together.
const REST: Duration = Duration::from_millis(5);

/// Wakes a thread when something happens in a folder, when a time has passed, and when a drain begins.
pub(crate) struct Wake {
    /// For its timer, and to wait for several things at once.
    runtime: tokio::runtime::Runtime,
    heard: mpsc::Receiver<()>,
    watcher: Option<RecommendedWatcher>,
    watched: HashSet<PathBuf>,
}

impl Wake {
    pub(crate) fn new(cx: &Context) -> io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build()?;
        // One is enough: whoever is woken looks at everything.
        let (tell, heard) = mpsc::channel(1);
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            // Looking at files is an event too.
            if !event.is_ok_and(|event| matches!(event.kind, EventKind::Access(_))) {
                let _ = tell.try_send(());
            }
        });
        let watcher = watcher.inspect_err(|error| tell_of(cx, "files", error)).ok();
        Ok(Self { runtime, heard, watcher, watched: HashSet::new() })
    }

    /// Listens for what happens in `folder`.
    pub(crate) fn watch(&mut self, folder: &Path, cx: &Context) {
        let Some(watcher) = &mut self.watcher else { return };
        if self.watched.insert(folder.to_owned())
            && let Err(error) = watcher.watch(folder, RecursiveMode::NonRecursive)
        {
            use std::os::unix::ffi::OsStrExt as _;
            tell_of(cx, &Shown(folder.as_os_str().as_bytes()).to_string(), &error);
        }
    }

    /// Returns when it is time to look, after `due` at the latest.
    pub(crate) fn wait(&mut self, due: Option<Duration>, cx: &Context) -> Result<(), Closed> {
        let time = due.unwrap_or(LOOK_AFTER).min(LOOK_AFTER);
        let heard = &mut self.heard;
        self.runtime.block_on(async {
            let drain = &cx.stops().drain;
            tokio::select! {
                biased;
                () = drain.cancelled() => return Err(Closed),
                Some(()) = heard.recv() => {}
                () = tokio::time::sleep(time) => return Ok(()),
            }
            tokio::select! {
                biased;
                () = drain.cancelled() => return Err(Closed),
                () = tokio::time::sleep(REST) => {}
            }
            while heard.try_recv().is_ok() {}
            Ok(())
        })
    }
}

fn tell_of(cx: &Context, what: &str, error: &notify::Error) {
    cx.notes().say(format_args!("cannot watch {what} ({}); looking once a second", why(error)));
}

/// What `error` says without its paths: what could not be watched is named already, and not in the words of a debugger.
fn why(error: &notify::Error) -> String {
    match &error.kind {
        ErrorKind::PathNotFound => "it is not there".to_owned(),
        ErrorKind::Io(error) => error.to_string(),
        ErrorKind::Generic(text) => text.clone(),
        ErrorKind::MaxFilesWatch => "the system watches as many already as it may".to_owned(),
        ErrorKind::WatchNotFound | ErrorKind::InvalidConfig(_) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A note said `No path was found. about ["/var/log/late"]`.
    #[test]
    fn why_a_folder_cannot_be_watched_is_said_without_its_path() {
        let folder = tempfile::tempdir().expect("a folder");
        let missing = folder.path().join("late");
        let mut watcher = notify::recommended_watcher(|_| ()).expect("a watcher");
        let error = watcher.watch(&missing, RecursiveMode::NonRecursive).expect_err("nobody made it");
        assert_eq!(why(&error), "it is not there");
        let full = notify::Error::new(ErrorKind::MaxFilesWatch).add_path(missing);
        assert_eq!(why(&full), "the system watches as many already as it may");
    }
}
