//! What surrounds the measured part of a load point: warm-up before it, load or silence after it; and what drives both.

use std::time::Duration;

/// What is sent first and not measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Warmup {
    /// By the rule in [`super::Plan::warmup_at`].
    Automatic,
    /// This many items.
    Items(u32),
    /// For this long.
    For(Duration),
}

/// What happens while the last measured requests end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Drain {
    /// Load goes on, unmeasured.
    Loaded,
    /// Nothing more is sent.
    Quiet,
}

/// Scheduling class of the threads that send and receive.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Priority {
    /// The best that the machine permits.
    Auto,
    /// As any other thread.
    Off,
    /// Real time; it is said when the machine does not permit it.
    Realtime,
}

/// The order in which load points are measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum PointOrder {
    /// Shuffled by the seed.
    Random,
    /// As in the plan.
    Given,
}

/// A closed set of words for a key.
pub(super) trait Words: Sized + Copy + PartialEq + 'static {
    /// Each with its word.
    const WORDS: &'static [(&'static str, Self)];

    /// The value of a word; the error lists the words.
    fn from_word(text: &str) -> Result<Self, String> {
        let found = Self::WORDS.iter().find(|(word, _)| *word == text);
        found.map(|(_, value)| *value).ok_or_else(|| {
            let words: Vec<String> = Self::WORDS.iter().map(|(word, _)| format!("`{word}`")).collect();
            format!("`{text}` is not one of {}", words.join(", "))
        })
    }

    /// The word of a value.
    fn word(self) -> &'static str {
        Self::WORDS.iter().find(|(_, value)| *value == self).map_or("", |(word, _)| word)
    }
}

impl Words for Drain {
    const WORDS: &'static [(&'static str, Self)] = &[("loaded", Self::Loaded), ("quiet", Self::Quiet)];
}

impl Words for Priority {
    const WORDS: &'static [(&'static str, Self)] =
        &[("auto", Self::Auto), ("off", Self::Off), ("realtime", Self::Realtime)];
}

impl Words for PointOrder {
    const WORDS: &'static [(&'static str, Self)] = &[("random", Self::Random), ("given", Self::Given)];
}

impl Words for super::History {
    const WORDS: &'static [(&'static str, Self)] = &[("model", Self::Model), ("recorded", Self::Recorded)];
}
