use memchr::memchr;

use crate::escape::Escape;
use crate::literal::Literal;
use crate::marks::Marks;

/// What a value cannot hold, because its producer escapes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Guard {
    /// No `"` but behind a backslash, and no backslash that is data.
    Escaped,
    /// The same, and an empty unquoted value is written `""`.
    EscapedOrPair,
    /// No `"` but behind a backslash; a value may end in a backslash that is data.
    Quotes,
    /// No `"` at all.
    NoQuotes,
    /// Anything.
    Nothing,
}

impl Guard {
    pub(crate) fn of(escape: Escape) -> Self {
        match escape {
            Escape::Apache => Self::EscapedOrPair,
            _ if escape.has_no_quotes() => Self::NoQuotes,
            _ if escape.hides_backslashes() => Self::Escaped,
            _ if escape.hides_quotes() => Self::Quotes,
            _ => Self::Nothing,
        }
    }
}

/// How the end of a text is found.
#[derive(Debug, Clone)]
pub(crate) struct End {
    /// What follows; `None` at the end of the line.
    before: Option<Literal>,
    /// Where a `"` stands in that.
    quote: Option<usize>,
    /// White space ends it.
    is_token: bool,
    sign: Sign,
}

/// By what the end of a text is known in a line without a backslash.
#[derive(Debug, Clone, Copy)]
enum Sign {
    /// The next `"` stands so many bytes behind it.
    Quote(usize),
    /// The next blank stands there, if no `"` comes before.
    Blank,
    /// Some blank before the next `"` stands there.
    SomeBlank,
    /// Nothing that is plain to see.
    None,
}

/// The possible ends of one text, from left to right.
pub(crate) struct Candidates<'e> {
    end: &'e End,
    next: usize,
    /// Ends beyond it are none.
    limit: usize,
}

impl End {
    pub(crate) fn new(before: Option<&[u8]>, is_token: bool) -> Self {
        let quote = before.and_then(|before| memchr(b'"', before));
        let sign = match (before, quote) {
            (Some(_), Some(offset)) if !is_token => Sign::Quote(offset),
            (Some([first, ..]), None) if is_token && *first <= b' ' => Sign::Blank,
            (Some([b' ', ..]), None) if !is_token => Sign::SomeBlank,
            _ => Sign::None,
        };
        Self { before: before.map(Literal::new), quote, is_token, sign }
    }

    /// The end of a text that begins at `start`, and how long what follows it is, if there is one end only and that is plain to see: mostly it is. The line has no backslash, and `guard`
    /// guards something: then a quote is bare, whatever the guard.
    #[inline]
    pub(crate) fn only(
        &self,
        line: &[u8],
        marks: &Marks,
        start: usize,
        guard: Guard,
    ) -> Option<(usize, usize)> {
        let literal = self.before.as_ref()?;
        let end = match self.sign {
            Sign::Quote(offset) => {
                let quote = marks.quote(start)?;
                if quote == start && guard == Guard::EscapedOrPair && line.get(start + 1) == Some(&b'"') {
                    return None;
                }
                quote.checked_sub(offset).filter(|&end| end >= start)?
            }
            // What follows begins with a blank, so it does not stand at a quote.
            Sign::Blank => marks.any(start)?,
            Sign::SomeBlank => {
                let limit = marks.quote(start).unwrap_or(line.len());
                let (mut only, mut blank) = (None, marks.blank(start));
                while let Some(end) = blank.filter(|&blank| blank <= limit) {
                    if literal.stands_at(line, end) && only.replace(end).is_some() {
                        return None;
                    }
                    blank = marks.blank(end + 1);
                }
                return only.map(|end| (end, literal.len()));
            }
            Sign::None => return None,
        };
        literal.stands_at(line, end).then_some((end, literal.len()))
    }

    /// The possible ends of a text that begins at `start`. `None` if what may not stand in it comes first.
    pub(crate) fn candidates(
        &self,
        line: &[u8],
        marks: &Marks,
        start: usize,
        guard: Guard,
    ) -> Option<Candidates<'_>> {
        let rest = line.get(start..)?;
        let needle = self.before.as_ref().map(Literal::bytes);
        let (mut next, mut limit) = (start, line.len());
        if guard == Guard::EscapedOrPair
            && let Some(after) = rest.strip_prefix(b"\"\"")
            && (self.quote != Some(0) || needle.is_some_and(|needle| after.starts_with(needle)))
        {
            return Some(Candidates { end: self, next: start + 2, limit: start + 2 });
        }
        match guard {
            Guard::Nothing => {}
            Guard::Escaped | Guard::EscapedOrPair | Guard::NoQuotes => {
                let quote =
                    if guard == Guard::NoQuotes { marks.quote(start) } else { marks.bare_quote(line, start) };
                if let Some(quote) = quote {
                    limit = quote;
                    // The text cannot hold what follows it, so there is one end.
                    if let Some(offset) = self.quote {
                        limit = quote.checked_sub(offset).filter(|&limit| limit >= start)?;
                        next = limit;
                    }
                } else if self.quote.is_some() {
                    return None;
                }
            }
            Guard::Quotes => {
                if let Some(quote) = quote_behind_no_backslash(line, start) {
                    limit = quote.checked_sub(self.quote.unwrap_or(0)).filter(|&limit| limit >= start)?;
                }
            }
        }
        if self.is_token {
            let blank = marks.blank(start).unwrap_or(line.len());
            limit = limit.min(blank);
            if needle.is_some_and(|needle| needle[0] <= b' ') {
                next = blank;
            }
        }
        Some(Candidates { end: self, next, limit })
    }
}

impl Candidates<'_> {
    #[inline]
    pub(crate) fn next(&mut self, line: &[u8], marks: &Marks) -> Option<usize> {
        if self.next > self.limit {
            return None;
        }
        let end = match &self.end.before {
            None if self.limit == line.len() => line.len(),
            None => return None,
            // Mostly this is the only place there can be.
            Some(needle) if needle.stands_at(line, self.next) => self.next,
            Some(needle) => find(line, marks, self.next, self.limit, needle)?,
        };
        self.next = end + 1;
        Some(end)
    }
}

/// Where `needle` first stands behind `before` and up to `last`. It is short, and so is the way to it: searching for its first byte
/// alone is faster than what a substring search prepares.
fn find(line: &[u8], marks: &Marks, before: usize, last: usize, needle: &Literal) -> Option<usize> {
    let first = *needle.bytes().first()?;
    let next = |from| match first {
        b' ' => marks.blank(from),
        b'"' => marks.quote(from),
        _ => Some(from + memchr(first, line.get(from..line.len().min(last + 1))?)?),
    };
    let mut at = before;
    while at < last {
        at = next(at + 1)?;
        if at <= last && needle.stands_at(line, at) {
            return Some(at);
        }
    }
    None
}

fn quote_behind_no_backslash(line: &[u8], start: usize) -> Option<usize> {
    memchr::memchr_iter(b'"', line.get(start..)?)
        .map(|length| start + length)
        .find(|&at| at == start || line[at - 1] != b'\\')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ends(end: &End, guard: Guard, line: &str) -> Vec<usize> {
        let mut marks = Marks::default();
        marks.set(line.as_bytes());
        let is_plain = !marks.has_backslash() && guard != Guard::Nothing;
        let only =
            is_plain.then(|| end.only(line.as_bytes(), &marks, 0, guard)).flatten().map(|(end, _)| end);
        let Some(mut candidates) = end.candidates(line.as_bytes(), &marks, 0, guard) else {
            assert_eq!(only, None);
            return Vec::new();
        };
        let ends: Vec<usize> = std::iter::from_fn(|| candidates.next(line.as_bytes(), &marks)).collect();
        assert!(only.is_none_or(|only| ends == [only]), "{line}");
        ends
    }

    proptest! {
        #[test]
        fn an_end_that_is_the_only_one_is_found_at_once(
            line in r#"[ab \["\\-]{0,30}"#,
            needle in prop::sample::select(vec!["\" ", " \"", "\"", " [", " ", "] \"", "a", " a"]),
            is_token in any::<bool>(),
        ) {
            let guards = [Guard::Escaped, Guard::EscapedOrPair, Guard::Quotes, Guard::NoQuotes, Guard::Nothing];
            for guard in guards {
                ends(&End::new(Some(needle.as_bytes()), is_token), guard, &line);
            }
        }
    }

    #[test]
    fn a_quoted_value_has_one_end() {
        let end = End::new(Some(b"\" "), false);
        assert_eq!(ends(&end, Guard::Escaped, r#"a\" b" 5" 6"#), [5]);
        assert_eq!(ends(&end, Guard::Escaped, r#"a\\" 5"#), [3]);
        assert_eq!(ends(&end, Guard::NoQuotes, r#"a\" b" 5" 6"#), [2]);
        assert_eq!(ends(&end, Guard::Quotes, r#"a\" b" 5" 6"#), [2, 5]);
        assert_eq!(ends(&end, Guard::Nothing, r#"a" b" 5" 6"#), [1, 4, 8 - 1]);
        assert_eq!(ends(&End::new(None, false), Guard::Escaped, "a b"), [3]);
        assert_eq!(ends(&End::new(None, false), Guard::Escaped, "a\"b"), Vec::<usize>::new());
    }

    #[test]
    fn an_unquoted_text_may_end_wherever_what_follows_it_stands() {
        let end = End::new(Some(b" ["), false);
        assert_eq!(ends(&end, Guard::Escaped, r#"john [doe [22] "GET [ ["#), [4, 9]);
        assert_eq!(ends(&end, Guard::EscapedOrPair, r#""" [22] "GET [""#), [2]);
        assert_eq!(ends(&End::new(Some(b"\" "), false), Guard::EscapedOrPair, r#"""" x"#), [2]);
        assert_eq!(ends(&End::new(Some(b" "), true), Guard::Escaped, "a b c"), [1]);
        assert_eq!(ends(&End::new(Some(b":"), true), Guard::Escaped, "::1:80 a:b"), [0, 1, 3]);
    }
}
