//! The stream of server-sent events for one page.
//!
//! A page that is slow gets the states it missed as one difference: nothing is queued for it but the part it is reading.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use tokio::sync::broadcast::Receiver;
use tokio::sync::broadcast::error::RecvError;
use tokio::sync::{OwnedSemaphorePermit, mpsc, watch};

use super::json;
use crate::scene::Told;
use crate::scene::feed::Shared;
use crate::scene::overheard::Overheard;

/// Changes that come so close together are told together.
const GATHER: Duration = Duration::from_millis(40);
/// A comment says so often that the stream is alive, or a page behind a sleeping machine would not notice its end.
const ALIVE: Duration = Duration::from_secs(15);
/// Packets told in one part.
const TOGETHER: usize = 256;

/// Parts of the stream, as they are taken.
#[derive(Debug)]
pub(crate) struct Parts {
    parts: mpsc::Receiver<String>,
}

impl Stream for Parts {
    type Item = Result<String, Infallible>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.parts.poll_recv(cx).map(|part| part.map(Ok))
    }
}

/// Begins a stream, with packets if they are heard. It ends when nobody reads it, or when `ends` says so.
pub(crate) fn start(
    shared: Shared,
    heard: Option<Receiver<Overheard>>,
    ends: watch::Receiver<bool>,
    permit: OwnedSemaphorePermit,
) -> Parts {
    // One part waits while another is being sent.
    let (sender, parts) = mpsc::channel(1);
    tokio::spawn(async move {
        let reader = sender.clone();
        tokio::select! {
            () = reader.closed() => {}
            () = tell(shared, heard, ends, sender) => {}
        }
        drop(permit);
    });
    Parts { parts }
}

async fn tell(
    mut shared: Shared,
    mut heard: Option<Receiver<Overheard>>,
    mut ends: watch::Receiver<bool>,
    parts: mpsc::Sender<String>,
) {
    let mut told = Told::default();
    let mut text = Text::default();
    {
        let scene = shared.scene();
        let now = shared.clock.now();
        let snapshot = json::snapshot(&mut told, &scene, &now);
        text.event("snapshot", &snapshot.finish());
    }
    loop {
        let part = text.take();
        if !part.is_empty() && parts.send(part).await.is_err() {
            return;
        }
        let is_open = tokio::select! {
            biased;
            _ = ends.wait_for(|ends| *ends) => false,
            is_open = shared.changed() => is_open,
            one = next(&mut heard) => {
                text.heard(one, &mut heard);
                continue;
            }
            () = tokio::time::sleep(ALIVE) => {
                text.comment("here");
                continue;
            }
        };
        if is_open {
            tokio::time::sleep(GATHER).await;
        }
        let now = shared.clock.now();
        for change in told.catch_up(&shared.scene()) {
            let (name, object) = json::change(&change, &now);
            text.event(name, &object.finish());
        }
        if !is_open {
            text.event("end", &json::end(&now).finish());
            // If nobody hears it, there is nobody to tell.
            let _ = parts.send(text.take()).await;
            return;
        }
    }
}

/// The next that is heard, if it is listened.
async fn next(heard: &mut Option<Receiver<Overheard>>) -> Result<Overheard, RecvError> {
    match heard {
        Some(heard) => heard.recv().await,
        None => std::future::pending().await,
    }
}

/// Events as text, with a counter.
#[derive(Debug, Default)]
struct Text {
    text: String,
    count: u64,
}

impl Text {
    /// Appends an event. JSON of ours has no line feeds.
    fn event(&mut self, name: &str, data: &str) {
        self.count += 1;
        let id = self.count.to_string();
        for part in ["event: ", name, "\nid: ", &id, "\ndata: ", data, "\n\n"] {
            self.text.push_str(part);
        }
    }

    /// Appends what was heard, and what waits behind it.
    fn heard(
        &mut self,
        first: Result<Overheard, RecvError>,
        heard: &mut Option<Receiver<Overheard>>,
    ) {
        match first {
            Ok(one) => self.overheard(&one),
            Err(RecvError::Lagged(missed)) => self.event("missed", &json::missed(missed).finish()),
            Err(RecvError::Closed) => *heard = None,
        }
        if let Some(heard) = heard {
            for _ in 0..TOGETHER {
                let Ok(one) = heard.try_recv() else { break };
                self.overheard(&one);
            }
        }
    }

    fn overheard(&mut self, one: &Overheard) {
        match one {
            Overheard::Packet(seen) => {
                self.event("packet", &seen.json());
                for finding in &seen.findings {
                    self.event("lint", &finding.json(&seen.packet.moment));
                }
            }
            Overheard::Finding(finding, moment) => self.event("lint", &finding.json(moment)),
            Overheard::Failed(why) => self.event("trouble", &json::trouble(why).finish()),
        }
    }

    fn comment(&mut self, text: &str) {
        self.text.push_str(": ");
        self.text.push_str(text);
        self.text.push_str("\n\n");
    }

    fn take(&mut self) -> String {
        std::mem::take(&mut self.text)
    }
}
