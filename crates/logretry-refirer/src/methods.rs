use std::collections::BTreeSet;
use std::str::FromStr;

use http::Method;
use logretry_record::Reason;

use crate::RefirerError;

/// The methods that are sent: `--methods`, by default GET, HEAD and OPTIONS.
///
/// These three are safe (RFC 9110 §9.2.1), so sending them a second time asks for nothing but an answer. Every other method has
/// to be named. TRACE and CONNECT are never sent: the one shows a request's secrets to whoever reads the answer, the other
/// is not a request to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Methods {
    names: BTreeSet<String>,
    /// Whether those of them that change something are not sent after all.
    pub(crate) is_without_changes: bool,
}

/// Those that are sent without being named.
const SAFE: [&str; 3] = ["GET", "HEAD", "OPTIONS"];

/// Whether `method` is one of the three that are sent without being named.
pub(crate) fn is_safe(method: &str) -> bool {
    SAFE.contains(&method)
}

/// Whether asking twice with `method` is as good as asking once (RFC 9110 §9.2.2). Of one that is not known here nobody knows.
pub(crate) fn is_idempotent(method: &str) -> bool {
    is_safe(method) || matches!(method, "PUT" | "DELETE")
}

impl Methods {
    /// The method to send for a line that names `method`. A line that names none was read from a format that has none, and
    /// is asked again with GET. `has_body` says that its body is known, even if it is empty.
    pub(crate) fn judge(&self, method: Option<&str>, has_body: bool) -> Result<Method, Reason> {
        let method = method.unwrap_or("GET");
        if !self.has(method) {
            return Err(Reason::MethodNotAllowed);
        }
        // DELETE has no defined body (RFC 9110 §9.3.5). Of a method that is not known here, it is not known to have none.
        if !has_body && !["GET", "HEAD", "OPTIONS", "DELETE"].contains(&method) {
            return Err(Reason::NoBody);
        }
        method.parse().map_err(|_| Reason::MethodNotAllowed)
    }

    /// Whether `method` is one of them.
    pub(crate) fn has(&self, method: &str) -> bool {
        self.names.contains(method)
    }
}

impl Methods {
    /// The same, of which only those are sent that change nothing. Whatever another reason keeps back has that reason still.
    #[must_use]
    pub fn without_changes(self) -> Self {
        Self { is_without_changes: true, ..self }
    }

    /// Those that change something: all but GET, HEAD and OPTIONS.
    pub fn that_change_something(&self) -> impl Iterator<Item = &str> {
        self.names.iter().map(String::as_str).filter(|name| !is_safe(name))
    }

    /// Whether a request may be sent that changes something.
    pub fn may_change_something(&self) -> bool {
        !self.is_without_changes && self.that_change_something().next().is_some()
    }
}

impl Default for Methods {
    fn default() -> Self {
        Self { names: SAFE.map(str::to_owned).into(), is_without_changes: false }
    }
}

impl FromStr for Methods {
    type Err = RefirerError;

    /// Reads names joined by commas. They are case-sensitive (RFC 9110 §9.1).
    fn from_str(text: &str) -> Result<Self, RefirerError> {
        let refuse = |name: &str, why| RefirerError::Method { name: name.to_owned(), why };
        let mut names = BTreeSet::new();
        for name in text.split(',').map(str::trim) {
            let method = name.parse::<Method>().map_err(|_| {
                refuse(name, "it is no method; join methods by commas without blanks, as in `GET,DELETE`")
            })?;
            match name.to_ascii_uppercase().as_str() {
                "TRACE" | "TRACK" | "CONNECT" => return Err(refuse(name, "it is never sent again")),
                "GET" | "HEAD" | "OPTIONS" | "DELETE" | "PUT" | "POST" | "PATCH"
                    if name.bytes().any(|byte| byte.is_ascii_lowercase()) =>
                {
                    return Err(refuse(name, "methods are case-sensitive; write it in capital letters"));
                }
                _ => names.insert(method.to_string()),
            };
        }
        Ok(Self { names, is_without_changes: false })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_safe_methods_are_sent_unless_others_are_named() {
        let methods = Methods::default();
        for name in ["GET", "HEAD", "OPTIONS"] {
            assert_eq!(
                methods.judge(Some(name), false).map(|method| method.to_string()),
                Ok(name.to_owned())
            );
        }
        for name in ["POST", "PUT", "PATCH", "DELETE", "TRACE", "CONNECT", "get", "PURGE", "G T", ""] {
            assert_eq!(methods.judge(Some(name), true), Err(Reason::MethodNotAllowed), "{name}");
        }
        assert_eq!(methods.judge(None, false), Ok(Method::GET));
    }

    #[test]
    fn a_method_with_a_body_is_never_sent_without_it() {
        let methods: Methods = "GET, POST,PUT,PATCH,DELETE,PURGE".parse().expect("methods");
        for name in ["POST", "PUT", "PATCH", "PURGE"] {
            assert_eq!(methods.judge(Some(name), false), Err(Reason::NoBody), "{name}");
            assert_eq!(methods.judge(Some(name), true).map(|method| method.to_string()), Ok(name.to_owned()));
        }
        assert_eq!(methods.judge(Some("DELETE"), false), Ok(Method::DELETE));
        assert_eq!(
            methods.judge(Some("HEAD"), false),
            Err(Reason::MethodNotAllowed),
            "the list replaces the default"
        );
    }

    #[test]
    fn what_cannot_be_a_method_is_refused() {
        for text in ["", "GET,", "G T", "get", "Post", "TRACE", "connect", "GET,TRACK", "GET;HEAD é"] {
            assert!(text.parse::<Methods>().is_err(), "{text:?} was taken");
        }
        // What the shell makes of `--methods GET, DELETE`.
        let error = "GET,".parse::<Methods>().expect_err("a method is missing").to_string();
        assert!(error.contains("as in `GET,DELETE`"), "{error}");
    }
}
