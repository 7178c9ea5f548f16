use std::borrow::Cow;

use memchr::memchr;

use super::{Layer, Part, Wrapper};

/// Colours: `ESC [ 36 m` and its like (ECMA-48 §8.3.117, SGR), and `ESC [ K`, which programs that colour lines put beside them. Other sequences, which
/// move the cursor or name the window, are not peeled: no logger writes them.
pub(super) fn peel(line: &[u8]) -> Option<Layer<'_>> {
    let mut text = Vec::new();
    let (mut rest, mut found) = (line, false);
    while let Some(escape) = memchr(0x1b, rest) {
        let (before, sequence) = rest.split_at(escape);
        text.extend_from_slice(before);
        if let Some(length) = length(sequence) {
            found = true;
            rest = &sequence[length..];
        } else {
            text.push(0x1b);
            rest = &sequence[1..];
        }
    }
    if !found {
        return None;
    }
    text.extend_from_slice(rest);
    let stream = Cow::Borrowed(b"".as_slice());
    Some(Layer { wrapper: Wrapper::Ansi, stream, text: Cow::Owned(text), part: Part::Whole })
}

/// How many bytes the sequence at the beginning of `text` has.
fn length(text: &[u8]) -> Option<usize> {
    let parameters = text.strip_prefix(b"\x1b[")?;
    let digits = parameters.iter().take_while(|byte| matches!(byte, b'0'..=b'9' | b';' | b':')).count();
    matches!(parameters.get(digits)?, b'm' | b'K').then_some(digits + 3)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_go_and_everything_else_stays() {
        for (line, text) in [
            ("\x1b[0mGET /p \x1b[31;1m500\x1b[0m 5 ms\x1b[K", Some("GET /p 500 5 ms")),
            ("\x1b[38:2:1:2:3mred\x1b[m", Some("red")),
            ("no colour", None),
            ("\x1b[2J\x1b]0;owned\x07", None),
            ("\x1b[2J\x1b[1mx", Some("\x1b[2Jx")),
            ("\x1b[", None),
            ("\x1b", None),
        ] {
            let peeled = peel(line.as_bytes()).map(|layer| layer.text.into_owned());
            assert_eq!(peeled, text.map(|text| text.as_bytes().to_vec()), "{line:?}");
        }
    }
}
