//! Through a proxy without a tunnel, to servers without TLS: reqwest, which knows how to ask each kind of them.

use std::sync::Arc;
use std::time::Duration;

use http::StatusCode;
use http::header::HOST;
use reqwest::{Client, Proxy, redirect, retry};
use rustls::ClientConfig;
use url::Url;

use super::http2::{is_beyond_the_last, is_refused};
use super::tunnel::{names_who_asks, who_asks};
use super::wire::{RETIRED_MAX, pause, retired};
use super::{Request, Seen, not_connected};
use crate::fault::{Fault, Phase, links};
use crate::options::ProxyUrl;
use crate::resolver::{ResolveError, Resolver};
use crate::{HttpVersion, Options, RefirerError};

/// reqwest, with everything switched off that would send a request twice, elsewhere or otherwise than built.
#[derive(Debug)]
pub(super) struct Proxied {
    client: Client,
    /// The same, which keeps no connection: for methods that must not arrive twice, as [`http1`](super::http1) explains.
    fresh: Client,
    names_who_asks: bool,
    connect_timeout: Duration,
    body_bytes_max: u64,
}

impl Proxied {
    pub(super) fn new(
        options: &Options,
        proxy: &ProxyUrl,
        resolver: Resolver,
        tls: ClientConfig,
    ) -> Result<Self, RefirerError> {
        if resolver.knows_by_hand() {
            return Err(RefirerError::ResolveBehindProxy);
        }
        let kept = options.concurrency.get();
        Ok(Self {
            client: client(options, proxy, resolver.clone(), tls.clone(), kept)?,
            fresh: client(options, proxy, resolver, tls, 0)?,
            names_who_asks: names_who_asks(proxy),
            connect_timeout: options.connect_timeout,
            body_bytes_max: options.body_bytes_max,
        })
    }

    fn fault(&self, error: reqwest::Error) -> Fault {
        let (connecting, late) = (error.is_connect(), error.is_timeout());
        let fault = Fault::of(
            &error.without_url(),
            if connecting { Phase::ConnectingByProxy } else { Phase::Exchanging },
        );
        match (connecting, late) {
            (false, _) => fault,
            (true, false) => fault.before_the_request(),
            (true, true) => {
                let late = not_connected(self.connect_timeout).before_the_request();
                Fault { kind: fault.kind, ..late }
            }
        }
    }

    /// Sends `request`. reqwest connects as it sends, so that a connection that cannot be made comes up only here, when the
    /// request counts as begun. It is known not to have been sent then.
    pub(super) async fn exchange(&self, request: &Request, seen: &mut Seen) -> Result<(), Fault> {
        let planned = &request.planned;
        let url = Url::parse(&planned.url()).map_err(|error| Fault::of(&error, Phase::Exchanging))?;
        let mut headers = request.headers();
        // The library makes it of the URL where the protocol has it; over HTTP/2 it would stand beside `:authority`, and servers refuse such a request.
        headers.remove(HOST);
        let client = if planned.is_idempotent() { &self.client } else { &self.fresh };
        let send = || {
            let built = client.request(planned.method.clone(), url.clone()).headers(headers.clone());
            if request.body.is_empty() { built.send() } else { built.body(request.body.clone()).send() }
        };
        let mut answer = send().await;
        for times in 1..=RETIRED_MAX {
            if !answer.as_ref().is_err_and(was_left_alone) {
                break;
            }
            pause(times).await;
            answer = send().await;
        }
        let mut answer = match answer {
            Ok(answer) => answer,
            Err(error) if was_left_alone(&error) => return Err(retired()),
            Err(error) => return Err(self.fault(error)),
        };
        // Nobody but a proxy answers so, and it has passed nothing on (RFC 9110 §15.5.8).
        if answer.status() == StatusCode::PROXY_AUTHENTICATION_REQUIRED {
            return Err(who_asks(self.names_who_asks).before_the_request());
        }
        seen.head(answer.status(), answer.headers());
        while let Some(piece) = answer.chunk().await.map_err(|error| self.fault(error))? {
            seen.body(piece.len(), self.body_bytes_max)?;
        }
        Ok(())
    }
}

/// Whether the server has proved that it has not looked at this request and will not: it retired its HTTP/2 connection in good order (GOAWAY, `NO_ERROR`), or refused the
/// stream (RFC 9113 §8.7). Sent once more it is still one request, as far as the server is concerned.
fn was_left_alone(error: &reqwest::Error) -> bool {
    let is_retired =
        |error: &h2::Error| is_beyond_the_last(error) && error.reason() == Some(h2::Reason::NO_ERROR);
    links(error)
        .filter_map(|link| link.downcast_ref::<h2::Error>())
        .any(|error| is_retired(error) || is_refused(error))
}

/// A client that keeps so many connections.
fn client(
    options: &Options,
    proxy: &ProxyUrl,
    resolver: Resolver,
    tls: ClientConfig,
    kept_max: usize,
) -> Result<Client, RefirerError> {
    let failed = |error: reqwest::Error| {
        RefirerError::Client(Fault::of(&error.without_url(), Phase::Exchanging).detail)
    };
    let host = proxy.0.host_str().unwrap_or_default();
    if let Err(ResolveError::Blocked { why, .. }) = Resolver::literal(host) {
        return Err(RefirerError::Blocked { host: host.to_owned(), why });
    }
    let builder = Client::builder()
        .redirect(redirect::Policy::none())
        .retry(retry::never())
        .no_proxy()
        .proxy(Proxy::all(proxy.0.clone()).map_err(failed)?)
        .referer(false)
        .tls_backend_preconfigured(tls)
        .dns_resolver(Arc::new(resolver))
        .connect_timeout(options.connect_timeout)
        .pool_idle_timeout(super::pool::REST)
        .pool_max_idle_per_host(kept_max);
    let builder = match options.http {
        HttpVersion::Negotiated => builder,
        HttpVersion::Http1 => builder.http1_only(),
        HttpVersion::Http2 => builder.http2_prior_knowledge(),
    };
    builder.build().map_err(failed)
}
