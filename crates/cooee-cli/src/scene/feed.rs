//! From the library to the scene: the only place that knows both.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cooee::{Browse, Browser, Link, LinkStatus, ServiceEvent, TypeBrowser, TypeEvent, Zeroconf};
use tokio::sync::watch;
use tokio::time::{MissedTickBehavior, interval};

use super::{LinkState, Named, Scene};
use crate::clock::Clock;
use crate::failure::Failure;
use crate::found::{self, Camera};
use crate::picture::{Interface, Picture};
use crate::session::{self, Session};

/// How often it is looked whether names without a place are left, and whether lifetimes were prolonged.
const LOOK: Duration = Duration::from_secs(1);

/// The scene, for several readers, and word that it is not as it was.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    scene: Arc<Mutex<Scene>>,
    /// Counts the changes; closed when nothing will change any more.
    changed: watch::Receiver<u64>,
    /// What time it is.
    pub(crate) clock: Clock,
}

impl Shared {
    /// A scene in which nothing is yet, and what tells its readers of changes.
    pub(crate) fn new(clock: Clock) -> (Self, watch::Sender<u64>) {
        let (tell, changed) = watch::channel(0);
        let shared = Self {
            scene: Arc::default(),
            changed,
            clock,
        };
        (shared, tell)
    }

    /// The scene as it is now. To be held briefly.
    pub(crate) fn scene(&self) -> MutexGuard<'_, Scene> {
        // Each change of it is whole, even if its author came to grief later.
        self.scene.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits for a change; gives false if there will be none any more. Cancel safe.
    pub(crate) async fn changed(&mut self) -> bool {
        self.changed.changed().await.is_ok()
    }
}

/// Feeds a scene from the network.
#[derive(Debug)]
pub(crate) struct Feed {
    shared: Shared,
    tell: watch::Sender<u64>,
    zeroconf: Zeroconf,
    camera: Camera,
    browser: Browser,
    types: TypeBrowser,
}

impl Feed {
    /// Begins to look for everything.
    ///
    /// # Errors
    ///
    /// If the network was shut down.
    pub(crate) fn start(session: &Session, zeroconf: &Zeroconf) -> Result<(Self, Shared), Failure> {
        let failure = |error| session::failure(&error);
        let (shared, tell) = Shared::new(session.clock());
        let feed = Self {
            shared: shared.clone(),
            tell,
            zeroconf: zeroconf.clone(),
            camera: Camera {
                only: session.only(),
                subtypes: Vec::new(),
            },
            browser: zeroconf.browse(Browse::all_types()).map_err(failure)?,
            types: zeroconf.service_types().map_err(failure)?,
        };
        Ok((feed, shared))
    }

    /// Feeds until the network is shut down, or this is dropped.
    pub(crate) async fn run(mut self) {
        let mut events = self.zeroconf.events();
        let mut look = interval(LOOK);
        look.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            let is_news = tokio::select! {
                event = self.browser.next() => match event {
                    Some(event) => self.service(event),
                    None => return,
                },
                event = self.types.next() => match event {
                    Some(event) => self.kind(&event),
                    None => return,
                },
                event = events.next() => match event {
                    Some(_) => self.links(),
                    None => return,
                },
                _ = look.tick() => {
                    // Links that were never used come and go without an event.
                    let links = self.links();
                    let services = self.look();
                    links || services
                }
            };
            if is_news {
                self.tell.send_modify(|count| *count += 1);
            }
        }
    }

    fn service(&mut self, event: ServiceEvent) -> bool {
        let own = found::own_addresses(&self.zeroconf.links());
        match event {
            ServiceEvent::Added(found) | ServiceEvent::Updated(found) => {
                self.see(self.camera.picture(&found, &own), found.expires_in())
            }
            ServiceEvent::Removed(name) => {
                let now = self.shared.clock.now();
                self.shared.scene().lose(&name.to_string(), now)
            }
        }
    }

    fn see(&self, picture: Picture, good_for: Duration) -> bool {
        let now = self.shared.clock.now();
        let mut scene = self.shared.scene();
        if picture.addresses.is_empty() {
            // With -4 or -6 nothing is left of it.
            return scene.lose(&picture.identity.service, now);
        }
        scene.see(picture, good_for, now)
    }

    /// Looks at all there is. It counts as told, so all of it is taken over.
    fn look(&mut self) -> bool {
        let snapshot = self.browser.snapshot();
        let own = found::own_addresses(&self.zeroconf.links());
        let mut there: HashSet<String> = HashSet::new();
        let mut is_news = false;
        for found in &snapshot.services {
            let picture = self.camera.picture(found, &own);
            if !picture.addresses.is_empty() {
                there.insert(picture.identity.service.to_ascii_lowercase());
            }
            is_news |= self.see(picture, found.expires_in());
        }
        let now = self.shared.clock.now();
        let mut scene = self.shared.scene();
        for unresolved in &snapshot.unresolved {
            let identity = found::identity(unresolved.name());
            there.insert(identity.service.to_ascii_lowercase());
            let named = Named {
                identity,
                missing: found::missing(unresolved),
                links: found::links(unresolved.links()),
            };
            is_news |= scene.miss(named, now);
        }
        is_news |= scene.keep(&there, now);
        // Fading is a change to look at, each second.
        is_news | scene.fade(now.since_start)
    }

    fn kind(&self, event: &TypeEvent) -> bool {
        match event {
            TypeEvent::Added(kind) => {
                let links = found::links(&self.types.links(kind));
                let wire = found::type_wire(kind);
                self.shared.scene().announce(&wire, Some(links));
            }
            TypeEvent::Removed(kind) => {
                self.shared.scene().announce(&found::type_wire(kind), None);
            }
        }
        true
    }

    fn links(&self) -> bool {
        let mut links: Vec<LinkState> = self.zeroconf.links().iter().map(link).collect();
        links.sort_by_key(|link| link.interface.index);
        let mut scene = self.shared.scene();
        let is_news = !scene.links().eq(&links);
        if is_news {
            scene.connect(links);
        }
        is_news
    }
}

fn link(link: &Link) -> LinkState {
    let (state, why) = match link.status() {
        LinkStatus::InUse => ("up", None),
        LinkStatus::Unusable(why) => ("unusable", Some(why.clone())),
        LinkStatus::LeftOut(why) => ("left-out", Some(why.clone())),
        _ => ("left-out", None),
    };
    LinkState {
        interface: Interface {
            name: link.name().into(),
            index: link.index(),
        },
        state,
        why,
    }
}
