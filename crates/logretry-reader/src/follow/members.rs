use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Path, PathBuf};

use bstr::BString;
use logretry_stage::folder;

use super::progress::Progress;
use crate::ReaderError;
use crate::input::{logs_in, matches_of};
use crate::pattern::is_pattern;
use crate::rotation::{age, is_packed, logs_of};

/// Logs to be followed.
#[derive(Debug, Clone)]
pub struct Following {
    pub(crate) members: Vec<Member>,
    /// Files that whoever follows writes itself, as far as their folders are there.
    pub(crate) written: Vec<Written>,
    /// Whether what is there already is read too, rotated files of a folder or pattern first; with `progress`, those once. By default reading begins with what is written from now on.
    pub from_start: bool,
    /// Whether to end when the logs have been removed, and read to their ends.
    pub exit_on_delete: bool,
    /// Where it ended before, if it did, and how far it gets.
    pub progress: Option<Progress>,
}

/// What names logs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Member {
    File(PathBuf),
    /// The access logs in a folder; more may come.
    Folder(PathBuf),
    /// The files that fit a pattern; more may come.
    Pattern(PathBuf),
}

/// A file that is no log, wherever a folder or a pattern finds it; nor are its rotated ones.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    folder: PathBuf,
    name: String,
}

/// What there is to follow.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub(crate) logs: Vec<PathBuf>,
    /// What was left out, because whoever follows writes it.
    pub(crate) written: Vec<PathBuf>,
    /// The rotated files beside them, the oldest first.
    pub(crate) rotated: Vec<PathBuf>,
    /// What may not be looked at. The others are followed all the same.
    pub(crate) troubles: Vec<ReaderError>,
}

impl Following {
    /// What `arguments` name: files, which need not be there yet, folders, and patterns.
    ///
    /// # Errors
    ///
    /// Standard input, which grows by itself, and an argument that names nothing that could be followed.
    pub fn new(arguments: &[impl AsRef<OsStr>]) -> Result<Self, ReaderError> {
        let mut members = Vec::new();
        for argument in arguments.iter().map(AsRef::as_ref) {
            let path = PathBuf::from(argument);
            let member = match std::fs::metadata(&path) {
                _ if argument == "-" => return Err(ReaderError::FollowStdin),
                Ok(metadata) if metadata.is_dir() => Member::Folder(path),
                Err(_) if is_pattern(&path) => Member::Pattern(path),
                _ if folder(&path).is_dir() => Member::File(path),
                _ => {
                    let error = io::ErrorKind::NotFound.into();
                    return Err(ReaderError::Open { path: folder(&path).to_owned(), error });
                }
            };
            if !members.contains(&member) {
                members.push(member);
            }
        }
        if members.is_empty() {
            return Err(ReaderError::FollowStdin);
        }
        Ok(Self { members, written: Vec::new(), from_start: false, exit_on_delete: false, progress: None })
    }

    /// Leaves out the file at `path`, which is there or will be, unless it is named itself.
    pub(crate) fn leave_out(&mut self, path: &Path) {
        self.written.extend(Written::at(path));
    }

    /// What there is to follow now.
    pub(crate) fn found(&self) -> Found {
        let (mut paths, mut troubles) = (Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        for member in &self.members {
            paths.extend(member.found(&mut troubles).into_iter().filter(|path| seen.insert(path.clone())));
        }
        let there: HashSet<_> = paths.iter().map(|path| (path.parent(), name(path))).collect();
        let is_rotated = |path: &PathBuf| {
            let name = name(path);
            is_packed(&name) || logs_of(&name).any(|log| there.contains(&(path.parent(), log)))
        };
        let is_named = |path: &Path| self.members.contains(&Member::File(path.to_owned()));
        let is_written =
            |path: &PathBuf| self.written.iter().any(|written| written.is(path)) && !is_named(path);
        let (written, paths): (Vec<_>, Vec<_>) = paths.iter().cloned().partition(is_written);
        let (rotated, logs) = paths.into_iter().partition(is_rotated);
        Found { logs, written, rotated, troubles }
    }

    /// Tells `progress` by what the logs are named, and asks it which of them have come since that was last kept: what names them was followed then, and they were not there.
    pub(crate) fn come_since(&self, progress: &Progress) -> HashSet<PathBuf> {
        let names = self.members.iter().map(Member::text);
        let before = progress.follows(names.collect());
        let may_grow = self.members.iter().filter(|member| !matches!(member, Member::File(_)));
        let known = may_grow.filter(|member| before.contains(&member.text()));
        let mut come: HashSet<PathBuf> = known.flat_map(|member| member.found(&mut Vec::new())).collect();
        come.retain(|path| !progress.names(path));
        come
    }

    /// Whether more logs may come.
    pub(crate) fn may_grow(&self) -> bool {
        self.members.iter().any(|member| !matches!(member, Member::File(_)))
    }

    /// The folders in which something may happen.
    pub(crate) fn folders(&self) -> Vec<PathBuf> {
        let own = self.members.iter().map(|member| match member {
            Member::File(path) | Member::Pattern(path) => folder(path).to_owned(),
            Member::Folder(path) => path.clone(),
        });
        own.collect()
    }
}

impl Written {
    fn at(path: &Path) -> Option<Self> {
        let place = path
            .canonicalize()
            .or_else(|_| Ok::<_, io::Error>(folder(path).canonicalize()?.join(name(path))))
            .ok()?;
        Some(Self { folder: folder(&place).to_owned(), name: name(&place) })
    }

    fn is(&self, path: &Path) -> bool {
        let other = name(path);
        (other == self.name || age(&self.name, &other).is_some())
            && folder(path).canonicalize().is_ok_and(|folder| folder == self.folder)
    }
}

impl Member {
    fn found(&self, troubles: &mut Vec<ReaderError>) -> Vec<PathBuf> {
        let found = match self {
            Self::File(path) => Ok(vec![path.clone()]),
            Self::Folder(path) => logs_in(path, troubles),
            Self::Pattern(path) => matches_of(path, troubles),
        };
        found.unwrap_or_else(|error| {
            // There may be none yet, and the folder may come.
            if matches!(&error, ReaderError::Open { error, .. } if error.kind() != io::ErrorKind::NotFound) {
                troubles.push(error);
            }
            Vec::new()
        })
    }

    fn text(&self) -> String {
        let (Self::File(path) | Self::Folder(path) | Self::Pattern(path)) = self;
        path.to_string_lossy().into_owned()
    }
}

/// What the log at `path` is called.
pub(crate) fn log_name(path: &Path) -> BString {
    path.as_os_str().as_bytes().into()
}

/// Whether the name of the file at `path` may be that of a rotated file of `log`.
pub(crate) fn may_be_rotated(path: &Path, log: &Path) -> bool {
    name(path).starts_with(&name(&log.with_extension("")))
}

pub(crate) fn name(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}
