//! A host name that another responder of this host has: borrowed, not claimed (ruling 22).
//!
//! A system daemon owns the computer's name, and takes another one when somebody contradicts it. So a group that is made to share falls silent
//! as soon as a program of this host shows that it has the name or wants it: nothing of the group is sent any more, in no section, and no
//! goodbye. The name can be used all the same, since the daemon answers for it. Two queries watch over that; when the daemon's records are
//! gone, the name is probed for and claimed.

use alloc::vec::Vec;
use core::time::Duration;

use cooee_wire::{Data, Message, QuestionBuf, RdataBuf, RecordBuf, RecordType};

use super::config::{BORROW_ASKING, BORROW_JITTER, BORROWED_UNHEARD, LENDER_RESTART};
use super::datagram::Datagram;
use super::{
    Engine, Event, Family, GroupId, Instant, Item, LinkId, Presence, QueryId, QueryOptions,
};

/// What is known of the responder that a name is borrowed from.
#[derive(Debug, Default)]
pub(super) struct Loan {
    queries: Vec<QueryId>,
    /// Its records that lead to this host: no more than this host has addresses.
    lent: Vec<(LinkId, RdataBuf)>,
    /// When the name is claimed unless more is heard.
    claim_at: Option<Instant>,
    /// The application knows.
    told: bool,
}

impl Engine {
    /// A datagram comes from an address of ours and is no copy of ours: if it is about a host name that is to be shared, that is left to the
    /// other.
    // Ruling 22
    pub(super) fn heed_local_responder(
        &mut self,
        now: Instant,
        datagram: &Datagram<'_>,
        hash: u64,
        message: &Message<'_>,
    ) {
        if self.sharers.is_empty() {
            return;
        }
        let family = Family::of(datagram.source.ip());
        // Over a bridge it may have come from another link of ours.
        if self
            .links
            .values()
            .any(|link| link.has_sent(now, hash, family))
        {
            return;
        }
        let is_response = message.header().flags.is_response();
        let meant: Vec<GroupId> = self
            .sharers
            .iter()
            .filter(|&id| {
                let Some(group) = self.groups.get(id) else {
                    return false;
                };
                let is_ours = |name| group.hosts().iter().any(|host| host.as_name() == name);
                let mut records = message.records().filter_map(Result::ok);
                records.any(|(section, record)| {
                    let speaks = match is_response {
                        true => record.ttl > 0 && is_address(record.kind()),
                        // A probe; what a query lists as known claims nothing.
                        false => section == cooee_wire::Section::Authority,
                    };
                    speaks && is_ours(record.name)
                })
            })
            .copied()
            .collect();
        for group in meant {
            tracing::debug!("a responder of this host has the host name: borrowing it");
            self.borrow(now, group, BORROWED_UNHEARD, true);
        }
    }

    /// Asks whether a responder of this host has the name, before it is probed for.
    pub(super) fn ask_before_claim(&mut self, now: Instant, group: GroupId) {
        self.borrow(now, group, BORROW_ASKING, false);
    }

    /// The group falls silent, and watches the one that has its name.
    fn borrow(&mut self, now: Instant, id: GroupId, patience: Duration, told: bool) {
        if !self.loans.contains_key(&id) {
            let Some(group) = self.groups.get_mut(&id) else {
                return;
            };
            let (names, links) = group.lend();
            for link in self.links.values_mut() {
                link.withdraw_in_silence(now, id, &names, &mut self.context);
            }
            let mut loan = Loan::default();
            for name in names {
                for kind in [RecordType::A, RecordType::AAAA] {
                    let question = QuestionBuf::new(name.clone(), kind);
                    let options = QueryOptions::standing();
                    let query = self.query(now, question, options, links.clone());
                    self.watches.insert(query, id);
                    loan.queries.push(query);
                }
            }
            self.loans.insert(id, loan);
        }
        if told {
            self.tell_borrowed(id);
        }
        let unheard = self.loans.get(&id).is_some_and(|loan| loan.lent.is_empty());
        if unheard {
            self.claim_after(now, id, patience);
        }
    }

    /// An event of a query that watches a lender is not the application's.
    pub(super) fn heed_watch(&mut self, event: &Event) -> bool {
        let (Event::Answer { query, .. } | Event::Denied { query, .. } | Event::Finished { query }) =
            event
        else {
            return false;
        };
        let Some(&id) = self.watches.get(query) else {
            return false;
        };
        let now = self.now;
        if let Event::Answer {
            link,
            record,
            presence,
            own: false,
            ..
        } = event
            && self.leads_to_us(now, record)
            && let Some(loan) = self.loans.get_mut(&id)
        {
            let known = (*link, record.rdata.clone());
            loan.lent.retain(|other| *other != known);
            match presence {
                Presence::Present => {
                    loan.lent.push(known);
                    let claim = loan.claim_at.take();
                    self.agenda.retain(|(at, item)| {
                        *item != Item::Claim(id) || claim.is_none_or(|claim| claim != *at)
                    });
                    self.tell_borrowed(id);
                }
                // A daemon that restarts is back within a second or so, and takes it ill if somebody probes when it does.
                Presence::Gone if loan.lent.is_empty() => {
                    self.claim_after(now, id, LENDER_RESTART);
                }
                Presence::Gone => {}
            }
        }
        true
    }

    /// Nobody of this host has the name (any more): it is probed for.
    pub(super) fn claim_borrowed(&mut self, now: Instant, id: GroupId) {
        if let Some(loan) = self.loans.get_mut(&id) {
            loan.claim_at = None;
        }
        // Where there is no link nobody can be heard.
        if self.has_usable_link(id) {
            self.end_loan(id);
            self.start_group(now, id);
        }
    }

    /// A link has come: who lends may be heard again, or not.
    pub(super) fn doubt_loans(&mut self, now: Instant) {
        let unheard = self.loans.iter().filter(|(_, loan)| loan.lent.is_empty());
        for id in unheard.map(|(&id, _)| id).collect::<Vec<_>>() {
            self.claim_after(now, id, BORROWED_UNHEARD);
        }
    }

    /// The group is not borrowed any more; whatever comes next is up to the caller.
    pub(super) fn end_loan(&mut self, id: GroupId) {
        let Some(loan) = self.loans.remove(&id) else {
            return;
        };
        self.agenda.retain(|(_, item)| *item != Item::Claim(id));
        for query in loan.queries {
            self.watches.remove(&query);
            self.cancel(self.now, query);
        }
        if let Some(group) = self.groups.get_mut(&id) {
            group.is_borrowed = false;
        }
    }

    fn claim_after(&mut self, now: Instant, id: GroupId, patience: Duration) {
        // Two that would both rather borrow must not wait for each other in step.
        let at = now + patience + self.context.rng.between(BORROW_JITTER);
        let Some(loan) = self.loans.get_mut(&id) else {
            return;
        };
        loan.claim_at = Some(at);
        self.agenda.retain(|(_, item)| *item != Item::Claim(id));
        self.agenda.insert((at, Item::Claim(id)));
    }

    fn tell_borrowed(&mut self, id: GroupId) {
        if let Some(loan) = self.loans.get_mut(&id)
            && !core::mem::replace(&mut loan.told, true)
        {
            self.context.events.push(Event::Borrowed { group: id });
        }
    }

    fn leads_to_us(&self, now: Instant, record: &RecordBuf) -> bool {
        let addresses = &self.context.own_addresses;
        match record.as_record().data() {
            Ok(Data::A(address)) => addresses.contains(now, address.into()),
            Ok(Data::Aaaa(address)) => addresses.contains(now, address.into()),
            _ => false,
        }
    }
}

fn is_address(kind: RecordType) -> bool {
    matches!(kind, RecordType::A | RecordType::AAAA)
}
