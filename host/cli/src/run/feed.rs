//! The feeding thread: draws items in the seeded order, builds their requests ahead of time, and hands them to the load
//! generator. What cannot be built or will not be sent of the schedule is reported, never dropped; what only keeps the
//! load up while the last measured requests end belongs to no schedule.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::Sender;
use std::sync::{Mutex, PoisonError};

use benchhost_load::{Control, Job};
use benchhost_model::{Item, Nanos, Outcome, Phase};
use benchhost_plugin::EngineInstance;

use super::builder::{Asked, Recipe};
use super::conversation::Conversation;
use super::decode::Expectation;
use super::leaving::Leavers;
use super::order::Order;
use super::trace::Arrival;
use super::workloads::Items;
use crate::plan::Extent;

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
    /// The part of the load it was meant for.
    pub(crate) phase: Phase,
}

impl NotSent {
    /// All turns of `item` from `first_turn` on.
    pub(crate) fn of(
        item: &Item,
        first_turn: u32,
        due: Option<Nanos>,
        outcome: Outcome,
        detail: String,
        phase: Phase,
    ) -> Self {
        Self {
            item: item.id.clone(),
            category: item.category.clone(),
            first_turn,
            turns: turns_of(item),
            due,
            outcome,
            detail,
            phase,
        }
    }

    /// An item that could not even be made.
    fn unmade(index: u32, due: Option<Nanos>, detail: String, phase: Phase) -> Self {
        Self {
            item: format!("#{index}"),
            category: String::new(),
            first_turn: 0,
            turns: 1,
            due,
            outcome: Outcome::Unbuildable,
            detail,
            phase,
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

/// Which item comes next, and when it is due.
pub(crate) enum Supply {
    /// Items in a seeded order, endless.
    Drawn(Box<Drawn>),
    /// Arrivals of a trace, warm-up before them; it ends.
    Trace(std::vec::IntoIter<Arrival>),
}

/// Items in a seeded order. Warm-up draws from an order of its own, so that no measured item was sent just before.
pub(crate) struct Drawn {
    /// For the warm-up.
    pub(crate) warm: Order,
    /// How long that one is drawn from.
    pub(crate) warmup: Extent,
    /// For everything after it.
    pub(crate) main: Order,
    /// Open loop.
    pub(crate) dues: Option<DueTimes>,
    /// Items given so far.
    pub(crate) given: u32,
}

impl Drawn {
    fn next(&mut self) -> Option<(u32, Option<Nanos>)> {
        let due = match &mut self.dues {
            Some(dues) => Some(dues.next()?),
            None => None,
        };
        let is_warmup = match self.warmup {
            Extent::Items(n) => self.given < n,
            // In a closed loop nobody knows beforehand which item is the last of the warm-up.
            Extent::For(span) => due.is_some_and(|due| due < Nanos::from(span)),
            Extent::Whole => false,
        };
        self.given = self.given.saturating_add(1);
        let index = if is_warmup { self.warm.next() } else { self.main.next() };
        index.map(|index| (index, due))
    }
}

impl Iterator for Supply {
    type Item = (u32, Option<Nanos>);

    fn next(&mut self) -> Option<Self::Item> {
        match self {
            Self::Drawn(drawn) => drawn.next(),
            Self::Trace(arrivals) => arrivals.next().map(|(index, due)| (index, Some(due))),
        }
    }
}

/// How many items belong to the schedule, which must all have a row.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Scheduled {
    /// Warm-up items, where they are counted.
    pub(crate) warmup: u32,
    /// Warm-up and measured items; `None`: time decides.
    pub(crate) all: Option<u32>,
    /// Nothing more is sent after the measured items.
    pub(crate) quiet: bool,
}

/// What the feeding thread works with.
pub(crate) struct Feeder<'a> {
    pub(crate) engine: EngineInstance,
    pub(crate) items: Items,
    pub(crate) recipe: &'a Recipe,
    pub(crate) supply: Supply,
    pub(crate) scheduled: Scheduled,
    pub(crate) leavers: Leavers,
    pub(crate) pending: &'a PendingTable,
    pub(crate) next_id: &'a AtomicU64,
    pub(crate) control: Control,
    /// A rule, not a user, has ended the measuring: what was not sent was not scheduled.
    pub(crate) decided: &'a AtomicBool,
    pub(crate) not_sent: Sender<NotSent>,
    pub(crate) notes: &'a Mutex<std::collections::BTreeSet<String>>,
}

impl Feeder<'_> {
    /// Feeds until the schedule or the trace ends, or the load generator closes its door. With a loaded drain the
    /// schedule has no end of its own: the load generator takes as much as it needs.
    pub(crate) fn run(mut self, fresh: &tokio::sync::mpsc::Sender<Job>) {
        let mut open = true;
        let mut fed = 0_u32;
        while let Some((index, due)) = self.next(fed) {
            let owed = self.scheduled.all.is_some_and(|all| fed < all);
            let phase = if fed < self.scheduled.warmup { Phase::Warmup } else { Phase::Measured };
            fed = fed.saturating_add(1);
            open = open && !self.control.is_stopping();
            if open {
                open = self.feed(index, due, fresh, owed.then_some(phase));
            } else if owed && !self.decided.load(Ordering::Acquire) {
                self.shed(index, due, phase);
            } else {
                break;
            }
        }
    }

    fn next(&mut self, fed: u32) -> Option<(u32, Option<Nanos>)> {
        let over = self.scheduled.quiet && self.scheduled.all.is_some_and(|all| fed >= all);
        if over { None } else { self.supply.next() }
    }

    /// Builds and hands over one item; false: the door is closed. `owed` is the part of the schedule it stands in.
    fn feed(
        &mut self,
        index: u32,
        due: Option<Nanos>,
        fresh: &tokio::sync::mpsc::Sender<Job>,
        owed: Option<Phase>,
    ) -> bool {
        let phase = owed.unwrap_or(Phase::Measured);
        let item = match self.items.item(index) {
            Ok(item) => item,
            Err(error) => {
                self.report(NotSent::unmade(index, due, error, phase));
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
                let mut request = built.outgoing;
                request.hang_up = self.leavers.next(built.expect.framing);
                let last_in_session = item.turns.len() == 1;
                let lost = NotSent::of(&item, 0, due, Outcome::Shed, STOPPED.into(), phase);
                let pending =
                    Pending { index, item, talk, expect: built.expect, asked: built.asked, session: id };
                self.pending.put(id, pending);
                let job = Job { id, session: id, last_in_session, due, request };
                if fresh.blocking_send(job).is_ok() {
                    return true;
                }
                self.pending.take(id);
                if owed.is_some() && !self.decided.load(Ordering::Acquire) {
                    self.report(lost);
                }
                false
            }
            Err(why) => {
                self.report(NotSent::of(&item, 0, due, Outcome::Unbuildable, why, phase));
                true
            }
        }
    }

    fn shed(&mut self, index: u32, due: Option<Nanos>, phase: Phase) {
        let lost = match self.items.item(index) {
            Ok(item) => NotSent::of(&item, 0, due, Outcome::Shed, STOPPED.into(), phase),
            Err(error) => NotSent::unmade(index, due, error, phase),
        };
        self.report(lost);
    }

    fn report(&self, lost: NotSent) {
        // The receiver lives as long as the point; if it is gone, so is the run.
        let _gone = self.not_sent.send(lost);
    }
}
