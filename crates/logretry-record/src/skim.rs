//! A look at a record on the pipe without decoding it.
//!
//! Of a log with few failures, a selecting stage drops nearly every record. To know that, it needs two values of it, and not a
//! copy of all. [`glance`] goes the straight way to them where the record is spelled as we spell it. Otherwise it walks over the line
//! once, steps into `original` and over everything else. It allocates nothing.
//! A stage that completes a record takes out what it writes anew ([`without_member`]), and leaves the rest as it stands.
//!
//! A glance is exact for every record that this release can read, however its JSON is spaced or ordered. Where it is not sure
//! (another version, escaped keys, no JSON) it says nothing, and the line is decoded.

mod straight;
mod strings;

use fearless_simd::{Level, Simd, dispatch};

use self::strings::Marks;

/// What a glance finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Glance<'a> {
    /// `original.status`.
    pub(crate) status: Option<u16>,
    /// `original.time`, as it stands there.
    pub(crate) time: Option<&'a [u8]>,
}

/// Status and time of the record in `line`, if that can be told.
pub(crate) fn glance(line: &[u8]) -> Option<Glance<'_>> {
    glance_at(Level::new(), line)
}

/// The same with what processors of a level can.
fn glance_at(level: Level, line: &[u8]) -> Option<Glance<'_>> {
    straight_at(level, line).or_else(|| walk_at(level, line))
}

fn straight_at(level: Level, line: &[u8]) -> Option<Glance<'_>> {
    dispatch!(level, simd => straight::glance(simd, line))
}

/// The same by a walk over all members.
#[cold]
fn walk_at(level: Level, line: &[u8]) -> Option<Glance<'_>> {
    dispatch!(level, simd => walk(simd, line))
}

#[expect(clippy::inline_always, reason = "only what is inlined is compiled for the processor's level")]
#[inline(always)]
fn walk<S: Simd>(simd: S, line: &[u8]) -> Option<Glance<'_>> {
    let mut skim = Skim { bytes: line, at: 0, marks: Marks::new(simd, line) };
    let (mut version, mut found) = (false, None);
    skim.members(
        #[inline(always)]
        |skim, key| {
            match key {
                b"v" => version = skim.scalar()? == b"1",
                b"original" => {
                    let mut glance = Glance { status: None, time: None };
                    skim.members(
                        #[inline(always)]
                        |skim, key| {
                            match key {
                                b"status" => match skim.scalar()? {
                                    b"null" => glance.status = None,
                                    number => {
                                        glance.status = Some(std::str::from_utf8(number).ok()?.parse().ok()?);
                                    }
                                },
                                b"time" => glance.time = Some(skim.plain_string()?),
                                _ => skim.value()?,
                            }
                            let is_all = version && glance.status.is_some() && glance.time.is_some();
                            Some(if is_all { Flow::Enough } else { Flow::On })
                        },
                    )?;
                    found = Some(glance);
                }
                _ => skim.value()?,
            }
            // What comes behind may be anything, as long as both are known.
            Some(if version && found.is_some() { Flow::Enough } else { Flow::On })
        },
    )?;
    found.filter(|_| version)
}

/// The object in `line` without its closing brace, and without its member `name` if it has one: ready for that member to be written anew behind
/// the others, which are kept as they stand. None where that cannot be told.
pub(crate) fn without_member(line: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    dispatch!(Level::new(), simd => without_member_with(simd, line, name))
}

#[expect(clippy::inline_always, reason = "as above")]
#[inline(always)]
fn without_member_with<S: Simd>(simd: S, line: &[u8], name: &[u8]) -> Option<Vec<u8>> {
    let mut skim = Skim { bytes: line, at: 0, marks: Marks::new(simd, line) };
    skim.peek()?;
    let first = skim.at + 1;
    let (mut last, mut cut) = (first, None);
    skim.members_by(
        Skim::string_with_quotes,
        #[inline(always)]
        |skim, key| {
            skim.value()?;
            if is_spelled(key, name) {
                cut = Some(last..skim.at);
            }
            last = skim.at;
            Some(Flow::On)
        },
    )?;
    let open = line[..skim.at - 1].trim_ascii_end();
    let Some(cut) = cut else { return Some(open.to_vec()) };
    let behind = open[cut.end..].trim_ascii_start();
    // The comma before it goes with it, or, where it is the first, the one behind it.
    let behind = if cut.start == first { behind.strip_prefix(b",").unwrap_or(behind) } else { behind };
    Some([&open[..cut.start], behind].concat())
}

/// Whether the string `key`, in its quotes, says `name`, with escapes or without.
fn is_spelled(key: &[u8], name: &[u8]) -> bool {
    let plain = &key[1..key.len() - 1];
    let unescaped = || serde_json::from_slice::<String>(key).is_ok_and(|key| key.as_bytes() == name);
    plain == name || (plain.contains(&b'\\') && unescaped())
}

#[derive(PartialEq, Eq)]
enum Flow {
    On,
    Enough,
}

struct Skim<'a, S: Simd> {
    bytes: &'a [u8],
    at: usize,
    marks: Marks<'a, S>,
}

impl<'a, S: Simd> Skim<'a, S> {
    /// Walks over the members of the object that begins here, whose keys have no escapes; `each` is called at each value, and must step over it.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn members(&mut self, each: impl FnMut(&mut Self, &'a [u8]) -> Option<Flow>) -> Option<()> {
        self.members_by(Self::plain_string, each)
    }

    /// The same with keys as `key` takes them.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn members_by(
        &mut self,
        key: impl Fn(&mut Self) -> Option<&'a [u8]>,
        mut each: impl FnMut(&mut Self, &'a [u8]) -> Option<Flow>,
    ) -> Option<()> {
        self.expect(b'{')?;
        if self.peek()? == b'}' {
            self.at += 1;
            return Some(());
        }
        loop {
            let key = key(self)?;
            self.expect(b':')?;
            if each(self, key)? == Flow::Enough {
                return Some(());
            }
            match self.peek()? {
                b',' => self.at += 1,
                b'}' => {
                    self.at += 1;
                    return Some(());
                }
                _ => return None,
            }
        }
    }

    /// The next byte that is not white space.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn peek(&mut self) -> Option<u8> {
        loop {
            match *self.bytes.get(self.at)? {
                b' ' | b'\t' | b'\n' | b'\r' => self.at += 1,
                byte => return Some(byte),
            }
        }
    }

    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn expect(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    /// A string without escapes; its contents.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn plain_string(&mut self) -> Option<&'a [u8]> {
        self.expect(b'"')?;
        let end = self.marks.quote(self.at)?;
        let text = self.marks.plain(self.at, end);
        self.at = end + 1;
        text
    }

    /// Steps over a string.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn string(&mut self) -> Option<()> {
        self.expect(b'"')?;
        self.at = self.marks.quote(self.at)? + 1;
        Some(())
    }

    /// Any string, as it stands there, with its quotes.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn string_with_quotes(&mut self) -> Option<&'a [u8]> {
        self.peek()?;
        let start = self.at;
        self.string()?;
        Some(&self.bytes[start..self.at])
    }

    /// A number or a word; its bytes.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn scalar(&mut self) -> Option<&'a [u8]> {
        self.peek()?;
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|byte| !(byte.is_ascii_alphanumeric() || b"+-.".contains(byte)))?;
        self.at += end;
        (end > 0).then(|| &rest[..end])
    }

    /// Steps over any value.
    #[expect(clippy::inline_always, reason = "as above")]
    #[inline(always)]
    fn value(&mut self) -> Option<()> {
        match self.peek()? {
            b'"' => self.string(),
            b'{' | b'[' => {
                self.at = self.marks.behind_nested(self.at)?;
                Some(())
            }
            _ => self.scalar().map(|_| ()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::levels::levels;

    #[test]
    fn status_and_time_are_found_however_the_record_is_written() {
        let found = |status, time: &'static str| {
            Some(Glance { status, time: (!time.is_empty()).then_some(time.as_bytes()) })
        };
        for (line, expected) in [
            (r#"{"v":1,"original":{"time":"T","status":502}}"#, found(Some(502), "T")),
            (r#"{"original":{"status":502,"later":{"status":1}},"v":1}"#, found(Some(502), "")),
            (r#" { "v" : 1 , "original" : { "status" : null } } "#, found(None, "")),
            (
                r#"{"v":1,"origin":{"text":"\"original\":{\"status\":200","a":[{"status":200}]},"original":{}}"#,
                found(None, ""),
            ),
            (r#"{"v":1,"original":{"status":502},"what follows is not looked at"#, found(Some(502), "")),
            (r#"{"v":1,"retry":{"status":200},"original":{"status":502}}"#, found(Some(502), "")),
        ] {
            for level in levels() {
                assert_eq!(glance_at(level, line.as_bytes()), expected, "{line} {level:?}");
            }
        }
    }

    #[test]
    fn a_member_is_taken_out_wherever_it_stands() {
        for (line, expected) in [
            (r#"{"v":1,"x":{"retry":2}}"#, r#"{"v":1,"x":{"retry":2}"#),
            (r#"{"v":1,"retry":null}"#, r#"{"v":1"#),
            (r#"{"v":1,"retry":{"a":"}"},"x":[1,"\"retry"]}"#, r#"{"v":1,"x":[1,"\"retry"]"#),
            (r#"{"retry":null,"v":1}"#, r#"{"v":1"#),
            (r#" { "retry" : null , "v" : 1 } "#, r#" { "v" : 1"#),
            (r#"{ "v": 1, "retry": {"status": 200} , "x": true }"#, r#"{ "v": 1, "x": true"#),
            (r#"{"\u0076":1,"\u0072etry":2,"x\\":3,"retr":4}"#, r#"{"\u0076":1,"x\\":3,"retr":4"#),
        ] {
            let cut = without_member(line.as_bytes(), b"retry").expect("an object");
            // What white space is left does not matter.
            let plain = |text: &str| text.replace(' ', "");
            assert_eq!(plain(&String::from_utf8_lossy(&cut)), plain(expected), "{line}");
        }
        assert_eq!(without_member(br#"[{"v":1}]"#, b"retry"), None);
    }

    #[test]
    fn where_it_is_not_sure_it_says_nothing() {
        for line in [
            "",
            "{",
            "not json",
            r#"{"v":2,"original":{"status":502}}"#,
            r#"{"v":1}"#,
            r#"{"original":{"status":502}}"#,
            r#"{"v":1,"original":7}"#,
            r#"{"v":1,"original":{"status":"502"}}"#,
            r#"{"v":1,"original":{"status":502"#,
            r#"{"v":1,"origin\u0061l":{"status":502}}"#,
            r#"{"v":1,"origin":"\"#,
            r#"{"v":1,"origin":[[["#,
        ] {
            for level in levels() {
                assert_eq!(glance_at(level, line.as_bytes()), None, "{line} {level:?}");
            }
        }
    }
}
