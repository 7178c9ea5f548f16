//! Formats where they are written: in a server's configuration file.

use crate::error::SpecError;
use crate::format::Format;

/// A format that a configuration names.
struct Entry {
    /// What its directive calls it; HAProxy has none, so the proxy section's name.
    name: String,
    /// What [`Format::compile`] takes.
    spec: String,
}

impl Format {
    /// Finds a format in `text`, which is a configuration file of nginx (`log_format NAME …;`), Apache (`LogFormat "…" NAME`),
    /// HAProxy (`log-format` or `option httplog`, named by its `frontend`, `listen` or `defaults`) or gunicorn (`access_log_format`).
    ///
    /// Without `name` there must be one; formats that are written twice alike count as one.
    ///
    /// ```
    /// use logretry_format::Format;
    ///
    /// let text = "http {\n    log_format main '$host \"$request\" ' # what was asked\n        '$status';\n}\n";
    /// let format = Format::from_config(text, Some("main"))?;
    /// assert_eq!(format.name(), r#"nginx:'$host "$request" $status'"#);
    /// assert!(Format::from_config(text, Some("mian")).unwrap_err().to_string().contains("it has `main`"));
    /// # Ok::<(), logretry_format::SpecError>(())
    /// ```
    pub fn from_config(text: &str, name: Option<&str>) -> Result<Self, SpecError> {
        let mut entries = nginx_entries(text);
        entries.extend(line_entries(text));
        let known = |entries: &[Entry]| {
            let mut names: Vec<_> = entries.iter().map(|entry| format!("`{}`", entry.name)).collect();
            names.dedup();
            names.join(", ")
        };
        let chosen = match name {
            // Of two with one name servers take the last.
            Some(name) => {
                entries.iter().rfind(|entry| entry.name == name).ok_or_else(|| match &entries[..] {
                    [] => SpecError::NoneInConfig,
                    _ => SpecError::NotInConfig { name: name.to_owned(), known: known(&entries) },
                })
            }
            None => match &entries[..] {
                [] => Err(SpecError::NoneInConfig),
                [first, others @ ..] if others.iter().all(|other| other.spec == first.spec) => Ok(first),
                _ => Err(SpecError::SeveralInConfig { known: known(&entries) }),
            },
        };
        Self::compile(&chosen?.spec)
    }
}

/// Each `log_format … ;`, without the comments in it.
fn nginx_entries(text: &str) -> Vec<Entry> {
    const DIRECTIVE: &str = "log_format";
    let mut entries = Vec::new();
    let mut statement = String::new();
    let mut quote = None;
    let mut chars = text.chars();
    while let Some(char) = chars.next() {
        match (char, quote) {
            ('\\', _) => {
                statement.push(char);
                statement.extend(chars.next());
            }
            ('#', None)
                if statement.ends_with(|before: char| before.is_whitespace()) || statement.is_empty() =>
            {
                // A comment may end the file.
                let _ = chars.find(|&char| char == '\n');
                statement.push('\n');
            }
            (';', None) => {
                let trimmed = statement.trim();
                let words = trimmed.split_ascii_whitespace().collect::<Vec<_>>();
                if let [DIRECTIVE, name, _, ..] = words.as_slice() {
                    entries.push(Entry { name: unquoted(name).to_owned(), spec: format!("{trimmed};") });
                }
                statement.clear();
            }
            ('{' | '}', None) if !is_in_variable(&statement, char) => statement.clear(),
            _ => {
                quote = match quote {
                    None if matches!(char, '\'' | '"') && starts_word(&statement) => Some(char),
                    Some(open) if open == char => None,
                    other => other,
                };
                statement.push(char);
            }
        }
    }
    entries
}

/// `${name}` outside quotes.
fn is_in_variable(statement: &str, char: char) -> bool {
    let last_word = statement.rsplit(char::is_whitespace).next().unwrap_or_default();
    if char == '{' { last_word.ends_with('$') } else { last_word.contains("${") }
}

/// A quote inside a bare word is a letter of it.
fn starts_word(statement: &str) -> bool {
    statement.is_empty()
        || statement.ends_with(|before: char| before.is_whitespace() || before == '\'' || before == '"')
}

/// Directives that are a line each; `\` at its end joins the next one (Apache).
fn line_entries(text: &str) -> Vec<Entry> {
    let mut entries = Vec::new();
    let mut section = String::new();
    let joined = text.replace("\\\r\n", "").replace("\\\n", "");
    for line in joined.lines().map(str::trim) {
        let mut words = line.split_ascii_whitespace();
        let (first, second) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut push =
            |name: &str, spec: &str| entries.push(Entry { name: name.to_owned(), spec: spec.to_owned() });
        match first {
            _ if first.eq_ignore_ascii_case("LogFormat") => {
                let rest = &line[first.len()..];
                let name = rest.rsplit(char::is_whitespace).next().unwrap_or_default();
                // Without a name it is what `TransferLog` uses.
                let name = if name.ends_with('"') { "" } else { name };
                push(name, &format!("LogFormat{rest}"));
            }
            "frontend" | "listen" | "defaults" | "backend" | "global" => {
                section = if second.is_empty() { first.to_owned() } else { second.to_owned() };
            }
            "log-format" => push(&section, &without_comment(line)),
            "option" => match (second, words.next()) {
                ("httplog", Some("clf")) => push(&section, "haproxy_clf"),
                ("httplog", _) => push(&section, "haproxy"),
                ("httpslog", _) => push(&section, "haproxy_https"),
                _ => {}
            },
            "access_log_format" => push("access_log_format", line),
            _ => {}
        }
    }
    entries
}

/// HAProxy's comments begin at a `#` outside quotes that no backslash precedes.
fn without_comment(line: &str) -> String {
    let mut quote = None;
    let mut escaped = false;
    for (at, char) in line.char_indices() {
        match (char, quote) {
            _ if escaped => escaped = false,
            ('\\', None | Some('"')) => escaped = true,
            ('#', None) => return line[..at].trim_end().to_owned(),
            ('"' | '\'', None) => quote = Some(char),
            (_, Some(open)) if open == char => quote = None,
            _ => {}
        }
    }
    line.to_owned()
}

fn unquoted(word: &str) -> &str {
    word.trim_matches(|char| matches!(char, '"' | '\''))
}
