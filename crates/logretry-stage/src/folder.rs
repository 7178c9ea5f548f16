use std::path::Path;

/// The folder that the file `path` is in: `.` where the path names none.
pub fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
