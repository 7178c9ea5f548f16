use std::borrow::Cow;
use std::sync::Arc;

use crate::compiled::Compiled;
use crate::error::{LineError, SpecError};
use crate::keyed::{self, Keyed, KeyedRead};
use crate::parsed::StepsRead;
use crate::pasted;
use crate::presets::{self, Preset};
use crate::reading::{Parsed, Reading};
use crate::spans::Spans;
use crate::spec::{self, Spec};

/// A compiled format; cheap to clone.
#[derive(Debug, Clone)]
pub struct Format {
    name: Arc<str>,
    grammar: Grammar,
}

/// The kinds of formats there are.
#[derive(Debug, Clone)]
enum Grammar {
    /// Literals and fields in turn, as nginx, Apache and gunicorn configure them.
    Steps(Arc<Compiled>),
    /// Names and values: JSON objects, LTSV, logfmt, W3C extended.
    Keyed(Arc<Keyed>),
}

impl Format {
    /// Compiles SPEC, which is
    ///
    /// - a preset's name (see [`presets`](crate::presets)), or
    /// - the text that stands in the server's configuration: `log_format main escape=json '…' '…';`,
    ///   `LogFormat "… \"%r\" …" nick`, `access_log_format = '…'`, HAProxy's `log-format "…"`, Envoy's `%REQ(:PATH)%` strings and its `json_format: {…}`, a
    ///   Tomcat `<Valve … pattern="…">`, `varnishncsa -F '…'`, or only the string in it. Where it cannot be told whose it is, `nginx:`,
    ///   `apache:`, `gunicorn:`, `haproxy:`, `envoy:`, `tomcat:` or `varnish:` in front of it says so, or
    /// - `regex:` and an expression that matches whole lines, with the groups `status`, `method`, `request` (a request line), `target`, `url`
    ///   (whole), `path`, `query`, `host`, `port`, `scheme`, `time`, `duration_ms` (`_s`, `_us`), `bytes`, `client`, `user_agent`, `request_id`, or
    /// - `line:` and a line with its fields in braces, as [`Preset::spec`] has it where nobody configures one: `line:{client} "{request}" {status}`, or
    /// - the names of values, and what they are used for: `json:status=.res.code,url=.req.url`, the same with `ltsv:` and `logfmt:`,
    ///   and W3C's `#Fields:` line or `w3c:` and its columns. The words are `status`, `url` (whole, or path and query), `target` (what
    ///   the client sent), `path`, `query`, `request` (a request line), `method`, `host`, `scheme`, `port`, `time`, `duration_ms` (`_s`, `_us`,
    ///   `_ns`), `bytes`, `client`, `user_agent`, `request_id`; of several with the same word the first that a line has counts.
    ///
    /// ```
    /// use logretry_format::Format;
    ///
    /// let format = Format::compile(r#"LogFormat "%v %h %t \"%r\" %>s %D" timed"#)?;
    /// assert!(format.has_host() && format.lossy().is_empty());
    /// assert!(Format::compile("log_format x '$remote_addr $request';").is_err(), "it has no status");
    /// # Ok::<(), logretry_format::SpecError>(())
    /// ```
    pub fn compile(spec: &str) -> Result<Self, SpecError> {
        match spec::read(spec)? {
            Spec::Preset(preset) => presets::compiled(preset.name),
            Spec::Pasted(pasted) => {
                let compiled = Compiled::of(&pasted)?;
                Ok(Self::new(&pasted::canonical(&pasted), compiled))
            }
            Spec::Keyed(spec) => keyed::compile(&spec).map(|(keyed, name)| Self::of_keyed(&name, keyed)),
        }
    }

    pub(crate) fn compile_preset(preset: &Preset) -> Result<Self, SpecError> {
        if keyed::is_keyed(preset.spec) {
            return Ok(Self::of_keyed(preset.name, keyed::compile_preset(preset)?));
        }
        Ok(Self::new(preset.name, Compiled::of_preset(preset)?))
    }

    fn of_keyed(name: &str, keyed: Keyed) -> Self {
        Self { name: name.into(), grammar: Grammar::Keyed(Arc::new(keyed)) }
    }

    fn new(name: &str, compiled: Compiled) -> Self {
        Self { name: name.into(), grammar: Grammar::Steps(Arc::new(compiled)) }
    }

    /// A preset's name, or one line from which [`Format::compile`] makes the same format. It is stored in each record, so
    /// that another process can rewrite the line.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whether lines name a host. Without one, URLs need a base.
    pub fn has_host(&self) -> bool {
        match &self.grammar {
            Grammar::Steps(steps) => steps.habits.absolute.names_host() || !steps.uses.hosts.is_empty(),
            Grammar::Keyed(keyed) => keyed.has_host(),
        }
    }

    /// Whether lines tell the scheme, if only by the port.
    pub fn has_scheme(&self) -> bool {
        match &self.grammar {
            Grammar::Steps(steps) => {
                steps.habits.absolute.names_scheme()
                    || !steps.uses.schemes.is_empty()
                    || steps.uses.port.is_some()
            }
            Grammar::Keyed(keyed) => keyed.has_scheme(),
        }
    }

    /// Whether lines tell the method.
    pub fn has_method(&self) -> bool {
        match &self.grammar {
            Grammar::Steps(steps) => steps.uses.request.or(steps.uses.method).is_some(),
            Grammar::Keyed(keyed) => keyed.has_method(),
        }
    }

    /// Whether `line` has a field of its own for the user agent, if only an empty one. Where lines name their values, as in JSON, each may have it or not.
    pub fn has_user_agent_in(&self, line: &[u8]) -> bool {
        match &self.grammar {
            Grammar::Steps(steps) => steps.uses.user_agent.is_some(),
            Grammar::Keyed(keyed) => keyed.has_user_agent_in(line),
        }
    }

    /// Whether lines tell when the request happened.
    pub fn has_time(&self) -> bool {
        match &self.grammar {
            Grammar::Steps(steps) => !steps.uses.times.is_empty(),
            Grammar::Keyed(keyed) => keyed.has_time(),
        }
    }

    /// Whether its times may say their offset from UTC. Those that do not are taken as UTC.
    pub fn has_zone(&self) -> bool {
        match &self.grammar {
            Grammar::Steps(steps) => steps.uses.has_zone,
            Grammar::Keyed(_) => true,
        }
    }

    /// What every target of this format has lost: `path` where the server logs it decoded, `query` where it does not log it.
    pub fn lossy(&self) -> &[Cow<'static, str>] {
        match &self.grammar {
            Grammar::Steps(steps) => steps.uses.lossy(),
            Grammar::Keyed(keyed) => &keyed.lossy,
        }
    }

    /// What an operator should know about the format, in sentences' fragments; mostly empty.
    pub fn notes(&self) -> &[String] {
        match &self.grammar {
            Grammar::Steps(steps) => &steps.uses.notes,
            Grammar::Keyed(keyed) => &keyed.notes,
        }
    }

    /// The fields' names in the order of the line, as the format writes them, with what each is used for.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &'static str)> {
        let (steps, keyed) = match &self.grammar {
            Grammar::Steps(steps) => (Some(steps), None),
            Grammar::Keyed(keyed) => (None, Some(keyed.fields())),
        };
        let steps = steps.into_iter().flat_map(|steps| &steps.fields);
        steps.map(|field| (field.name.as_str(), field.role.about())).chain(keyed.into_iter().flatten())
    }

    /// The bytes that stand right before and right after the status in every line of this format; empty at an end of the line
    /// or beside another field. A screen can look for them without parsing.
    pub fn around_status(&self) -> (&[u8], &[u8]) {
        match &self.grammar {
            Grammar::Steps(compiled) => compiled.around_status(),
            Grammar::Keyed(_) => (&[], &[]),
        }
    }

    /// The format of the lines behind `line`, if that is a header that logs of this format have: the `#Fields:` line of W3C
    /// extended logs, which may change in the middle of a file. Behind one that cannot be used (it has no status, say) no line
    /// can be: parsing them gives [`LineError::NoColumns`].
    ///
    /// ```
    /// use logretry_format::{Format, Spans};
    ///
    /// let waiting = Format::compile("w3c")?;
    /// let format = waiting.header(b"#Fields: cs-method cs-uri-stem sc-status").expect("a header");
    /// assert_eq!(format.name(), "w3c:cs-method cs-uri-stem sc-status");
    /// assert_eq!(format.parse(b"GET /a 502", &mut Spans::new()).map(|parsed| parsed.status()), Ok(Some(502)));
    /// # Ok::<(), logretry_format::SpecError>(())
    /// ```
    pub fn header(&self, line: &[u8]) -> Option<Self> {
        match &self.grammar {
            Grammar::Keyed(keyed) if keyed.has_columns() => Self::of_header(line),
            _ => None,
        }
    }

    /// The format of the lines behind `line`, if that is a header.
    pub(crate) fn of_header(line: &[u8]) -> Option<Self> {
        Some(match keyed::header(line)? {
            Ok((keyed, name)) => Self::of_keyed(&name, keyed),
            Err(error) => {
                Self::of_keyed("w3c", keyed::without_columns(&format!("of the `#Fields:` line, {error}")))
            }
        })
    }

    pub(crate) fn is_keyed(&self) -> bool {
        matches!(self.grammar, Grammar::Keyed(_))
    }

    /// Whether only lines with whole URLs are of this format.
    pub(crate) fn writes_urls(&self) -> bool {
        matches!(&self.grammar, Grammar::Steps(steps) if steps.habits.absolute.names_host())
    }

    /// Finds the fields of `line`, which has no line end (a `\r` at its end is ignored). Nothing is allocated once `spans` has
    /// been used for this format.
    pub fn parse<'a>(&'a self, line: &'a [u8], spans: &'a mut Spans) -> Result<Parsed<'a>, LineError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        Ok(Parsed(match &self.grammar {
            Grammar::Steps(format) => {
                let format = format.read(line, spans)?;
                Reading::Steps(StepsRead::new(format, line, spans))
            }
            Grammar::Keyed(keyed) => {
                keyed.read(line, spans)?;
                Reading::Keyed(KeyedRead { keyed, line, spans: &spans.kept })
            }
        }))
    }
}
