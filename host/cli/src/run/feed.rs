//! The feeding thread: draws items in the seeded order, builds their requests ahead of time, and hands them to the load
//! generator. What cannot be built or will not be sent is reported, never dropped.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use benchhost_load::{Control, Job};
use benchhost_model::{Item, Nanos, Outcome};
use benchhost_plugin::EngineInstance;

use super::builder::{Asked, Recipe};
use super::conversation::Conversation;
use super::decode::Expectation;
use super::order::Order;
use super::workloads::Items;

/// A request on its way, until its answer is decoded.
#[derive(Debug)]
pub(crate) struct Pending {
    pub(crate) index: u32,
    pub(crate) item: Item,
    pub(crate) talk: Conversation,
    pub(crate) expect: Expectation,
    pub(crate) asked: Asked,
    pub(crate) session: u64,
}

/// Requests on their way, by job id.
#[derive(Debug, Default)]
pub(crate) struct PendingTable(Mutex<HashMap<u64, Pending>>);

impl PendingTable {
    pub(crate) fn put(&self, id: u64, pending: Pending) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).insert(id, pending);
    }

    pub(crate) fn take(&self, id: u64) -> Option<Pending> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&id)
    }
}

/// Turns of an item that never reached the load generator.
#[derive(Debug)]
pub(crate) struct NotSent {
    pub(crate) item: String,
    pub(crate) category: String,
    /// The first of them; the item's later turns follow from it.
    pub(crate) first_turn: u32,
    /// How many turns the item has.
    pub(crate) turns: u32,
    /// When the first was due, from the load's start; `None`: when a slot would have been free.
    pub(crate) due: Option<Nanos>,
    /// What became of the first; the later ones are shed.
    pub(crate) outcome: Outcome,
    pub(crate) detail: String,
}

impl NotSent {
    /// All turns of `item` from `first_turn` on.
    pub(crate) fn of(
        item: &Item,
        first_turn: u32,
        due: Option<Nanos>,
        outcome: Outcome,
        detail: String,
    ) -> Self {
        Self {
            item: item.id.clone(),
            category: item.category.clone(),
            first_turn,
            turns: turns_of(item),
            due,
            outcome,
            detail,
        }
    }

    /// An item that could not even be made.
    fn unmade(index: u32, due: Option<Nanos>, detail: String) -> Self {
        Self {
            item: format!("#{index}"),
            category: String::new(),
            first_turn: 0,
            turns: 1,
            due,
            outcome: Outcome::Unbuildable,
            detail,
        }
    }
}

/// How many requests an item is.
pub(crate) fn turns_of(item: &Item) -> u32 {
    u32::try_from(item.turns.len()).unwrap_or(u32::MAX)
}

const STOPPED: &str = "the run stopped before this request was sent";

/// Due times from the load's start, rising.
pub(crate) type DueTimes = Box<dyn Iterator<Item = Nanos> + Send>;

/// What the feeding thread works with.
pub(crate) struct Feeder<'a> {
    pub(crate) engine: EngineInstance,
    pub(crate) items: Items,
    pub(crate) recipe: &'a Recipe,
    pub(crate) order: Order,
    /// Due times of an open loop.
    pub(crate) arrivals: Option<DueTimes>,
    /// `None`: until the load generator takes no more.
    pub(crate) count: Option<u32>,
    /// Open loop with a duration: the last due time.
    pub(crate) until: Option<Nanos>,
    pub(crate) pending: &'a PendingTable,
    pub(crate) next_id: &'a AtomicU64,
    pub(crate) control: Control,
    pub(crate) not_sent: Sender<NotSent>,
    pub(crate) notes: &'a Mutex<std::collections::BTreeSet<String>>,
}

impl Feeder<'_> {
    /// Feeds until the count is reached, the arrivals end, or the load generator closes its door.
    pub(crate) fn run(mut self, fresh: &tokio::sync::mpsc::Sender<Job>) {
        let mut open = true;
        let mut fed = 0_u32;
        while self.count.is_none_or(|n| fed < n) {
            let due = match &mut self.arrivals {
                Some(arrivals) => arrivals.next(),
                None => None,
            };
            if due.zip(self.until).is_some_and(|(due, until)| due >= until) {
                break;
            }
            let Some(index) = self.order.next() else { break };
            fed += 1;
            open = open && !self.control.is_stopping();
            if open {
                open = self.feed(index, due, fresh);
            } else if self.count.is_some() {
                self.shed(index, due);
            } else {
                break;
            }
        }
    }

    /// Builds and hands over one item; false: the door is closed.
    fn feed(&mut self, index: u32, due: Option<Nanos>, fresh: &tokio::sync::mpsc::Sender<Job>) -> bool {
        let item = match self.items.item(index) {
            Ok(item) => item,
            Err(error) => {
                self.report(NotSent::unmade(index, due, error));
                return true;
            }
        };
        let id = self.next_id.fetch_add(1, Ordering::Relaxed);
        let mut talk = Conversation::default();
        match self.recipe.build(&mut self.engine, &item, 0, &mut talk, id) {
            Ok(built) => {
                if !built.notes.is_empty() {
                    self.notes.lock().unwrap_or_else(PoisonError::into_inner).extend(built.notes);
                }
                let last_in_session = item.turns.len() == 1;
                let lost = NotSent::of(&item, 0, due, Outcome::Shed, STOPPED.into());
                let pending =
                    Pending { index, item, talk, expect: built.expect, asked: built.asked, session: id };
                self.pending.put(id, pending);
                let job = Job { id, session: id, last_in_session, due, request: built.outgoing };
                if fresh.blocking_send(job).is_ok() {
                    return true;
                }
                self.pending.take(id);
                if self.count.is_some() {
                    self.report(lost);
                }
                false
            }
            Err(why) => {
                self.report(NotSent::of(&item, 0, due, Outcome::Unbuildable, why));
                true
            }
        }
    }

    fn shed(&mut self, index: u32, due: Option<Nanos>) {
        let lost = match self.items.item(index) {
            Ok(item) => NotSent::of(&item, 0, due, Outcome::Shed, STOPPED.into()),
            Err(error) => NotSent::unmade(index, due, error),
        };
        self.report(lost);
    }

    fn report(&self, lost: NotSent) {
        // The receiver lives as long as the point; if it is gone, so is the run.
        let _gone = self.not_sent.send(lost);
    }
}
