//! The packets on the links, for who looks at them: they are listened to only while somebody does.

use std::sync::Arc;
use std::time::Duration;

use cooee::Families;
use tokio::sync::broadcast;
use tokio::time::{MissedTickBehavior, interval};

use crate::args::Over;
use crate::clock::Moment;
use crate::failure::Failure;
use crate::monitor::{Finding, Inspected, Inspector, Live};
use crate::session::Session;

/// Something that was heard.
#[derive(Clone, Debug)]
pub(crate) enum Overheard {
    /// A packet, and what is wrong with it.
    Packet(Arc<Inspected>),
    /// Something is wrong that no single packet shows; it came to light at this moment.
    Finding(
        Arc<Finding>,
        #[cfg_attr(
            not(feature = "ui"),
            allow(dead_code, reason = "the page alone tells when")
        )]
        Moment,
    ),
    /// It cannot be listened.
    Failed(Arc<str>),
}

/// What waits for one who reads slowly; older packets are lost to him.
const WAITING: usize = 1_024;
/// How often it is looked whether something did not come, and whether anybody still listens.
const PASS: Duration = Duration::from_secs(1);

/// Where to ask for what is heard.
#[derive(Clone, Debug)]
pub(crate) struct Ear {
    tell: broadcast::Sender<Overheard>,
    wanted: Arc<tokio::sync::Notify>,
}

impl Ear {
    /// An ear that hears nothing yet.
    pub(crate) fn new() -> Self {
        Self {
            tell: broadcast::Sender::new(WAITING),
            wanted: Arc::default(),
        }
    }

    /// Everything from now on, until the receiver is dropped.
    pub(crate) fn listen(&self) -> broadcast::Receiver<Overheard> {
        let receiver = self.tell.subscribe();
        self.wanted.notify_one();
        receiver
    }

    /// Tells those who listen.
    #[cfg(all(test, feature = "ui"))]
    pub(crate) fn tell(&self, heard: Overheard) {
        self.tell.send(heard).expect("somebody listens");
    }

    /// Listens while anybody wants it; never ends. Cancel safe.
    pub(crate) async fn run(&self, session: &Session) {
        loop {
            if self.tell.receiver_count() == 0 {
                self.wanted.notified().await;
                continue;
            }
            if let Err(failure) = self.overhear(session).await {
                // Nobody may be left to tell; another try comes with the next who wants it.
                let _ = self.tell.send(Overheard::Failed(failure.text.into()));
                self.wanted.notified().await;
            }
        }
    }

    async fn overhear(&self, session: &Session) -> Result<(), Failure> {
        let mut live = Live::open(session, families(session))?;
        let mut inspector = Inspector::new(true);
        let mut pass = interval(PASS);
        pass.set_missed_tick_behavior(MissedTickBehavior::Delay);
        while self.tell.receiver_count() > 0 {
            inspector.know_own(live.own_addresses());
            // Nobody may be left to tell: that is seen above.
            tokio::select! {
                heard = live.next(session) => {
                    let seen = inspector.inspect(heard?.0);
                    let _ = self.tell.send(Overheard::Packet(Arc::new(seen)));
                }
                _ = pass.tick() => {
                    let now = session.now();
                    for finding in inspector.pass(&now) {
                        let _ = self.tell.send(Overheard::Finding(Arc::new(finding), now));
                    }
                }
            }
        }
        Ok(())
    }
}

/// The family that was chosen; both if none was.
fn families(session: &Session) -> Families {
    match session.common.over {
        None => Families::Both,
        Some(Over::V4) => Families::V4,
        Some(Over::V6) => Families::V6,
    }
}
