//! Names that survive a restart.

use std::fmt;
use std::sync::{Arc, mpsc};
use std::thread;

use cooee_sd::ServiceName;
use tokio::sync::watch;

use crate::error::Result;
use crate::offer::{host_label, host_name};

/// Where a program keeps the names that were chosen after a conflict, so that it has the same ones after a restart.
///
/// Names are whole: `Keith’s web server._http._tcp.local`, `tabasco.local`. Nothing here is called on the task that speaks to the network, so that
/// both may take their time, as a file does: `load` is called by whoever starts or publishes, before that returns, and `store` on a thread of its own.
///
/// ```
/// use std::collections::HashMap;
/// use std::sync::Mutex;
///
/// #[derive(Default)]
/// struct InMemory(Mutex<HashMap<String, String>>);
///
/// impl cooee::NameStore for InMemory {
///     fn load(&self, wanted: &str) -> Option<String> {
///         self.0.lock().ok()?.get(wanted).cloned()
///     }
///
///     fn store(&self, wanted: &str, chosen: &str) {
///         if let Ok(mut names) = self.0.lock() {
///             names.insert(wanted.into(), chosen.into());
///         }
///     }
/// }
///
/// let builder = cooee::Zeroconf::builder().name_store(InMemory::default());
/// ```
pub trait NameStore: Send + Sync + 'static {
    /// The name that was chosen when this one was wanted last, if it was another.
    fn load(&self, wanted: &str) -> Option<String>;

    /// Keeps the name that was chosen when another one was wanted.
    fn store(&self, wanted: &str, chosen: &str);
}

/// The store of a program, if it has one.
#[derive(Clone, Default)]
pub(crate) struct Names(Option<Arc<dyn NameStore>>);

impl Names {
    pub(crate) fn new(store: impl NameStore) -> Self {
        Self(Some(Arc::new(store)))
    }

    /// The name under which a service is to be tried first.
    pub(crate) fn first_service(&self, wanted: &ServiceName) -> ServiceName {
        let store = self.0.as_ref();
        let stored = store.and_then(|store| store.load(&wanted.to_string()));
        let name = stored.and_then(|name| name.parse::<ServiceName>().ok());
        name.filter(|name| name.service_type() == wanted.service_type())
            .unwrap_or_else(|| wanted.clone())
    }

    /// The label under which a host is to be tried first.
    pub(crate) fn first_host(&self, wanted: &str) -> String {
        let store = self.0.as_ref();
        let stored = store.and_then(|store| store.load(&host_name(wanted).to_string()));
        stored
            .and_then(|name| host_label(&name).ok())
            .unwrap_or_else(|| wanted.to_owned())
    }

    /// Starts the thread that stores: it ends with the last sender, and then [`Stored`] knows.
    pub(crate) fn keeper(&self) -> Result<(Keeper, Stored)> {
        let Some(store) = self.0.clone() else {
            return Ok((Keeper(None), Stored(None)));
        };
        let (sender, chosen) = mpsc::channel::<Chosen>();
        let (storing, stored) = watch::channel(());
        thread::Builder::new()
            .name("cooee-names".into())
            .spawn(move || {
                while let Ok(Chosen { wanted, name }) = chosen.recv() {
                    store.store(&wanted, &name);
                }
                drop(storing);
            })?;
        Ok((Keeper(Some(sender)), Stored(Some(stored))))
    }
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Names").field(&self.0.is_some()).finish()
    }
}

/// Whether all names that were chosen have been stored.
#[derive(Clone, Debug, Default)]
pub(crate) struct Stored(Option<watch::Receiver<()>>);

impl Stored {
    /// Waits until they have, once the node has ended.
    pub(crate) async fn all(&self) {
        if let Some(stored) = &self.0 {
            // Nothing is ever sent: it ends with the thread.
            let _ = stored.clone().changed().await;
        }
    }
}

/// What the node tells of names that were chosen.
#[derive(Debug, Default)]
pub(crate) struct Keeper(Option<mpsc::Sender<Chosen>>);

#[derive(Debug)]
struct Chosen {
    wanted: String,
    name: String,
}

impl Keeper {
    pub(crate) fn keep(&self, wanted: &dyn fmt::Display, name: &dyn fmt::Display) {
        if let Some(sender) = &self.0 {
            let chosen = Chosen {
                wanted: wanted.to_string(),
                name: name.to_string(),
            };
            // The thread is gone only if the store has panicked; publishing goes on without.
            let _ = sender.send(chosen);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicBool, Ordering};
    use std::time::Duration;

    use super::*;

    struct Slow(Arc<AtomicBool>);

    impl NameStore for Slow {
        fn load(&self, _: &str) -> Option<String> {
            None
        }

        fn store(&self, _: &str, _: &str) {
            thread::sleep(Duration::from_millis(50));
            self.0.store(true, Ordering::SeqCst);
        }
    }

    // 6762-9-8
    #[tokio::test]
    async fn the_end_waits_until_a_slow_store_has_kept_the_name() {
        let is_kept = Arc::new(AtomicBool::new(false));
        let (keeper, stored) = Names::new(Slow(Arc::clone(&is_kept))).keeper().unwrap();
        keeper.keep(&"tabasco.local", &"tabasco-2.local");
        // The node ends.
        drop(keeper);
        stored.all().await;
        assert!(is_kept.load(Ordering::SeqCst));
        Stored::default().all().await;
    }
}
