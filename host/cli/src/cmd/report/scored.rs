//! Scores of a load point with the interval of their mean, taken while the rows stream by. The unit is the item: an item
//! asked again in another repeat is not another piece of evidence.

use std::collections::BTreeMap;

use benchhost_model::Record;
use benchhost_report::{Place, Scored};
use benchhost_stats::{Confidence, clustered_mean};

/// Sum and number of values, by item and turn.
type Items = BTreeMap<(String, u32), (f64, u32)>;

/// The items of each score.
#[derive(Debug, Default)]
pub(super) struct Scores(BTreeMap<String, Items>);

impl Scores {
    /// Takes the scores of a row.
    pub(super) fn push(&mut self, record: &Record) {
        for (name, value) in record.scores.iter().filter(|(_, v)| v.is_finite()) {
            let items = self.0.entry(name.clone()).or_default();
            let (sum, n) = items.entry((record.item.clone(), record.turn)).or_default();
            *sum += value;
            *n += 1;
        }
    }

    /// One figure a score.
    pub(super) fn finish(self, place: &Place) -> impl Iterator<Item = Scored> {
        self.0.into_iter().filter_map(|(name, items)| {
            let items: Vec<(f64, u32)> = items.into_values().collect();
            let asked: f64 = items.iter().map(|(_, n)| f64::from(*n)).sum();
            let mean = items.iter().map(|(sum, _)| sum).sum::<f64>() / asked;
            let interval = clustered_mean(&items, Confidence::P95).map(|i| [i.low, i.high]);
            let count = items.len() as u64;
            (count > 0).then(|| Scored { place: place.clone(), name, mean, interval, items: count })
        })
    }
}

#[cfg(test)]
mod tests {
    use benchhost_model::LoadPoint;

    use super::*;

    fn place() -> Place {
        Place {
            engine: "e".into(),
            variant: String::new(),
            model: "m".into(),
            simulated: true,
            workload: "w".into(),
            load: LoadPoint::Concurrency(1),
        }
    }

    fn scored(values: &[(&str, f64)]) -> Vec<Scored> {
        let mut scores = Scores::default();
        for (item, value) in values {
            let scores_of = BTreeMap::from([("f1".to_owned(), *value)]);
            scores.push(&Record { item: (*item).to_owned(), scores: scores_of, ..Record::blank() });
        }
        scores.finish(&place()).collect()
    }

    #[test]
    fn an_item_that_was_asked_twice_is_one_piece_of_evidence() {
        let values = [("a", 0.2), ("b", 0.4), ("c", 0.9)];
        let once = scored(&values)[0].interval.unwrap();
        let twice = scored(&[values, values].concat());
        assert_eq!(twice[0].items, 3);
        let same = twice[0].interval.unwrap();
        assert!((once[0] - same[0]).abs() < 1e-12 && (once[1] - same[1]).abs() < 1e-12, "{once:?} {same:?}");
    }

    #[test]
    fn a_share_stays_within_0_and_1_and_is_not_certain_of_what_it_saw_throughout() {
        let [low, high] = scored(&[("a", 1.0), ("b", 0.0)])[0].interval.unwrap();
        assert!(0.0 < low && low < 0.5 && high < 1.0, "{low} {high}");
        let [low, high] = scored(&[("a", 1.0), ("b", 1.0), ("c", 1.0)])[0].interval.unwrap();
        assert!(low < 0.7 && high <= 1.0, "{low} {high}");
    }

    #[test]
    fn items_count_by_how_often_they_were_asked() {
        let uneven = scored(&[("a", 1.0), ("a", 1.0), ("a", 1.0), ("b", 0.0)]);
        assert!((uneven[0].mean - 0.75).abs() < 1e-12);
        let [low, high] = uneven[0].interval.unwrap();
        assert!((low + high - 1.5).abs() < 1e-9, "around the mean: {low} {high}");
    }

    #[test]
    fn a_single_item_has_no_interval_and_what_is_no_number_is_left_out() {
        assert_eq!(scored(&[("a", 0.3)])[0].interval, None);
        assert!(scored(&[("a", f64::NAN)]).is_empty());
    }

    #[test]
    fn other_scores_have_the_interval_of_a_mean() {
        let [low, high] = scored(&[("a", 2.0), ("b", 4.0), ("c", 6.0)])[0].interval.unwrap();
        assert!(
            (low + high - 8.0).abs() < 1e-9 && (high - low - 2.0 * 4.968_275).abs() < 1e-4,
            "{low} {high}"
        );
    }
}
