use std::sync::Arc;

/// A format spec that cannot be compiled; each fits after "cannot read the format: ".
///
/// `at` is where in the spec it went wrong, in bytes from 0.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// One word that is no preset's name.
    #[error("there is no preset `{name}`{}; `logretry formats` lists them all, or paste the text from the server's configuration", did_you_mean(.nearest.as_deref()))]
    UnknownPreset {
        /// The word.
        name: String,
        /// The preset whose name looks most like it.
        nearest: Option<String>,
    },
    /// Text without a single field.
    #[error("there is no field in it: nginx writes fields as `$status`, Apache as `%>s`")]
    NoFields,
    /// Both nginx variables and Apache directives are in it.
    #[error("it holds both `{nginx}` (nginx) and `{apache}` (Apache); begin it with `nginx:` or `apache:`")]
    BothKinds {
        /// The first thing that looks like an nginx variable.
        nginx: String,
        /// The first thing that looks like an Apache directive.
        apache: String,
    },
    /// A quote that is never closed.
    #[error("the quote at byte {at} is never closed")]
    UnbalancedQuote {
        /// Where the quote opens.
        at: usize,
    },
    /// The directive around the format string is not of the form that the server takes.
    #[error("`{directive}` needs {needs} (byte {at})")]
    Directive {
        /// `log_format` or `LogFormat`.
        directive: &'static str,
        /// What is missing or too much.
        needs: &'static str,
        /// Where.
        at: usize,
    },
    /// A directive or variable that this producer does not have.
    #[error("`{text}` at byte {at} is nothing that {producer} can log")]
    UnknownField {
        /// As it is written.
        text: String,
        /// nginx, Apache, or gunicorn.
        producer: &'static str,
        /// Where.
        at: usize,
    },
    /// A time conversion whose end cannot be found.
    #[error(
        "the time conversion `{text}` at byte {at} is not supported; use numeric ones, as in `%{{%Y-%m-%dT%H:%M:%S%z}}t`"
    )]
    Time {
        /// The conversion.
        text: String,
        /// Where.
        at: usize,
    },
    /// Nothing stands between two fields and nothing in them says where the first ends.
    #[error(
        "`{first}` and `{second}` stand side by side at byte {at}, so nobody can tell where the first ends; log something between them"
    )]
    Adjacent {
        /// The first field.
        first: String,
        /// The second.
        second: String,
        /// Where the second begins.
        at: usize,
    },
    /// No field holds the status, so failed requests cannot be told from good ones.
    #[error("it has no status; add `{add}`")]
    NoStatus {
        /// The field to add.
        add: &'static str,
    },
    /// No field holds the path that was asked for.
    #[error("it has nothing to build a URL from; add {add}")]
    NoUrl {
        /// The field to add.
        add: &'static str,
    },
    /// Something in a map of keys is none of what keys are used for.
    #[error(
        "`{text}` names no key; a map is written as `json:status=.code,url=.req.url`, and what a key can be used for is {known}"
    )]
    NotAKey {
        /// As it is written.
        text: String,
        /// The words for what a key can be used for.
        known: &'static str,
    },
    /// An expression that cannot be used.
    #[error("the expression cannot be used: {reason}")]
    Regex {
        /// Why.
        reason: String,
    },
    /// A configuration without any format.
    #[error(
        "there is no `log_format`, `LogFormat`, `log-format` or `access_log_format` in the configuration"
    )]
    NoneInConfig,
    /// A configuration with several, and none was chosen.
    #[error("the configuration has several formats: {known}; choose one by its name")]
    SeveralInConfig {
        /// Their names.
        known: String,
    },
    /// A configuration that has others.
    #[error("the configuration has no format `{name}`; it has {known}")]
    NotInConfig {
        /// The name that was asked for.
        name: String,
        /// The names that it has.
        known: String,
    },
    /// Nobody's format is that long.
    #[error("it is longer than {max} bytes")]
    TooLong {
        /// The longest spec that is read.
        max: usize,
    },
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map(|name| format!(" (did you mean `{name}`?)")).unwrap_or_default()
}

/// A line that cannot be used; each fits after "cannot use the line: ".
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum LineError {
    /// The line is not in this format.
    #[error("it is not in the format: at byte {at} there should be {wanted}")]
    Mismatch {
        /// The furthest byte that was reached, from 0.
        at: usize,
        /// What the format has there.
        wanted: Arc<str>,
    },
    /// The line can be read in two ways that do not agree on status, method, target or host: what a client sent may have
    /// been written to look like other fields.
    #[error("it is ambiguous: its fields can be told apart in more than one way, with different requests")]
    Ambiguous,
    /// The line is in this format and tells of no request, or of one that another line tells of: a header, a comment, a message.
    #[error("it tells of no request, or of one that another line tells of")]
    NoRequest,
    /// The line has columns, and what is in them is not known.
    #[error("its columns have no names: {why}")]
    NoColumns {
        /// What is wrong with the header.
        why: Arc<str>,
    },
    /// There are more ways to cut the line into fields than are tried.
    #[error("it is ambiguous: its fields can be told apart in more ways than are tried ({max})")]
    TooManyReadings {
        /// How many are tried.
        max: u32,
    },
}
