//! The server: a handful of files that are part of the program, and the stream of events.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, REFERRER_POLICY, SET_COOKIE,
    X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{HeaderName, HeaderValue, StatusCode, Uri};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use super::connections::Limited;
use super::guard::{Guard, Verdict};
use super::stream;
use crate::scene::feed::Shared;
use crate::scene::overheard::Ear;

/// Pages that are kept up to date at a time; each costs the memory of what it was told.
const MOST_PAGES: usize = 16;

const HTML: &str = "text/html; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const STYLE: &str = "text/css; charset=utf-8";
const PICTURE: &str = "image/svg+xml";
const SENTENCE: &str = "text/plain; charset=utf-8";

/// Everything the page is made of: path, kind, content.
const FILES: &[(&str, &str, &str)] = &[
    ("/", HTML, include_str!("page/index.html")),
    ("/app.js", SCRIPT, include_str!("page/app.js")),
    ("/details.js", SCRIPT, include_str!("page/details.js")),
    ("/dom.js", SCRIPT, include_str!("page/dom.js")),
    ("/icon.svg", PICTURE, include_str!("page/icon.svg")),
    ("/icons.js", SCRIPT, include_str!("page/icons.js")),
    ("/list.js", SCRIPT, include_str!("page/list.js")),
    ("/look.css", STYLE, include_str!("page/look.css")),
    ("/packets.js", SCRIPT, include_str!("page/packets.js")),
    ("/panes.css", STYLE, include_str!("page/panes.css")),
    ("/scene.js", SCRIPT, include_str!("page/scene.js")),
    ("/text.js", SCRIPT, include_str!("page/text.js")),
    ("/views.js", SCRIPT, include_str!("page/views.js")),
];

/// Nothing from elsewhere, nothing in line, in nobody's frame.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// What who brings the token gets. An HTTP redirect would not do: after a link from elsewhere, a browser takes it for the other site's
/// step and keeps the strict cookie back. This step is the page's own.
const ARRIVAL: &str = "<!doctype html><meta charset=utf-8><meta http-equiv=refresh content=\"0; url=/\"><title>cooee</title>";

/// A server that is bound, but does not answer yet.
#[derive(Debug)]
pub(crate) struct Server {
    listener: TcpListener,
    guard: Guard,
}

#[derive(Clone)]
struct Site {
    guard: Arc<Guard>,
    shared: Shared,
    ear: Ear,
    ends: watch::Receiver<bool>,
    pages: Arc<Semaphore>,
}

impl Server {
    /// Takes a port of this machine that only itself can reach; 0: any that is free.
    ///
    /// # Errors
    ///
    /// If the port is taken, or there are no random numbers.
    pub(crate) async fn bind(port: u16) -> io::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await?;
        let port = listener.local_addr()?.port();
        let guard = Guard::new(port).map_err(io::Error::other)?;
        Ok(Self { listener, guard })
    }

    /// The address that lets one in.
    pub(crate) fn url(&self) -> String {
        self.guard.url()
    }

    /// Answers until `ends` says so; streams say goodbye before.
    ///
    /// # Errors
    ///
    /// If the socket fails.
    pub(crate) async fn run(
        self,
        shared: Shared,
        ear: Ear,
        mut ends: watch::Receiver<bool>,
    ) -> io::Result<()> {
        let site = Site {
            guard: Arc::new(self.guard),
            shared,
            ear,
            ends: ends.clone(),
            pages: Arc::new(Semaphore::new(MOST_PAGES)),
        };
        let mut router = Router::new().route("/events", get(events));
        for &(path, kind, content) in FILES {
            router = router.route(
                path,
                get(move || async move { ([(CONTENT_TYPE, kind)], content) }),
            );
        }
        let router = router
            .fallback(|| async { sentence(StatusCode::NOT_FOUND, "There is no such page.\n") })
            .layer(from_fn_with_state(site.clone(), guarded))
            .with_state(site);
        axum::serve(Limited::new(self.listener), router)
            .with_graceful_shutdown(async move {
                // An error means that nobody is left to say so.
                let _ = ends.wait_for(|ends| *ends).await;
            })
            .await
    }
}

/// Lets in who may, and puts on every answer what keeps others out.
async fn guarded(State(site): State<Site>, request: Request, next: Next) -> Response {
    let verdict = site
        .guard
        .judge(request.method(), request.uri(), request.headers());
    let mut response = match verdict {
        Verdict::Welcome => next.run(request).await,
        Verdict::Arrival => {
            ([(SET_COOKIE, site.guard.cookie())], page(HTML, ARRIVAL)).into_response()
        }
        Verdict::Refused(status, why) => sentence(status, why),
    };
    let headers = response.headers_mut();
    for (name, value) in [
        (CONTENT_SECURITY_POLICY, POLICY),
        (CACHE_CONTROL, "no-store"),
        (REFERRER_POLICY, "no-referrer"),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (
            HeaderName::from_static("cross-origin-resource-policy"),
            "same-origin",
        ),
        (
            HeaderName::from_static("cross-origin-opener-policy"),
            "same-origin",
        ),
    ] {
        headers.insert(name, HeaderValue::from_static(value));
    }
    if response.status() == StatusCode::METHOD_NOT_ALLOWED {
        response
            .headers_mut()
            .insert(ALLOW, HeaderValue::from_static("GET"));
    }
    response
}

async fn events(State(site): State<Site>, uri: Uri) -> Response {
    let Ok(permit) = Arc::clone(&site.pages).try_acquire_owned() else {
        return sentence(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many pages are open; close one.\n",
        );
    };
    let wants_packets = uri
        .query()
        .is_some_and(|query| query.split('&').any(|pair| pair == "packets=1"));
    let heard = wants_packets.then(|| site.ear.listen());
    let parts = stream::start(site.shared, heard, site.ends, permit);
    (
        [(CONTENT_TYPE, "text/event-stream")],
        Body::from_stream(parts),
    )
        .into_response()
}

fn page(kind: &'static str, content: &'static str) -> Response {
    ([(CONTENT_TYPE, kind)], content).into_response()
}

fn sentence(status: StatusCode, text: &'static str) -> Response {
    (status, page(SENTENCE, text)).into_response()
}

#[cfg(test)]
mod tests;
