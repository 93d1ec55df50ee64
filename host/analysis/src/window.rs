//! Which stretch of time rates are taken over. Knows rows and the declared window.

use benchhost_model::WindowKind;
use benchhost_stats::Window;

use crate::kept::Kept;
use crate::point::Point;

/// The stretches of time of a load point.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Windows {
    /// Which of the two rates are headed by.
    pub(crate) kind: WindowKind,
    /// The declared window, if it holds at least one request.
    pub(crate) declared: Option<Window>,
    /// First send to last output event of completed measured requests.
    pub(crate) makespan: Option<Window>,
    /// Where tests of steadiness look: the declared window or, without one, first to last due time of measured requests
    /// that were sent. What an interrupted run never came to would look like a backlog.
    pub(crate) tested: Option<Window>,
}

impl Windows {
    pub(crate) fn of(point: &Point) -> Self {
        let measured = || point.rows.iter().filter(|r| r.measured());
        let done = || measured().filter(|r| r.completed());
        let makespan = window(done().filter_map(Kept::send).min(), done().filter_map(Kept::last).max());
        let declared =
            point.declared.filter(|w| w.seconds() * 1000.0 >= typical(done().filter_map(Kept::e2e_body)));
        let sent = || measured().filter(|r| r.send().is_some());
        let tested =
            declared.or_else(|| window(sent().map(|r| r.sched).min(), sent().map(|r| r.sched).max()));
        let kind = if declared.is_some() { WindowKind::Declared } else { WindowKind::Makespan };
        Self { kind, declared, makespan, tested }
    }

    /// What the headline rates are over.
    pub(crate) fn headline(&self) -> Option<Window> {
        self.declared.or(self.makespan)
    }
}

fn window(from: Option<u64>, until: Option<u64>) -> Option<Window> {
    Window::new(from?, until?).ok()
}

/// The upper median; 0 for none. A window shorter than this is only the edge of its requests.
fn typical(values: impl Iterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.collect();
    values.sort_unstable_by(f64::total_cmp);
    values.get(values.len() / 2).copied().unwrap_or(0.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{Nanos, Outcome, PointFacts, Record};

    fn point(window_ms: Option<(u64, u64)>) -> Point {
        let ms = |at: u64| Nanos::new(at * 1_000_000);
        let facts = window_ms.map(|(from, until)| PointFacts {
            measured_from_ns: Some(ms(from).get()),
            measured_until_ns: Some(ms(until).get()),
            ..PointFacts::default()
        });
        let mut point = Point::new(&Record::blank(), facts);
        for i in 0..4 {
            let row = Record {
                outcome: Outcome::Completed,
                t_sched_ns: ms(i * 50),
                t_send_ns: Some(ms(i * 50 + 1)),
                t_last_ns: Some(ms(i * 50 + 101)),
                ..Record::blank()
            };
            point.push(&row, None, 0);
        }
        point
    }

    #[test]
    fn a_declared_window_heads_the_rates_if_a_request_fits_into_it() {
        let long = Windows::of(&point(Some((0, 150))));
        assert_eq!(
            (long.kind, long.headline(), long.tested),
            (WindowKind::Declared, long.declared, long.declared)
        );
        let short = Windows::of(&point(Some((0, 99))));
        assert_eq!((short.kind, short.headline()), (WindowKind::Makespan, short.makespan));
        let empty = Windows::of(&point(Some((70, 70))));
        assert_eq!(empty.kind, WindowKind::Makespan);
    }

    #[test]
    fn without_one_the_makespan_does_and_tests_look_at_due_times() {
        let lone = Windows::of(&point(None));
        assert_eq!(lone.headline(), Window::new(1_000_000, 251_000_000).ok());
        assert_eq!(lone.tested, Window::new(0, 150_000_000).ok());
    }

    #[test]
    fn what_an_interrupted_run_never_sent_widens_no_window() {
        let mut point = point(None);
        let never = Record {
            outcome: Outcome::Shed,
            t_sched_ns: Nanos::new(9_000_000_000),
            t_send_ns: None,
            ..Record::blank()
        };
        point.push(&never, None, 0);
        assert_eq!(Windows::of(&point).tested, Window::new(0, 150_000_000).ok());
    }
}
