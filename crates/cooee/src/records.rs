//! Questions about single records: standing ones, and the state behind lookups.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;
use std::future::poll_fn;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use cooee_mdns::LinkId;
use cooee_wire::{Data, Name, ParseError, RdataBuf, RecordBuf, RecordType};
use futures_core::Stream;

use crate::browser::End;
use crate::core::{Core, Id};
use crate::links::{Link, LinkTable};
use crate::watched::{Reader, Watched};

/// A record that was found. A clone costs one reference count.
#[derive(Clone, Debug)]
pub struct FoundRecord {
    record: Arc<RecordBuf>,
    link_id: LinkId,
    link: Option<Link>,
    own: bool,
}

impl FoundRecord {
    fn new(held: &Held, links: &LinkTable) -> Self {
        Self {
            record: Arc::clone(&held.record),
            link_id: held.link,
            link: links.get(held.link.0).cloned(),
            own: held.own,
        }
    }

    /// Whose record it is.
    #[must_use]
    pub fn name(&self) -> Name<'_> {
        self.record.name.as_name()
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> RecordType {
        self.record.kind()
    }

    /// How long it was to be believed when it came, in seconds.
    #[must_use]
    pub fn ttl(&self) -> u32 {
        self.record.ttl
    }

    /// Whether its owner said that nobody else has records of this name and type.
    #[must_use]
    pub fn is_unique(&self) -> bool {
        self.record.cache_flush
    }

    /// What it says.
    ///
    /// # Errors
    ///
    /// If the data is not what the type demands.
    pub fn data(&self) -> Result<Data<'_>, ParseError> {
        self.record.as_record().data()
    }

    /// The whole record.
    #[must_use]
    pub fn record(&self) -> &RecordBuf {
        &self.record
    }

    /// Where it was seen; `None` if the link is gone for long.
    #[must_use]
    pub fn link(&self) -> Option<&Link> {
        self.link.as_ref()
    }

    /// Index of the interface where it was seen.
    #[must_use]
    pub fn link_index(&self) -> u32 {
        self.link_id.0
    }

    /// Whether it is published through this [`Zeroconf`](crate::Zeroconf) or a clone of it.
    #[must_use]
    pub fn is_own(&self) -> bool {
        self.own
    }
}

/// What happened to a record.
#[derive(Clone, Debug)]
#[expect(clippy::exhaustive_enums, reason = "a record is there or it is not")]
pub enum RecordEvent {
    /// It is there.
    Added(FoundRecord),
    /// It has gone.
    Removed(FoundRecord),
}

/// A question that stands until this is dropped: a stream of the records that come and go.
pub struct Query {
    core: Arc<Core>,
    id: Id,
    reader: Reader<Answers>,
}

impl Query {
    pub(crate) fn new(core: Arc<Core>, id: Id, state: &Watched<Answers>) -> Self {
        Self {
            core,
            id,
            reader: state.reader(),
        }
    }

    /// The next record that came or went. `None` comes after shutdown only.
    ///
    /// # Cancel safety
    ///
    /// Cancel safe: no event is lost.
    pub async fn next(&mut self) -> Option<RecordEvent> {
        poll_fn(|cx| self.poll(cx)).await
    }

    /// All records that are there now. It counts as told: the next event is a difference from it.
    pub fn snapshot(&mut self) -> Vec<FoundRecord> {
        let links = self.core.links();
        self.reader.watched().with(|answers| {
            answers.tell_all();
            answers.present(&links)
        })
    }

    /// Waits for the end of a lookup, and gives what there is then.
    pub(crate) async fn ended(&mut self) -> Option<(End, Vec<FoundRecord>)> {
        let links = self.core.links();
        self.reader
            .wait(|answers, closed| match answers.ended {
                Some(end) => Some(Some((end, answers.present(&links)))),
                None => closed.then_some(None),
            })
            .await
    }

    pub(crate) fn poll(&mut self, cx: &mut Context<'_>) -> Poll<Option<RecordEvent>> {
        let event = self
            .reader
            .poll(cx, |answers, closed| match answers.poll_news() {
                None => closed.then_some(None),
                news => Some(news),
            });
        event.map(|news| {
            let held = news?;
            let record = FoundRecord::new(&held, &self.core.links());
            Some(match held.gone {
                false => RecordEvent::Added(record),
                true => RecordEvent::Removed(record),
            })
        })
    }
}

impl Stream for Query {
    type Item = RecordEvent;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<RecordEvent>> {
        self.poll(cx)
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        let id = self.id;
        self.core
            .call(move |discovery, now| discovery.stop(now, id));
    }
}

impl fmt::Debug for Query {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Query")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

/// The records that answer some questions, between the driver's task and the reader. The engine bounds how many there are.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    /// In order of arrival.
    held: BTreeMap<u64, Held>,
    by_data: HashMap<(LinkId, RdataBuf), u64>,
    /// Those of which something has not been told.
    news: BTreeSet<u64>,
    next: u64,
    /// Set when it is a lookup, and nothing more is to be waited for.
    pub(crate) ended: Option<End>,
}

#[derive(Clone, Debug)]
struct Held {
    record: Arc<RecordBuf>,
    link: LinkId,
    own: bool,
    told: bool,
    gone: bool,
}

impl Answers {
    /// Notes that a record is there. Says whether the reader should hear of it.
    pub(crate) fn arrived(&mut self, link: LinkId, record: RecordBuf, own: bool) -> bool {
        let key = (link, record.rdata.clone());
        if let Some(&number) = self.by_data.get(&key)
            && let Some(held) = self.held.get_mut(&number)
        {
            (held.record, held.own, held.gone) = (record.into(), own, false);
            return self.note(number);
        }
        let number = self.next;
        self.next += 1;
        self.by_data.insert(key, number);
        self.held.insert(
            number,
            Held {
                record: record.into(),
                link,
                own,
                told: false,
                gone: false,
            },
        );
        self.note(number)
    }

    /// Notes that a record has gone.
    pub(crate) fn left(&mut self, link: LinkId, record: &RecordBuf) -> bool {
        let Some(&number) = self.by_data.get(&(link, record.rdata.clone())) else {
            return false;
        };
        self.lose(number)
    }

    /// Notes that nothing is asked on these links any more.
    pub(crate) fn leave(&mut self, links: &[LinkId]) -> bool {
        let lost: Vec<u64> = self
            .held
            .iter()
            .filter(|(_, held)| links.contains(&held.link))
            .map(|(&number, _)| number)
            .collect();
        let mut is_news = false;
        for number in lost {
            is_news |= self.lose(number);
        }
        is_news
    }

    fn lose(&mut self, number: u64) -> bool {
        if let Some(held) = self.held.get_mut(&number) {
            held.gone = true;
        }
        self.note(number)
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.held.values().all(|held| held.gone)
    }

    /// Brings the notes about one record up to date: a record that came and went unseen is no news.
    fn note(&mut self, number: u64) -> bool {
        let Some(held) = self.held.get(&number) else {
            return false;
        };
        if held.told != held.gone {
            self.news.remove(&number);
            if !held.told {
                self.forget(number);
            }
            return false;
        }
        self.news.insert(number);
        true
    }

    fn poll_news(&mut self) -> Option<Held> {
        let number = self.news.pop_first()?;
        let held = self.held.get_mut(&number)?;
        held.told = true;
        let told = held.clone();
        if told.gone {
            self.forget(number);
        }
        Some(told)
    }

    fn tell_all(&mut self) {
        while self.poll_news().is_some() {}
    }

    fn forget(&mut self, number: u64) {
        if let Some(held) = self.held.remove(&number) {
            self.by_data.remove(&(held.link, held.record.rdata.clone()));
        }
    }

    fn present(&self, links: &LinkTable) -> Vec<FoundRecord> {
        self.held
            .values()
            .filter(|held| !held.gone)
            .map(|held| FoundRecord::new(held, links))
            .collect()
    }
}
