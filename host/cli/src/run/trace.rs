//! Arrivals of a recorded trace: which items are sent, and when, from the moments that the items carry.

use std::time::Duration;

use benchhost_load::schedule::trace::{Factor, scaled, thinned, within};
use benchhost_model::Nanos;

use crate::error::{CliError, CliResult};
use crate::plan::Window;

/// What of a trace is sent.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Excerpt {
    /// So many times as fast as recorded.
    pub(crate) scale: f64,
    pub(crate) window: Option<Window>,
    /// Probability that an arrival is kept.
    pub(crate) thin: Option<f64>,
    pub(crate) seed: u64,
    /// From the load's start to the window's.
    pub(crate) lead: Duration,
}

/// One arrival: the item's index, and when it is due from the load's start.
pub(crate) type Arrival = (u32, Nanos);

/// The arrivals of `moments` (microseconds in the trace's own time, by item) in their order.
pub(crate) fn arrivals(moments: &[Option<u64>], excerpt: &Excerpt, label: &str) -> CliResult<Vec<Arrival>> {
    let mut trace: Vec<(Nanos, u32)> = Vec::with_capacity(moments.len());
    for (index, moment) in (0_u32..).zip(moments) {
        let Some(moment) = moment else {
            return Err(CliError::usage(format!("item {index} of `{label}` has no moment of arrival"))
                .hint("`--trace-scale` is for workloads that replay a trace; others take `--rate`"));
        };
        trace.push((Nanos::from(Duration::from_micros(*moment)), index));
    }
    // Equal moments keep the order of the trace.
    trace.sort_by_key(|(moment, _)| *moment);
    let factor = |what: &str, value: f64| {
        Factor::new(value).ok_or_else(|| CliError::usage(format!("`{what}` {value} is out of range")))
    };
    // Thinned first, so that another window or scale keeps the same arrivals.
    let kept: Vec<(Nanos, u32)> = match excerpt.thin {
        Some(share) => thinned(trace.into_iter(), factor("trace-thin", share)?, excerpt.seed).collect(),
        None => trace,
    };
    let window = excerpt.window.unwrap_or(Window { from: Duration::ZERO, to: Duration::MAX });
    let inside = within(kept.into_iter(), window.from.into(), window.to.into());
    let lead = Nanos::from(excerpt.lead);
    let due = scaled(inside, factor("trace-scale", excerpt.scale)?).map(|(at, index)| (index, lead + at));
    let list: Vec<Arrival> = due.collect();
    if list.is_empty() {
        return Err(CliError::usage(format!("no arrival of `{label}` is left to send"))
            .because(format!("its trace has {} arrivals", moments.len()))
            .hint("widen `--trace-window` or raise `--trace-thin`"));
    }
    Ok(list)
}

#[cfg(test)]
mod tests {
    use super::*;

    const WHOLE: Excerpt = Excerpt { scale: 1.0, window: None, thin: None, seed: 1, lead: Duration::ZERO };

    fn ms(list: &[Arrival]) -> Vec<(u32, u64)> {
        list.iter().map(|(index, due)| (*index, due.get() / 1_000_000)).collect()
    }

    fn moments(ms: &[u64]) -> Vec<Option<u64>> {
        ms.iter().map(|ms| Some(ms * 1000)).collect()
    }

    #[test]
    fn time_is_scaled_from_the_windows_start() {
        let trace = moments(&[0, 10, 20, 30, 40]);
        let window = Some(Window { from: Duration::from_millis(10), to: Duration::from_millis(40) });
        let excerpt = Excerpt { scale: 2.0, window, lead: Duration::from_millis(100), ..WHOLE };
        assert_eq!(ms(&arrivals(&trace, &excerpt, "t").unwrap()), [(1, 100), (2, 105), (3, 110)]);
    }

    #[test]
    fn order_is_that_of_time_and_below_it_that_of_the_trace() {
        let trace = moments(&[5, 1, 5, 1]);
        assert_eq!(ms(&arrivals(&trace, &WHOLE, "t").unwrap()), [(1, 1), (3, 1), (0, 5), (2, 5)]);
    }

    #[test]
    fn thinning_keeps_the_share_and_the_same_arrivals_in_every_window() {
        let trace = moments(&(0..10_000).collect::<Vec<_>>());
        let thinned = Excerpt { thin: Some(0.3), ..WHOLE };
        let all = arrivals(&trace, &thinned, "t").unwrap();
        assert!((2_800..3_200).contains(&all.len()), "{}", all.len());
        let window = Some(Window { from: Duration::from_secs(5), to: Duration::from_secs(10) });
        let half = arrivals(&trace, &Excerpt { window, ..thinned }, "t").unwrap();
        let kept: Vec<u32> = all.iter().map(|a| a.0).filter(|index| *index >= 5_000).collect();
        assert_eq!(half.iter().map(|a| a.0).collect::<Vec<_>>(), kept);
        assert_eq!(arrivals(&trace, &Excerpt { thin: Some(1.0), ..WHOLE }, "t").unwrap().len(), 10_000);
    }

    #[test]
    fn a_workload_without_moments_is_refused() {
        let error = arrivals(&[Some(1), None], &WHOLE, "chat").unwrap_err();
        assert!(error.to_string().contains("item 1 of `chat`"), "{error}");
        let far = Some(Window { from: Duration::from_secs(9), to: Duration::from_secs(10) });
        assert!(arrivals(&moments(&[1]), &Excerpt { window: far, ..WHOLE }, "t").is_err());
    }
}
