//! How acting words begin. Nearly every target is ruled out by that, in a tenth of the time that it takes to look at each of its words.

use super::{METHODS, PAIRS, WORDS};

/// For each first letter, a bit for the next two; they share some, so a bit that is set says nothing.
const BEGINNINGS: [u32; 32] = {
    let mut rows = [0; 32];
    let mut at = 0;
    while at < WORDS.len() {
        rows = with(rows, WORDS[at]);
        at += 1;
    }
    at = 0;
    while at < METHODS.len() {
        rows = with(rows, METHODS[at]);
        at += 1;
    }
    at = 0;
    while at < PAIRS.len() {
        rows = with(rows, PAIRS[at].0);
        at += 1;
    }
    rows
};

const fn with(mut rows: [u32; 32], word: &str) -> [u32; 32] {
    let [first, second, third, ..] = word.as_bytes() else { panic!("a word has three letters") };
    let (row, bit) = place(*first, *second, *third);
    rows[row] |= bit;
    rows
}

/// Where the bit of three letters is. All that tells a small letter from a capital one is left out.
const fn place(first: u8, second: u8, third: u8) -> (usize, u32) {
    ((first & 31) as usize, 1 << (((second & 31) + 3 * (third & 31)) % 32))
}

/// Whether a word of `target` may be one that acts. What is encoded is looked at in any case, and so is what does not begin with the end of a word.
pub(super) fn may_act(target: &str) -> bool {
    let is_encoded = |byte: &u8| *byte == b'%' || !byte.is_ascii();
    let begins = |four: &[u8]| {
        let [before, first, second, third] = *four else { return false };
        let (row, bit) = place(first, second, third);
        BEGINNINGS[row] & bit != 0 && (!before.is_ascii_alphanumeric() || first.is_ascii_uppercase())
    };
    let bytes = target.as_bytes();
    bytes.first().is_none_or(u8::is_ascii_alphanumeric)
        || bytes.iter().any(is_encoded)
        || bytes.windows(4).any(begins)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::one_of_its_words_acts;
    use super::*;

    proptest! {
        #[test]
        fn no_target_that_acts_is_ruled_out(
            pieces in prop::collection::vec(
                (prop::sample::select(vec!["/", "?", "&", "=", ";", "+", "-", "_", ".", "2", "a", "A", "é", "%2F", ""]), prop::sample::select([WORDS, METHODS].concat()), any::<bool>()),
                0..5,
            ),
        ) {
            let piece = |(before, word, is_capital): &(&str, &str, bool)| match is_capital {
                true => format!("{before}{}{}", word[..1].to_uppercase(), &word[1..]),
                false => format!("{before}{word}"),
            };
            let target = format!("/{}", pieces.iter().map(piece).collect::<String>());
            prop_assert!(may_act(&target) || !one_of_its_words_acts(&target), "{}", target);
        }
    }

    #[test]
    fn every_word_is_looked_at_wherever_it_begins() {
        let pairs = PAIRS.iter().map(|(first, _)| first);
        for word in WORDS.iter().chain(METHODS).chain(pairs) {
            let (capital, large) =
                (format!("{}{}", word[..1].to_uppercase(), &word[1..]), word.to_uppercase());
            for target in [
                format!("/{word}"),
                format!("/a-{large}?b"),
                format!("/?a{capital}=b"),
                format!("/?a=b+{word}"),
                (*word).to_owned(),
                format!("/%{word}"),
            ] {
                assert!(may_act(&target), "{target}");
            }
        }
    }

    #[test]
    fn most_targets_are_not() {
        for target in ["/", "/shop/item/7?ref=home", "/static/app.js", "/api/v1/users?page=2&q=undelete"] {
            assert!(!may_act(target), "{target}");
        }
    }
}
