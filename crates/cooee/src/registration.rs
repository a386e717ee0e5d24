//! A service that is being published: the guard, and what becomes of it.

use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use cooee_sd::{InstanceName, ServiceName, Subtype, TxtAttributes};
use cooee_wire::NameBuf;
use futures_core::Stream;

use crate::core::{Core, Id};
use crate::error::{Error, Result};
use crate::offer::Offer;
use crate::watched::{Reader, Watched};

/// A published service, for as long as this is held: dropping it withdraws the service, with a goodbye in the background.
///
/// [`detach`](Self::detach) leaves it up until shutdown instead, and [`withdraw`](Self::withdraw) waits for the goodbye.
#[must_use = "dropping a registration withdraws the service"]
pub struct Registration {
    core: Arc<Core>,
    id: Id,
    state: Watched<Published>,
    /// What to do when the guard is dropped.
    at_drop: AtDrop,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum AtDrop {
    Withdraw,
    Leave,
}

/// What is known of a published service: shared by the guard, its event streams, and the driver's task.
#[derive(Clone, Debug)]
pub(crate) struct Published {
    pub(crate) name: ServiceName,
    pub(crate) offer: Offer,
    /// The longest name that its host can have, which decides what fits into a message.
    pub(crate) longest_host: NameBuf,
    pub(crate) phase: Phase,
    /// Why the phase is `Failed`, or the last change could not be published.
    pub(crate) error: Option<Error>,
    /// How many changes could not be published.
    pub(crate) refusals: u64,
    /// Changes asked for that the engine has not been told yet.
    pub(crate) unsaid: u32,
}

impl Published {
    /// Why it failed.
    fn failure(&self) -> Error {
        let error = self.error.clone();
        error.unwrap_or_else(|| Error::name_taken(&self.name))
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    Waiting,
    Probing,
    Ready,
    Failed,
    Withdrawn,
}

impl Registration {
    pub(crate) fn new(core: Arc<Core>, id: Id, state: Watched<Published>) -> Self {
        Self {
            core,
            id,
            state,
            at_drop: AtDrop::Withdraw,
        }
    }

    /// The name at this moment. If somebody else has it, the next one is tried: [`events`](Self::events) tell.
    #[must_use]
    pub fn name(&self) -> ServiceName {
        self.state.with(|state| state.name.clone())
    }

    /// Waits until the name is ours and announced, and the changes asked for so far are passed on; gives the name.
    ///
    /// After [`rename`](Self::rename) it waits for the new name. After other changes it does not wait for their announcement: that goes out at
    /// once, or up to six seconds later if another change was announced just before. Without a network it waits until there is one.
    ///
    /// # Errors
    ///
    /// [`is_name_taken`](Error::is_name_taken) if the service was not to be renamed, or after one minute of conflicts over its name or its host's;
    /// [`is_invalid_input`](Error::is_invalid_input) if the last change could not be published, as when the registration of the host is gone: the
    /// service stands as it was before; [`is_shut_down`](Error::is_shut_down) after shutdown.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: dropping the future changes nothing.
    pub async fn ready(&self) -> Result<ServiceName> {
        let reader = self.state.reader();
        reader
            .wait(|state, closed| match state.phase {
                Phase::Ready if state.unsaid == 0 && !closed => Some(match &state.error {
                    Some(error) => Err(error.clone()),
                    None => Ok(state.name.clone()),
                }),
                Phase::Failed => Some(Err(state.failure())),
                Phase::Withdrawn => Some(Err(Error::withdrawn())),
                Phase::Waiting | Phase::Probing | Phase::Ready => {
                    closed.then(|| Err(Error::shut_down()))
                }
            })
            .await
    }

    /// What becomes of it, beginning with the present state.
    ///
    /// ```no_run
    /// # async fn example(registration: cooee::Registration) {
    /// use cooee::RegistrationEvent;
    ///
    /// let mut events = registration.events();
    /// while let Some(event) = events.next().await {
    ///     match event {
    ///         RegistrationEvent::Waiting => println!("no network yet"),
    ///         RegistrationEvent::Ready(name) => println!("visible as {}", name.instance()),
    ///         RegistrationEvent::Renamed { from, to } => {
    ///             println!("{} was taken, now {}", from.instance(), to.instance());
    ///         }
    ///         _ => {}
    ///     }
    /// }
    /// # }
    /// ```
    pub fn events(&self) -> RegistrationEvents {
        RegistrationEvents {
            reader: self.state.reader(),
            shown: None,
        }
    }

    /// The TXT attributes as they were last asked for.
    #[must_use]
    pub fn txt(&self) -> TxtAttributes {
        self.state.with(|state| state.offer.txt.clone())
    }

    /// Replaces the TXT attributes. Several changes in a row become one announcement, the last wins.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if no message can carry them, and the old ones stay; [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn update_txt(&self, txt: TxtAttributes) -> Result<()> {
        self.change(|offer| offer.txt = txt)
    }

    /// Moves the service to another port.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) for port 0, [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn set_port(&self, port: u16) -> Result<()> {
        if port == 0 {
            return Err(Error::invalid(
                "port 0 cannot be published: withdraw the service instead",
            ));
        }
        self.change(|offer| offer.port = port)
    }

    /// Makes the service findable by a further subtype.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no subtype, [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn add_subtype(&self, subtype: &str) -> Result<()> {
        let subtype: Subtype = subtype.parse()?;
        self.change(|offer| {
            if !offer.subtypes.contains(&subtype) {
                offer.subtypes.push(subtype);
            }
        })
    }

    /// Takes a subtype away; nothing happens if it is not there.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no subtype, [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn remove_subtype(&self, subtype: &str) -> Result<()> {
        let subtype: Subtype = subtype.parse()?;
        self.change(|offer| offer.subtypes.retain(|present| *present != subtype))
    }

    /// Takes another name: the old one is given up, the new one is probed and announced. Nothing happens if it is the present one, letter by letter.
    ///
    /// # Errors
    ///
    /// [`is_invalid_input`](Error::is_invalid_input) if it is no name, or too long a one for the TXT attributes there are; [`is_shut_down`](Error::is_shut_down) after shutdown.
    pub fn rename(&self, instance: impl TryInto<InstanceName, Error: Into<Error>>) -> Result<()> {
        let instance = instance.try_into().map_err(Into::into)?;
        self.core.check_alive()?;
        let id = self.id;
        self.state.with(|state| {
            let name = state.name.with_instance(instance)?;
            state.offer.check(name, state.longest_host.clone())?;
            state.unsaid += 1;
            Ok::<_, Error>(())
        })?;
        self.core
            .call(move |discovery, now| discovery.rename(now, id, instance));
        Ok(())
    }

    /// Leaves the service up until shutdown, without a handle. It does not keep the [`Zeroconf`](crate::Zeroconf) running.
    pub fn detach(mut self) {
        self.at_drop = AtDrop::Leave;
    }

    /// Withdraws the service, and returns when the first goodbye has left.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: if the future is dropped, the service is withdrawn in the background.
    pub async fn withdraw(self) {
        let reader = self.state.reader();
        // The guard does it: at once, so that a dropped future has done it too.
        drop(self);
        reader
            .wait(|state, closed| (closed || state.phase == Phase::Withdrawn).then_some(()))
            .await;
    }

    fn change(&self, change: impl FnOnce(&mut Offer)) -> Result<()> {
        self.core.check_alive()?;
        self.state.with(|state| {
            let mut offer = state.offer.clone();
            change(&mut offer);
            offer.check(state.name.clone(), state.longest_host.clone())?;
            state.offer = offer;
            state.unsaid += 1;
            Ok::<_, Error>(())
        })?;
        let id = self.id;
        self.core
            .call(move |discovery, now| discovery.update(now, id));
        Ok(())
    }
}

impl Drop for Registration {
    fn drop(&mut self) {
        if self.at_drop == AtDrop::Withdraw {
            let id = self.id;
            self.core
                .call(move |discovery, now| discovery.withdraw(now, id));
        }
    }
}

impl fmt::Debug for Registration {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.state.with(|state| {
            f.debug_struct("Registration")
                .field("name", &state.name)
                .field("phase", &state.phase)
                .finish_non_exhaustive()
        })
    }
}

/// What becomes of a registration. States, not news: who reads slowly is told how it stands, not all that happened.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum RegistrationEvent {
    /// There is no network to publish on; it will be done when there is one.
    Waiting,
    /// It is being found out whether the name is free.
    Probing(ServiceName),
    /// The name is ours and announced.
    Ready(ServiceName),
    /// The name was taken, another is being tried.
    Renamed {
        /// The name that was lost, or given up.
        from: ServiceName,
        /// The present one.
        to: ServiceName,
    },
    /// The last change could not be published, as when the registration of the host is gone. The service stands as it was before.
    Refused(Error),
    /// The service is not published: it was not to be renamed, conflicts over its name or its host's went on for a minute, or no message can carry it.
    Failed(Error),
    /// It was withdrawn.
    Withdrawn,
}

/// A stream of [`RegistrationEvent`]s; it ends after [`Withdrawn`](RegistrationEvent::Withdrawn), and at shutdown.
#[derive(Debug)]
pub struct RegistrationEvents {
    reader: Reader<Published>,
    shown: Option<Shown>,
}

/// What was told last.
#[derive(Debug)]
struct Shown {
    name: ServiceName,
    phase: Option<Phase>,
    refusals: u64,
}

impl RegistrationEvents {
    /// The next event; `None` when nothing more can come.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<RegistrationEvent> {
        poll_fn(|cx| self.poll(cx)).await
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<RegistrationEvent>> {
        let shown = &mut self.shown;
        self.reader.poll(cx, |state, closed| {
            let shown = shown.get_or_insert_with(|| Shown {
                name: state.name.clone(),
                phase: None,
                refusals: 0,
            });
            if shown.phase == Some(Phase::Withdrawn) {
                return Some(None);
            }
            if shown.name != state.name {
                let from = std::mem::replace(&mut shown.name, state.name.clone());
                shown.phase = None;
                return Some(Some(RegistrationEvent::Renamed {
                    from,
                    to: state.name.clone(),
                }));
            }
            if shown.phase != Some(state.phase) {
                shown.phase = Some(state.phase);
                return Some(Some(match state.phase {
                    Phase::Waiting => RegistrationEvent::Waiting,
                    Phase::Probing => RegistrationEvent::Probing(state.name.clone()),
                    Phase::Ready => RegistrationEvent::Ready(state.name.clone()),
                    Phase::Failed => RegistrationEvent::Failed(state.failure()),
                    Phase::Withdrawn => RegistrationEvent::Withdrawn,
                }));
            }
            if shown.refusals != state.refusals {
                shown.refusals = state.refusals;
                // A later change may have been published.
                if let (Some(error), false) = (&state.error, state.phase == Phase::Failed) {
                    return Some(Some(RegistrationEvent::Refused(error.clone())));
                }
            }
            closed.then_some(None)
        })
    }
}

impl Stream for RegistrationEvents {
    type Item = RegistrationEvent;

    fn poll_next(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<RegistrationEvent>> {
        self.poll(cx)
    }
}
