/// Keys to slots: a tree that is walked byte by byte while a line is read, so that nothing is copied or compared twice.
///
/// Nested objects and dotted keys are the same path: `{"http":{"status":1}}` and `{"http.status":1}` are both `http.status`.
#[derive(Debug, Clone)]
pub(crate) struct Paths {
    nodes: Vec<Node>,
    /// Whether letter case and the bytes between words matter; where not, `statusCode`, `status_code` and `StatusCode` are one.
    is_exact: bool,
}

#[derive(Debug, Clone, Default)]
struct Node {
    children: Vec<(u8, usize)>,
    slot: Option<usize>,
}

/// A place in the tree.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place(usize);

impl Paths {
    pub(crate) fn new(is_exact: bool) -> Self {
        Self { nodes: vec![Node::default()], is_exact }
    }

    pub(crate) fn root() -> Place {
        Place(0)
    }

    /// Adds `path` as `slot`; the slot that it has already, if there is one.
    pub(crate) fn add(&mut self, path: &str, slot: usize) -> usize {
        let mut at = 0;
        let is_exact = self.is_exact;
        for byte in path.bytes().filter_map(|byte| fold(byte, is_exact)) {
            if let Some(child) = self.child(at, byte) {
                at = child;
                continue;
            }
            let child = self.nodes.len();
            self.nodes.push(Node::default());
            self.nodes[at].children.push((byte, child));
            at = child;
        }
        *self.nodes[at].slot.get_or_insert(slot)
    }

    /// Where `key` leads from `place`; `None` if no path goes there.
    pub(crate) fn walk(&self, place: Place, key: &[u8]) -> Option<Place> {
        let mut folded = key.iter().filter_map(|&byte| fold(byte, self.is_exact));
        folded.try_fold(place.0, |at, byte| self.child(at, byte)).map(Place)
    }

    /// Into the object that stands at `place`.
    pub(crate) fn enter(&self, place: Place) -> Option<Place> {
        if place.0 == 0 { Some(place) } else { self.child(place.0, b'.').map(Place) }
    }

    pub(crate) fn slot(&self, place: Place) -> Option<usize> {
        self.nodes[place.0].slot
    }

    fn child(&self, at: usize, byte: u8) -> Option<usize> {
        self.nodes[at].children.iter().find(|(edge, _)| *edge == byte).map(|&(_, child)| child)
    }
}

fn fold(byte: u8, is_exact: bool) -> Option<u8> {
    match byte {
        _ if is_exact => Some(byte),
        b'_' | b'-' | b'@' | b':' | b' ' => None,
        _ => Some(byte.to_ascii_lowercase()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn slot(paths: &Paths, keys: &[&str]) -> Option<usize> {
        let mut place = Paths::root();
        for key in keys {
            place = paths.walk(paths.enter(place)?, key.as_bytes())?;
        }
        paths.slot(place)
    }

    #[test]
    fn nested_and_dotted_keys_are_one_path() {
        let mut paths = Paths::new(false);
        assert_eq!(paths.add("http.status_code", 0), 0);
        assert_eq!(paths.add("http.statusCode", 7), 0, "the same path has the same slot");
        assert_eq!(paths.add("http", 1), 1);
        for keys in [["http", "status_code"].as_slice(), &["http.status_code"], &["HTTP", "StatusCode"]] {
            assert_eq!(slot(&paths, keys), Some(0), "{keys:?}");
        }
        assert_eq!(slot(&paths, &["http"]), Some(1));
        assert_eq!(slot(&paths, &["http", "status"]), None);
        assert_eq!(slot(&paths, &["other"]), None);
    }

    #[test]
    fn exact_paths_keep_letter_case_apart() {
        let mut paths = Paths::new(true);
        paths.add("A_b", 0);
        assert_eq!((slot(&paths, &["A_b"]), slot(&paths, &["ab"])), (Some(0), None));
    }
}
