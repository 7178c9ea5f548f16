//! URLs that act although their method says that they do not.
//!
//! GET is safe by definition (RFC 9110 §9.2.1), and the same section warns of those who break it: a link `?do=delete` changes something,
//! whatever its method. Asking such a URL a second time is not asking for a page, so a GET or HEAD that *says* that it acts is
//! not sent unless the operator has looked at it (`--allow-acting`).
//!
//! What says so is a word that stands where an action is named, after one percent-decoding and in any case:
//!
//! - the **first or last word of a segment** of the path: `/logout`, `/user/7/delete`, `/deleteUser`, `/cart/remove-item.php`, but not
//!   `/how-to-delete-a-cookie`. Words end at whatever is neither letter nor digit, and where a small letter is followed by a capital one; an
//!   extension (`.php`) and what follows `;` do not count;
//! - the **first or last word of a parameter's name**: `?logout`, `?delete=7`;
//! - the **first or last word of a value** whose parameter names an action: `?do=delete`, `?action=unsubscribe`. A value of another
//!   parameter is data: `?q=delete` is a search;
//! - a **method in disguise**: `?_method=PUT`, with which some frameworks let a GET or POST be another method.
//!
//! The words are those of [`WORDS`], and pairs that some write apart: `log-out`, `sign_off`, `opt-out`. It is a net with holes, as
//! nobody can know what a URL does: `--deny-path` adds to it.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

mod beginnings;

/// What acts.
const WORDS: &[&str] = &[
    "logout",
    "logoff",
    "signout",
    "signoff",
    "optout",
    "unsubscribe",
    "delete",
    "destroy",
    "remove",
    "erase",
    "purge",
    "wipe",
    "revoke",
    "deactivate",
    "terminate",
    "shutdown",
    "reboot",
    "uninstall",
    "cancel",
];

/// First words of pairs that are written apart as well.
const PAIRS: &[(&str, &[&str])] =
    &[("log", &["out", "off"]), ("sign", &["out", "off"]), ("opt", &["out"]), ("shut", &["down"])];

/// Parameters whose values name an action.
const ACTIONS: &[&str] = &[
    "do",
    "act",
    "action",
    "op",
    "operation",
    "cmd",
    "command",
    "task",
    "event",
    "func",
    "function",
    "method",
    "mode",
];

/// Methods that are no reading.
const METHODS: &[&str] = &["post", "put", "patch", "delete"];

/// Whether `target`, path and query, says that it acts.
pub(crate) fn says_that_it_acts(target: &str) -> bool {
    beginnings::may_act(target) && one_of_its_words_acts(target)
}

fn one_of_its_words_acts(target: &str) -> bool {
    let (path, query) = target.split_once('?').unwrap_or((target, ""));
    let segment = |segment: &str| {
        let segment = decoded(segment.split(';').next().unwrap_or_default());
        acts(without_extension(&segment))
    };
    path.split('/').any(segment) || query.split(['&', ';']).any(parameter)
}

fn parameter(text: &str) -> bool {
    let (name, value) = text.split_once('=').unwrap_or((text, ""));
    let (name, value) = (decoded(name), decoded(value));
    if acts(&name) {
        return true;
    }
    let names_an_action = words(&name).last().is_some_and(|word| is_one_of(word, ACTIONS));
    let is_method = |word| is_one_of(word, METHODS);
    names_an_action
        && (acts(&value) || (name.ends_with("method") && words(&value).next().is_some_and(is_method)))
}

/// Whether an acting word begins or ends `text`.
fn acts(text: &str) -> bool {
    let mut words = words(text);
    let Some(first) = words.next() else { return false };
    let second = words.next();
    // The last two: the third word and those after it push out what stands before them.
    let (before, last) = match second {
        None => return is_one_of(first, WORDS),
        Some(second) => words.fold((first, second), |(_, last), word| (last, word)),
    };
    let is_pair = |one: &str, other: &str| {
        PAIRS.iter().any(|(first, seconds)| is_one_of(one, &[first]) && is_one_of(other, seconds))
    };
    is_one_of(first, WORDS)
        || is_one_of(last, WORDS)
        || second.is_some_and(|second| is_pair(first, second))
        || is_pair(before, last)
}

/// The words of `text`.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start_matches(|char: char| !char.is_alphanumeric());
        let mut small_before = false;
        let end = rest.find(|char: char| {
            let ends = !char.is_alphanumeric() || (small_before && char.is_uppercase());
            small_before = char.is_lowercase();
            ends
        });
        let (word, after) = rest.split_at(end.unwrap_or(rest.len()));
        rest = after;
        (!word.is_empty()).then_some(word)
    })
}

/// Whether `word` is one of `small`, in whatever case.
fn is_one_of(word: &str, small: &[&str]) -> bool {
    if word.is_ascii() {
        return small.iter().any(|small| word.eq_ignore_ascii_case(small));
    }
    small.iter().any(|small| word.chars().flat_map(char::to_lowercase).eq(small.chars()))
}

/// `delete` of `delete.php`; at most five letters are an extension.
fn without_extension(segment: &str) -> &str {
    match segment.rsplit_once('.') {
        Some((name, extension)) if !name.is_empty() && extension.len() <= 5 => name,
        _ => segment,
    }
}

/// `text`, percent-decoded once, as a server does with a query; `+` is a blank.
fn decoded(text: &str) -> Cow<'_, str> {
    if !text.contains(['%', '+']) {
        return Cow::Borrowed(text);
    }
    let text = text.replace('+', " ");
    Cow::Owned(percent_decode_str(&text).decode_utf8_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_names_an_action_where_actions_are_named_acts() {
        for target in [
            "/logout",
            "/Logout/",
            "/app/log-out",
            "/sign_out.do",
            "/account/signOut;jsessionid=7",
            "/newsletter/unsubscribe?u=7",
            "/unsubscribe/7",
            "/opt-out",
            "/item/7/delete",
            "/deleteItem",
            "/item_delete.php?id=7",
            "/cart/remove-item",
            "/%6cogout",
            "/a/%44elete",
            "//logout",
            "/a/../logout",
            "/?logout",
            "/?delete=7",
            "/index.php?do=delete&id=7",
            "/index.php?id=7;action=Unsubscribe",
            "/?page_action=remove+user",
            "/api?method=user.delete",
            "/item/7?_method=PUT",
            "/item/7?_method=delete",
            "/admin/shutdown",
            "/order/7/cancel",
        ] {
            assert!(says_that_it_acts(target), "{target} is let through");
        }
    }

    #[test]
    fn what_only_speaks_of_an_action_is_a_page() {
        for target in [
            "/",
            "/a?b=c",
            "/how-to-delete-a-cookie",
            "/search?q=delete",
            "/login?next=/logout",
            "/deleted",
            "/cancellation-policy",
            "/blog/log/out-of-office",
            "/removed-items",
            "/undelete",
            "/item/7?action=show",
            "/item/7?_method=GET",
            "/catalogue/outlet",
            "/%ZZ?%=%",
            "/api?method=user.get",
        ] {
            assert!(!says_that_it_acts(target), "{target} is taken for one that acts");
        }
    }
}
