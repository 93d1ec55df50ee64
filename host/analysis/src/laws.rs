//! Two laws that any sound measurement obeys: Little's, and the response time law of closed loops. Knows rows and a window.

use benchhost_model::{LawCheck, LoadPoint, Outcome};
use benchhost_stats::{Window, interactive_law, littles_law, mean_in_flight, relative_gap};

use crate::kept::Kept;

/// Share by which two sides may differ for no reason at all.
const TOLERANCE: f64 = 0.02;
/// Requests that must be sent in a window for a law to say anything of it.
const FEWEST: usize = 20;

/// A request's stay from sending to the end of its body. What was cut off stays to the end of time; what failed without an
/// end that was stamped has no known stay.
pub(crate) fn stay(row: &Kept) -> Option<(u64, u64)> {
    let end = match (row.end(), row.outcome) {
        (Some(end), _) => end,
        (None, Outcome::Cut) => u64::MAX,
        (None, _) => return None,
    };
    Some((row.send()?, end))
}

/// Mean requests in flight over the window, of all phases and outcomes.
pub(crate) fn in_flight(rows: &[Kept], window: Window) -> f64 {
    mean_in_flight(window, rows.iter().filter_map(stay))
}

/// Mean in flight against requests sent a second × their mean stay (Little 1961). The edges of a window may make as much
/// difference as one mean stay is of its length.
pub(crate) fn little(rows: &[Kept], window: Window) -> Option<LawCheck> {
    let stays: Vec<f64> = sent_in(rows, window).filter_map(Kept::e2e_body).collect();
    if stays.len() < FEWEST {
        return None;
    }
    let mean = stays.iter().sum::<f64>() / stays.len() as f64 / 1000.0;
    let rate = stays.len() as f64 / window.seconds();
    Some(check(in_flight(rows, window), littles_law(rate, mean), mean, window))
}

/// Requests a second against users / (response + think time), of a closed loop (Denning & Buzen 1978). The response runs
/// from the moment the user wanted the answer, so what holds a launch back is in it.
pub(crate) fn response(rows: &[Kept], window: Window, load: LoadPoint, think_s: f64) -> Option<LawCheck> {
    let LoadPoint::Concurrency(users) = load else { return None };
    let sent: Vec<&Kept> = sent_in(rows, window).filter(|r| r.end().is_some()).collect();
    if sent.len() < FEWEST.max(2 * users as usize) {
        return None;
    }
    let responses = sent.iter().filter_map(|r| Some(r.end()?.saturating_sub(r.sched) as f64 / 1e9));
    let mean = responses.sum::<f64>() / sent.len() as f64;
    let observed = sent.len() as f64 / window.seconds();
    Some(check(observed, interactive_law(f64::from(users), mean, think_s), mean + think_s, window))
}

fn sent_in(rows: &[Kept], window: Window) -> impl Iterator<Item = &Kept> {
    rows.iter().filter(move |r| r.send().is_some_and(|at| window.contains(at)))
}

fn check(observed: f64, by_law: f64, cycle_s: f64, window: Window) -> LawCheck {
    let allowed = TOLERANCE + cycle_s / window.seconds();
    LawCheck { observed, by_law, gap: relative_gap(observed, by_law), allowed }
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{Nanos, Record};

    const MS: u64 = 1_000_000;

    fn row(send_ms: u64, end_ms: u64) -> Kept {
        Kept::of(&Record {
            outcome: Outcome::Completed,
            t_sched_ns: Nanos::new(send_ms * MS),
            t_send_ns: Some(Nanos::new(send_ms * MS)),
            t_end_ns: Some(Nanos::new(end_ms * MS)),
            ..Record::blank()
        })
    }

    /// Two users, each request 100 ms, one after another for 10 s.
    fn closed() -> Vec<Kept> {
        (0..200).map(|i| row(i / 2 * 100, i / 2 * 100 + 100)).collect()
    }

    #[test]
    fn a_closed_loop_obeys_both_laws() {
        let window = Window::new(1000 * MS, 9000 * MS).unwrap();
        let little = little(&closed(), window).unwrap();
        assert!(
            (little.observed - 2.0).abs() < 1e-12 && (little.by_law - 2.0).abs() < 1e-12 && !little.broken()
        );
        assert!((little.allowed - (0.02 + 0.1 / 8.0)).abs() < 1e-12);
        let law = response(&closed(), window, LoadPoint::Concurrency(2), 0.0).unwrap();
        assert!((law.observed - 20.0).abs() < 1e-12 && (law.by_law - 20.0).abs() < 1e-12);
        assert!(response(&closed(), window, LoadPoint::Rate(20.0), 0.0).is_none());
    }

    #[test]
    fn a_user_that_is_missing_or_thinks_untold_breaks_the_law() {
        let window = Window::new(1000 * MS, 9000 * MS).unwrap();
        let law = response(&closed(), window, LoadPoint::Concurrency(3), 0.0).unwrap();
        assert!(law.broken() && (law.by_law - 30.0).abs() < 1e-12);
        let thinking: Vec<Kept> = (0..50).map(|i| row(i * 200, i * 200 + 100)).collect();
        assert!(response(&thinking, window, LoadPoint::Concurrency(1), 0.0).unwrap().broken());
        assert!(!response(&thinking, window, LoadPoint::Concurrency(1), 0.1).unwrap().broken());
    }

    #[test]
    fn a_growing_backlog_breaks_littles_law() {
        // Sent every 10 ms, each stays longer than the one before.
        let rows: Vec<Kept> = (0..1000).map(|i| row(i * 10, i * 10 + i * 5 + 1)).collect();
        assert!(little(&rows, Window::new(0, 10_000 * MS).unwrap()).unwrap().broken());
        assert!(little(&rows[..19], Window::new(0, 10_000 * MS).unwrap()).is_none());
    }
}
