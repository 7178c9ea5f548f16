use std::borrow::Cow;
use std::sync::Arc;

use crate::assemble::assemble;
use crate::error::{LineError, SpecError};
use crate::escape::Escape;
use crate::field::{Field, Piece, Role, Shape};
use crate::parsed::Parsed;
use crate::pasted::{self, Dialect, Pasted};
use crate::presets::{self, Preset};
use crate::spans::Spans;
use crate::spec::{self, Spec};
use crate::steps::{Step, Steps};
use crate::uses::Uses;
use crate::{apache, gunicorn, nginx};

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
}

/// A step format with what its fields are used for.
#[derive(Debug, Clone)]
pub(crate) struct Compiled {
    pub(crate) escape: Escape,
    pub(crate) steps: Steps,
    pub(crate) fields: Vec<Field>,
    pub(crate) uses: Uses,
}

impl Format {
    /// Compiles SPEC, which is
    ///
    /// - a preset's name (see [`presets`](crate::presets)), or
    /// - the text that stands in the server's configuration: `log_format main escape=json '…' '…';`,
    ///   `LogFormat "… \"%r\" …" nick`, `access_log_format = '…'`, or only the string in it. Where it cannot be told whose it
    ///   is, `nginx:`, `apache:` or `gunicorn:` in front of it says so.
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
                let compiled = compile_pasted(&pasted, None)?;
                Ok(Self::new(&pasted::canonical(&pasted), compiled))
            }
        }
    }

    pub(crate) fn compile_preset(preset: &Preset) -> Result<Self, SpecError> {
        let Spec::Pasted(pasted) = spec::read(preset.spec)? else {
            return Err(presets::unknown(preset.name));
        };
        Ok(Self::new(preset.name, compile_pasted(&pasted, Some(preset))?))
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
        !self.compiled().uses.hosts.is_empty()
    }

    /// Whether lines tell the scheme, if only by the port.
    pub fn has_scheme(&self) -> bool {
        let uses = &self.compiled().uses;
        !uses.schemes.is_empty() || uses.port.is_some()
    }

    /// Whether lines tell the method.
    pub fn has_method(&self) -> bool {
        let uses = &self.compiled().uses;
        uses.request.or(uses.method).is_some()
    }

    /// Whether lines tell when the request happened.
    pub fn has_time(&self) -> bool {
        !self.compiled().uses.times.is_empty()
    }

    /// What every target of this format has lost: `path` where the server logs it decoded, `query` where it does not log it.
    pub fn lossy(&self) -> &[Cow<'static, str>] {
        self.compiled().uses.lossy()
    }

    /// What an operator should know about the format, in sentences' fragments; mostly empty.
    pub fn notes(&self) -> &[String] {
        &self.compiled().uses.notes
    }

    /// The fields' names in the order of the line, as the format writes them, with what each is used for.
    pub fn fields(&self) -> impl Iterator<Item = (&str, &'static str)> {
        self.compiled().fields.iter().map(|field| (field.name.as_str(), field.role.about()))
    }

    /// The bytes that stand right before and right after the status in every line of this format; empty at an end of the line
    /// or beside another field. A screen can look for them without parsing.
    pub fn around_status(&self) -> (&[u8], &[u8]) {
        let Compiled { steps, uses, .. } = self.compiled();
        let steps = &steps.list;
        let at =
            steps.iter().position(|step| matches!(step, Step::Scan { field, .. } if *field == uses.status));
        let literal = |index: Option<usize>| match index.and_then(|index| steps.get(index)) {
            Some(Step::Literal(bytes)) => &**bytes,
            _ => &[],
        };
        (literal(at.and_then(|at| at.checked_sub(1))), literal(at.map(|at| at + 1)))
    }

    /// Finds the fields of `line`, which has no line end (a `\r` at its end is ignored). Nothing is allocated once `spans` has
    /// been used for this format.
    pub fn parse<'a>(&'a self, line: &'a [u8], spans: &'a mut Spans) -> Result<Parsed<'a>, LineError> {
        let format = self.compiled();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        format.steps.read(line, spans)?;
        Ok(Parsed { format, line, spans: &spans.kept })
    }

    pub(crate) fn compiled(&self) -> &Compiled {
        match &self.grammar {
            Grammar::Steps(compiled) => compiled,
        }
    }
}

fn compile_pasted(pasted: &Pasted, preset: Option<&Preset>) -> Result<Compiled, SpecError> {
    let mut pieces = match pasted.dialect {
        Dialect::Nginx => nginx::pieces(&pasted.text)?,
        Dialect::Apache => apache::pieces(&pasted.text)?,
        Dialect::Gunicorn => gunicorn::pieces(&pasted.text)?,
    };
    if let Some(preset) = preset {
        for piece in &mut pieces {
            settle(piece, preset);
        }
    }
    if !pieces.iter().any(|piece| matches!(piece, Piece::Field(_))) {
        return Err(SpecError::NoFields);
    }
    let (steps, fields) = assemble(pieces, pasted.escape)?;
    let uses = Uses::of(&fields, pasted.dialect)?;
    Ok(Compiled { escape: pasted.escape, steps, fields, uses })
}

/// What a preset knows beyond its spec.
fn settle(piece: &mut Piece, preset: &Preset) {
    let Piece::Field(field) = piece else { return };
    if let Role::Bytes { dash_is_zero, .. } = &mut field.role {
        *dash_is_zero &= !preset.zero_is_zero;
    }
    // Nobody runs identd any more. With any word there, each line that has a prefix (of syslog, docker compose, a pod) or
    // a host in this place would fit too, since a user's name may hold spaces.
    if field.name == "%l" {
        field.shape = Shape::Dash;
    }
}
