//! What waits for its moment, in the order of the moments. Numbers and order only: no clock, no waiting.

use std::cmp::Ordering;
use std::collections::BinaryHeap;

use benchhost_model::Nanos;

/// Things that wait, the earliest first; things of one moment in the order in which they came.
#[derive(Debug)]
pub(crate) struct Moments<T> {
    waiting: BinaryHeap<Entry<T>>,
    next: u64,
}

#[derive(Debug)]
struct Entry<T> {
    due: Nanos,
    number: u64,
    thing: T,
}

impl<T> Moments<T> {
    pub(crate) fn new() -> Self {
        Self { waiting: BinaryHeap::new(), next: 0 }
    }

    /// `thing` waits for `due`.
    pub(crate) fn push(&mut self, due: Nanos, thing: T) {
        self.waiting.push(Entry { due, number: self.next, thing });
        self.next += 1;
    }

    /// The earliest moment.
    pub(crate) fn earliest(&self) -> Option<Nanos> {
        self.waiting.peek().map(|entry| entry.due)
    }

    /// The earliest thing, if its moment is not after `now`.
    pub(crate) fn pop_due(&mut self, now: Nanos) -> Option<T> {
        if self.earliest()? > now {
            return None;
        }
        self.waiting.pop().map(|entry| entry.thing)
    }

    /// Whether something waits for which `wanted` holds.
    pub(crate) fn any(&self, wanted: impl Fn(&T) -> bool) -> bool {
        self.waiting.iter().any(|entry| wanted(&entry.thing))
    }

    /// Takes everything out, in order, with its moment.
    pub(crate) fn take_all(&mut self) -> Vec<(Nanos, T)> {
        let mut all = std::mem::take(&mut self.waiting).into_vec();
        all.sort_unstable_by(|a, b| b.cmp(a));
        all.into_iter().map(|entry| (entry.due, entry.thing)).collect()
    }
}

/// The heap gives its greatest first, so the earliest is the greatest.
impl<T> Ord for Entry<T> {
    fn cmp(&self, other: &Self) -> Ordering {
        (other.due, other.number).cmp(&(self.due, self.number))
    }
}

impl<T> PartialOrd for Entry<T> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<T> PartialEq for Entry<T> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl<T> Eq for Entry<T> {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_comes_first_and_equals_in_their_order() {
        let mut moments = Moments::new();
        for (due, name) in [(20, "d"), (5, "a"), (12, "b"), (12, "c"), (30, "e")] {
            moments.push(Nanos::new(due), name);
        }
        assert_eq!(moments.earliest(), Some(Nanos::new(5)));
        assert_eq!(moments.pop_due(Nanos::new(4)), None);
        let due: Vec<_> = std::iter::from_fn(|| moments.pop_due(Nanos::new(20))).collect();
        assert_eq!(due, ["a", "b", "c", "d"]);
        moments.push(Nanos::new(25), "f");
        assert!(moments.any(|name| *name == "e") && !moments.any(|name| *name == "a"));
        assert_eq!(moments.take_all(), [(Nanos::new(25), "f"), (Nanos::new(30), "e")]);
        assert_eq!(moments.earliest(), None);
    }
}
