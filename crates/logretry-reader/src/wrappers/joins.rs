use std::borrow::Cow;

/// Where a line begins in its log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) number: u64,
    pub(crate) offset: u64,
}

/// Lines of which not all pieces are here yet, one a stream.
///
/// Of each, one physical line is not counted yet: it is counted, as screened or rejected, when it is known what the line comes to.
///
/// Memory is bounded: one line has at most the limit of bytes, all together eight times as many, and there are no more than 256. What does not fit any
/// more is given back by [`Joins::overflow`], oldest first.
#[derive(Debug)]
pub(crate) struct Joins {
    open: Vec<Joined>,
    line_bytes_max: usize,
}

const STREAMS_MAX: usize = 256;
const LINES_MAX: usize = 8;

/// A line put together from pieces.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Joined {
    stream: Vec<u8>,
    /// Where its first piece begins.
    pub(crate) place: Place,
    /// The line, or its beginning if it is flawed.
    pub(crate) text: Vec<u8>,
    /// Why it cannot be used: a fragment that fits after "cannot use the line: ".
    pub(crate) flaw: Option<Cow<'static, str>>,
}

/// What has become of a piece.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is no piece: the line begins and ends with it.
    Whole,
    /// It begins a line.
    Begun,
    /// It goes on with a line, whose earlier piece may now be counted.
    Continued,
    /// It ends this line, whose earlier piece may now be counted.
    Ended(Joined),
}

const LAST_IS_MISSING: &str = "it was split into pieces, and its last piece is missing";
const PIECE_IS_DAMAGED: &str =
    "it was split into pieces, and a line among them that is too long or damaged may be one of these";

impl Joins {
    pub(crate) fn new(line_bytes_max: usize) -> Self {
        Self { open: Vec::new(), line_bytes_max }
    }

    /// Whether a line of `stream` waits for its next piece.
    pub(crate) fn awaits(&self, stream: &[u8]) -> bool {
        self.open.iter().any(|joined| joined.stream == stream)
    }

    /// Whether no line is in pieces.
    pub(crate) fn is_empty(&self) -> bool {
        self.open.is_empty()
    }

    /// Takes a piece of a line of `stream`, which `ends` it or not.
    pub(crate) fn add(&mut self, stream: &[u8], place: Place, piece: &[u8], ends: bool) -> Added {
        let Some(index) = self.open.iter().position(|joined| joined.stream == stream) else {
            if ends {
                return Added::Whole;
            }
            let mut joined = Joined { stream: stream.to_owned(), place, text: Vec::new(), flaw: None };
            joined.push(piece, self.line_bytes_max);
            self.open.push(joined);
            return Added::Begun;
        };
        self.open[index].push(piece, self.line_bytes_max);
        if ends { Added::Ended(self.open.remove(index)) } else { Added::Continued }
    }

    /// A physical line was too long or too damaged to tell what it is. It may have been a piece of any line that is open.
    pub(crate) fn break_all(&mut self) {
        for joined in &mut self.open {
            joined.flaw.get_or_insert(Cow::Borrowed(PIECE_IS_DAMAGED));
        }
    }

    /// The oldest line, where there are more than are kept.
    pub(crate) fn overflow(&mut self) -> Option<Joined> {
        let bytes: usize = self.open.iter().map(|joined| joined.text.len()).sum();
        let is_full = self.open.len() > STREAMS_MAX || bytes > self.line_bytes_max.saturating_mul(LINES_MAX);
        if is_full { self.oldest() } else { None }
    }

    /// The oldest line, at the end of the log.
    pub(crate) fn oldest(&mut self) -> Option<Joined> {
        if self.open.is_empty() {
            return None;
        }
        let mut joined = self.open.remove(0);
        joined.flaw.get_or_insert(Cow::Borrowed(LAST_IS_MISSING));
        Some(joined)
    }
}

impl Joined {
    fn push(&mut self, piece: &[u8], line_bytes_max: usize) {
        let room = line_bytes_max - self.text.len();
        if piece.len() > room {
            self.flaw.get_or_insert_with(|| too_long(line_bytes_max).into());
        }
        self.text.extend_from_slice(&piece[..piece.len().min(room)]);
    }
}

/// Why a line over the limit cannot be used.
pub(crate) fn too_long(line_bytes_max: usize) -> String {
    format!("it is longer than {line_bytes_max} bytes (--line-limit)")
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLACE: Place = Place { number: 1, offset: 0 };

    fn place(number: u64) -> Place {
        Place { number, offset: number * 10 }
    }

    fn joined(stream: &[u8], place: Place, text: &[u8]) -> Joined {
        Joined { stream: stream.to_owned(), place, text: text.to_owned(), flaw: None }
    }

    #[test]
    fn pieces_are_joined_each_to_its_own_stream() {
        let mut joins = Joins::new(100);
        assert_eq!(joins.add(b"out", place(1), b"GET", false), Added::Begun);
        assert_eq!(joins.add(b"err", place(2), b"oops", true), Added::Whole);
        assert_eq!(joins.add(b"err", place(3), b"a", false), Added::Begun);
        assert_eq!(joins.add(b"out", place(4), b" /", false), Added::Continued);
        assert!(joins.awaits(b"out"));
        assert_eq!(joins.add(b"err", place(5), b"b", true), Added::Ended(joined(b"err", place(3), b"ab")));
        assert_eq!(
            joins.add(b"out", place(6), b"x", true),
            Added::Ended(joined(b"out", place(1), b"GET /x"))
        );
        assert!(joins.oldest().is_none());
    }

    #[test]
    fn a_line_over_the_limit_keeps_its_beginning_and_says_so() {
        let mut joins = Joins::new(4);
        joins.add(b"", PLACE, b"123", false);
        joins.add(b"", PLACE, b"456", false);
        let Added::Ended(line) = joins.add(b"", PLACE, b"78", true) else { panic!("it ends") };
        assert_eq!((line.text.as_slice(), line.flaw), (b"1234".as_slice(), Some(too_long(4).into())));
    }

    #[test]
    fn a_line_whose_end_never_comes_is_given_back() {
        let mut joins = Joins::new(4);
        for stream in 0..STREAMS_MAX as u64 {
            joins.add(&stream.to_le_bytes(), place(stream), b"", false);
            assert!(joins.overflow().is_none());
        }
        joins.add(b"one more", PLACE, b"", false);
        let oldest = joins.overflow().expect("one too many");
        assert_eq!((oldest.place, oldest.flaw.as_deref()), (place(0), Some(LAST_IS_MISSING)));
        assert!(joins.overflow().is_none());
        assert_eq!(std::iter::from_fn(|| joins.oldest()).count(), STREAMS_MAX);
    }

    #[test]
    fn memory_is_bounded_by_the_limit_of_a_line() {
        let mut joins = Joins::new(4);
        for stream in 0..8 {
            joins.add(&[stream], PLACE, b"1234", false);
            assert!(joins.overflow().is_none());
        }
        joins.add(b"nine", PLACE, b"1", false);
        assert!(joins.overflow().is_some());
        assert!(joins.overflow().is_none());
    }

    #[test]
    fn a_physical_line_that_is_too_long_breaks_what_is_open() {
        let mut joins = Joins::new(4);
        joins.add(b"", PLACE, b"1", false);
        joins.break_all();
        let Added::Ended(line) = joins.add(b"", PLACE, b"2", true) else { panic!("it ends") };
        assert_eq!(line.flaw.as_deref(), Some(PIECE_IS_DAMAGED));
    }
}
