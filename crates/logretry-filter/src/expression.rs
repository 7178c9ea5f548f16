use std::fmt;

use jaq_core::compile::{Compiler, Undefined};
use jaq_core::data::JustLut;
use jaq_core::load::{self, Arena, File, Loader};
use jaq_core::{Ctx, Filter, ValT as _, Vars};
use jaq_json::{Val, read};
use logretry_record::{Record, Shown};

/// A condition in the language of jq, on the JSON of a record as it goes through a pipe.
///
/// It is run by jaq, which knows nearly all of that language. What needs something beside the record (`input`, modules, `halt`) does not work.
pub(crate) struct Expression {
    filter: Filter<JustLut<Val>>,
    /// Room for a record's JSON.
    json: Vec<u8>,
}

impl Expression {
    /// Compiles `text`, or says what is wrong with it.
    pub(crate) fn new(text: &str) -> Result<Self, String> {
        let defs = jaq_core::defs().chain(jaq_std::defs()).chain(jaq_json::defs());
        let funs = jaq_core::funs().chain(jaq_std::funs()).chain(jaq_json::funs());
        let arena = Arena::default();
        let program = File { code: text, path: () };
        let modules = Loader::new(defs).load(&arena, program).map_err(|errors| first(errors, not_read))?;
        let filter = Compiler::default().with_funs(funs).compile(modules);
        let filter = filter.map_err(|errors| first(errors, |undefined| first_undefined(&undefined)))?;
        Ok(Self { filter, json: Vec::new() })
    }

    /// Whether one of its results for `record` is neither `false` nor `null`, as `select` in jq asks; or why it has none.
    pub(crate) fn holds(&mut self, record: &Record) -> Result<bool, String> {
        self.json.clear();
        record.encode(&mut self.json);
        let value = read::parse_single(&self.json).map_err(|error| error.to_string())?;
        let context = Ctx::<JustLut<Val>>::new(&self.filter.lut, Vars::new([]));
        for result in self.filter.id.run((context, value)) {
            match result.map_err(jaq_core::Exn::get_err) {
                Ok(value) if value.as_bool() => return Ok(true),
                Ok(_) => {}
                Err(Ok(error)) => return Err(Shown(error.to_string().as_bytes()).to_string()),
                Err(Err(_)) => return Err("it calls `halt`".to_owned()),
            }
        }
        Ok(false)
    }
}

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Expression(…)")
    }
}

/// What is said of the first error. They are all of the one program that there is.
fn first<E>(errors: load::Errors<&str, (), E>, say: impl Fn(E) -> String) -> String {
    errors.into_iter().next().map_or_else(String::new, |(_, error)| say(error))
}

fn not_read(error: load::Error<&str>) -> String {
    let expected = |expected: &str, found: &str| match found {
        "" => format!("a {expected} is missing at its end"),
        found => format!("there should be a {expected} at `{found}`"),
    };
    match error {
        load::Error::Io(errors) => {
            errors.first().map(|(path, _)| format!("the module `{path}` cannot be had here"))
        }
        load::Error::Lex(errors) => errors.first().map(|(wanted, found)| expected(wanted.as_str(), found)),
        load::Error::Parse(errors) => errors.first().map(|(wanted, found)| expected(wanted.as_str(), found)),
    }
    .unwrap_or_default()
}

fn first_undefined(errors: &[(&str, Undefined)]) -> String {
    match errors.first() {
        Some((name, Undefined::Filter(0))) => {
            format!("there is no `{name}`; members begin with a dot, as in `.original.{name}`")
        }
        Some((name, undefined)) => format!("there is no {} `{name}`", undefined.as_str()),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use logretry_record::{Exchange, Origin, RecordId};

    use super::*;

    fn record() -> Record {
        let original = Exchange {
            target: Some("/shop/cart?id=1".into()),
            status: Some(502),
            bytes: Some(157),
            duration_ms: Some(0.5),
            ..Exchange::default()
        };
        Record::new(RecordId::of_line(b"", 0), Origin::new("access.log", 7, 0, "x", "a \"line\""), original)
    }

    fn holds(text: &str) -> Result<bool, String> {
        Expression::new(text)?.holds(&record())
    }

    #[test]
    fn it_holds_where_a_result_is_true() {
        for (text, expected) in [
            (".original.bytes > 156", true),
            (".original.bytes > 157", false),
            (".original.duration_ms == 0.5 and .origin.line % 7 == 0", true),
            (r#".original.target | test("^/shop/.*[?&]id=\\d")"#, true),
            (r#".origin.text | contains("\"line\"")"#, true),
            (".original.host", false),
            (".original.status", true),
            (".original | .host, .status", true),
            ("empty", false),
            (".retry == null", true),
            ("any(.original[]; . == 157)", true),
        ] {
            assert_eq!(holds(text), Ok(expected), "{text}");
        }
    }

    #[test]
    fn what_fails_or_cannot_be_read_is_said() {
        for (text, said) in [
            ("", "a term is missing at its end"),
            (".original.bytes >", "a term is missing at its end"),
            ("(.original", "a closing parenthesis is missing at its end"),
            (".a § 1", "there should be a token at `§ 1`"),
            ("status >= 500", "there is no `status`; members begin with a dot, as in `.original.status`"),
            ("$status", "there is no variable `$status`"),
            (r#"include "x"; ."#, "the module `x` cannot be had here"),
            (".original.host | startswith(\"a\")", "cannot use null as string"),
            ("halt", "it calls `halt`"),
            (r#"error("token=s3cret")"#, "\"token=…\""),
        ] {
            assert_eq!(holds(text), Err(said.to_owned()), "{text}");
        }
    }
}
