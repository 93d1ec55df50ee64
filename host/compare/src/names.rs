//! Names of items by their hash, so that a prompt can be pointed at. Knows texts.

use std::collections::HashMap;

/// Each name once.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<u64, Box<str>>);

impl Names {
    pub(crate) fn insert(&mut self, item: u64, name: &str) {
        self.0.entry(item).or_insert_with(|| name.into());
    }

    pub(crate) fn extend(&mut self, other: &Self) {
        for (item, name) in &other.0 {
            self.insert(*item, name);
        }
    }

    /// `None`: it was not kept.
    pub(crate) fn of(&self, item: u64) -> Option<&str> {
        self.0.get(&item).map(AsRef::as_ref)
    }
}
