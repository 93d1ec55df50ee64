//! The arrivals that were made, against those asked for. Knows due times.

use benchhost_model::{Arrivals, LoadPoint, Outcome, PointFacts};
use benchhost_stats::variation;

use crate::kept::Kept;
use crate::metric::from_schedule;

/// A wait for a slot that counts: below it the event loop's own pace would show.
const SLOT_WAIT_MS: f64 = 1.0;

/// Rate and variation of the gaps between first turns; only open loops have a schedule of their own.
pub(crate) fn arrivals(rows: &[Kept], facts: &PointFacts) -> Arrivals {
    let load = facts.key.load;
    if !from_schedule(load) {
        return Arrivals::default();
    }
    let measured: Vec<&Kept> = rows.iter().filter(|r| r.measured()).collect();
    // What a cap never let go has waited, too.
    let held = |r: &Kept| {
        r.wait_slot().is_some_and(|ms| ms > SLOT_WAIT_MS)
            || (facts.cap.is_some() && r.outcome == Outcome::Shed)
    };
    let waited = measured.iter().filter(|r| held(r)).count() as u64;
    // A row of an older version has no slot time; the load generator's own count stands in for it.
    let waited = waited.max(facts.waited_for_slot.unwrap_or(0));
    let share = (!measured.is_empty()).then(|| (waited as f64 / measured.len() as f64).min(1.0));
    let asked = facts.asked_rate.or(match load {
        LoadPoint::Rate(rate) => Some(rate),
        _ => None,
    });
    let mut due: Vec<u64> = measured.iter().filter(|r| r.turn == 0).map(|r| r.sched).collect();
    due.sort_unstable();
    let gaps: Vec<f64> = due.windows(2).map(|pair| (pair[1] - pair[0]) as f64 / 1e9).collect();
    let total: f64 = gaps.iter().sum();
    Arrivals {
        asked_rate: asked,
        asked_cv: facts.asked_cv,
        rate: (total > 0.0).then(|| gaps.len() as f64 / total),
        cv: variation(&gaps),
        gaps: Some(gaps.len() as u64),
        waited_for_slot: share,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{Nanos, PointKey, Record};

    fn rows(due_ms: &[u64], slot_after_ms: u64) -> Vec<Kept> {
        let kept = |due: &u64| {
            let at = |ms: u64| Nanos::new(ms * 1_000_000);
            Kept::of(&Record {
                t_sched_ns: at(*due),
                t_slot_ns: Some(at(due + slot_after_ms)),
                t_send_ns: Some(at(due + slot_after_ms)),
                ..Record::blank()
            })
        };
        due_ms.iter().map(kept).collect()
    }

    fn facts(load: LoadPoint) -> PointFacts {
        PointFacts { key: PointKey { load, ..PointKey::default() }, ..PointFacts::default() }
    }

    #[test]
    fn rate_and_variation_by_hand() {
        // Gaps of 1, 1 and 4 s: mean 2, sd √3.
        let made = arrivals(&rows(&[0, 2000, 1000, 6000], 0), &facts(LoadPoint::Rate(0.5)));
        assert_eq!((made.asked_rate, made.rate), (Some(0.5), Some(0.5)));
        assert!((made.cv.unwrap() - 3.0_f64.sqrt() / 2.0).abs() < 1e-12);
        assert_eq!(made.waited_for_slot, Some(0.0));
        let closed = arrivals(&rows(&[0, 1000], 0), &facts(LoadPoint::Concurrency(2)));
        assert_eq!((closed.asked_rate, closed.rate, closed.cv), (None, None, None));
    }

    #[test]
    fn waiting_for_a_slot_counts_above_one_millisecond() {
        let of = |wait| arrivals(&rows(&[0, 10], wait), &facts(LoadPoint::Rate(1.0))).waited_for_slot;
        assert_eq!((of(1), of(2)), (Some(0.0), Some(1.0)));
        let told = PointFacts { waited_for_slot: Some(1), ..facts(LoadPoint::Rate(1.0)) };
        assert_eq!(arrivals(&rows(&[0, 10], 0), &told).waited_for_slot, Some(0.5));
        // Rows of this test are not sent to their end: the outcome of a blank row is `shed`.
        let capped = PointFacts { cap: Some(1), ..facts(LoadPoint::Rate(1.0)) };
        assert_eq!(arrivals(&rows(&[0, 10], 0), &capped).waited_for_slot, Some(1.0));
    }
}
