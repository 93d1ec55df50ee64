//! The order in which dialogues are sent. Must not know prompts or files.

use std::collections::{BTreeMap, VecDeque};

use benchhost_sdk::Rng;

use crate::Dialogue;

/// Takes one dialogue of each emotion in turn, until none is left: any first part of the list holds the emotions as evenly
/// as the data allow. The emotions' order and the order within each come from the seed.
pub(crate) fn stratified(dialogues: Vec<Dialogue>, seed: u64) -> Vec<Dialogue> {
    let total = dialogues.len();
    let mut strata: BTreeMap<String, Vec<Dialogue>> = BTreeMap::new();
    for dialogue in dialogues {
        strata.entry(dialogue.emotion.clone()).or_default().push(dialogue);
    }
    let mut rng = Rng::new(seed);
    let mut strata: Vec<VecDeque<Dialogue>> = strata
        .into_values()
        .map(|mut stratum| {
            rng.shuffle(&mut stratum);
            stratum.into()
        })
        .collect();
    rng.shuffle(&mut strata);
    let mut order = Vec::with_capacity(total);
    while order.len() < total {
        order.extend(strata.iter_mut().filter_map(VecDeque::pop_front));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dialogues(sizes: &[(&str, usize)]) -> Vec<Dialogue> {
        let one = |emotion: &str, n: usize| Dialogue {
            id: format!("{emotion}-{n}"),
            emotion: emotion.into(),
            situation: String::new(),
            turns: vec!["a".into(), "b".into()],
        };
        sizes.iter().flat_map(|(emotion, n)| (0..*n).map(move |i| one(emotion, i))).collect()
    }

    fn ids(order: &[Dialogue]) -> Vec<&str> {
        order.iter().map(|d| d.id.as_str()).collect()
    }

    #[test]
    fn every_round_takes_one_of_each_emotion_that_is_left() {
        let order = stratified(dialogues(&[("sad", 3), ("proud", 1), ("angry", 2)]), 7);
        let emotions: Vec<&str> = order.iter().map(|d| d.emotion.as_str()).collect();
        let mut first: Vec<&str> = emotions[..3].to_vec();
        first.sort_unstable();
        assert_eq!(first, ["angry", "proud", "sad"]);
        assert_eq!(emotions[3..5].iter().filter(|e| **e == "sad").count(), 1);
        assert_eq!(emotions[5], "sad");
    }

    #[test]
    fn nothing_is_lost_and_nothing_doubled() {
        let all = dialogues(&[("sad", 30), ("proud", 11), ("angry", 2)]);
        let order = stratified(all.clone(), 1);
        let (mut sent, mut given) = (ids(&order), ids(&all));
        sent.sort_unstable();
        given.sort_unstable();
        assert_eq!(sent, given);
    }

    #[test]
    fn the_order_comes_from_the_seed_and_not_from_the_order_of_emotions_in_the_file() {
        let all = dialogues(&[("sad", 9), ("proud", 9), ("angry", 9)]);
        let turned = dialogues(&[("angry", 9), ("sad", 9), ("proud", 9)]);
        assert_eq!(ids(&stratified(all.clone(), 5)), ids(&stratified(turned, 5)));
        assert_ne!(ids(&stratified(all.clone(), 5)), ids(&stratified(all, 6)));
    }
}
