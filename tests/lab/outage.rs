use super::{Backend, Server, ask};

/// An outage that is over: a web server whose access log holds its failures, and its back end, which is well again.
pub(crate) struct Outage {
    pub(crate) server: Server,
    pub(crate) backend: Backend,
    /// How many lines the access log had when the outage ended.
    pub(crate) lines: usize,
}

/// What is asked during an outage, and the status of the answer.
const ASKED: &[(&str, &str, u16)] = &[
    ("GET", "/s/200/fine", 200),
    ("GET", "/s/500/a", 500),
    ("GET", "/s/502/b?x=1&y=%20", 502),
    ("GET", "/s/404/missing", 404),
    ("GET", "/s/503/c?", 503),
    ("HEAD", "/s/503/d", 503),
    ("GET", "/s/504/e?q=%C3%A9", 504),
    ("POST", "/s/503/order", 503),
    ("GET", "/drop?id=1", 502),
    ("GET", "/slow?id=2", 504),
    ("GET", "/s/200/fine", 200),
];

impl Outage {
    /// Lives through an outage behind the server that `start` makes: each failure once.
    pub(crate) fn behind(start: impl FnOnce(&Backend) -> Server) -> Self {
        Self::of(ASKED, start)
    }

    /// Lives through the outage of these requests.
    pub(crate) fn of(asked: &[(&str, &str, u16)], start: impl FnOnce(&Backend) -> Server) -> Self {
        let backend = Backend::down();
        let server = start(&backend);
        for &(method, target, status) in asked {
            assert_eq!(ask(server.address(), method, target), status, "{method} {target}");
        }
        server.logged(asked.len());
        backend.recover();
        backend.forget(asked.len());
        Self { server, backend, lines: asked.len() }
    }

    /// The lines that the server has logged since, when there are `number` of them.
    pub(crate) fn logged_since(&self, number: usize) -> Vec<String> {
        self.server.logged(self.lines + number).split_off(self.lines)
    }
}
