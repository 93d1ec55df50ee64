//! What is known of a load point beside its rows: its window, and what the program and the machine did. Gathers; judges
//! nothing.

use std::path::Path;
use std::time::Instant;

use benchhost_load::{IoThread, Lateness};
use benchhost_model::{
    ClockFacts, IoThreadFacts, LoadPoint, MachineFacts, Nanos, PointFacts, PointKey, QuantilesNs,
};
use benchhost_telemetry::host::{HostCounters, Waited};

use super::point::{Outcomes, Point};
use crate::plan::Drain;

/// The machine before the point.
pub(super) struct Before {
    counters: HostCounters,
    at: Instant,
}

impl Before {
    /// Now.
    pub(super) fn now() -> Self {
        Self { counters: HostCounters::read(Path::new("/")), at: Instant::now() }
    }
}

/// The facts of `point`. `asked` are the sessions a second and the variation of their gaps that were asked for; `rows`
/// the first and the last row.
pub(super) fn facts(
    point: &Point<'_>,
    outcome: &Outcomes,
    asked: (Option<f64>, Option<f64>),
    (first_row, last_row): (u64, u64),
    before: &Before,
) -> PointFacts {
    let load = &outcome.load;
    let rows = (last_row + 1).saturating_sub(first_row);
    let some = Some(()).filter(|()| rows > 0);
    let plan = point.run.plan;
    let closed = matches!(point.load, LoadPoint::Concurrency(_));
    PointFacts {
        key: key(point),
        first_row: some.map(|()| first_row),
        last_row: some.map(|()| last_row),
        rows: Some(rows),
        measured_from_ns: load.measured_from.map(Nanos::get),
        measured_until_ns: load.measured_until.map(Nanos::get),
        arrivals: point.arrivals.clone(),
        asked_rate: asked.0,
        asked_cv: asked.1,
        cap: outcome.cap,
        think_mean_ns: plan
            .think
            .as_ref()
            .filter(|_| closed)
            .and_then(|t| u64::try_from(t.value.mean.as_nanos()).ok()),
        loaded_drain: Some(plan.drain.value == Drain::Loaded),
        slip: Some(quantiles(&load.late)),
        slip_gen: Some(quantiles(&load.slip_gen)),
        waited_for_slot: Some(load.waited_for_slot),
        most_in_flight: Some(load.most_in_flight),
        io: load.io.iter().map(io).collect(),
        machine: machine(before),
        clock: clock(&load.io),
        selfcheck: point.run.selfcheck.clone(),
        decode_wait_max_ns: Some(outcome.decode_wait_max_ns),
        load_fault: load.fault.clone().unwrap_or_default(),
        ..PointFacts::default()
    }
}

fn key(point: &Point<'_>) -> PointKey {
    PointKey {
        run_id: point.run.id.to_owned(),
        engine: point.engine.name.clone(),
        variant: point.engine.variant.clone(),
        model: point.engine.model.clone(),
        workload: point.workload.label.clone(),
        load: point.load,
        repeat: point.repeat,
        role: point.role.word().to_owned(),
    }
}

fn quantiles(delays: &Lateness) -> QuantilesNs {
    QuantilesNs {
        count: delays.count,
        p50_ns: delays.p50.get(),
        p90_ns: delays.p90.get(),
        p99_ns: delays.p99.get(),
        p999_ns: None,
        max_ns: delays.max.get(),
    }
}

fn io(thread: &IoThread) -> IoThreadFacts {
    IoThreadFacts {
        cpu_ns: Some(thread.cpu_ns),
        busy_p50: thread.busy_p50,
        busy_p99: thread.busy_p99,
        involuntary: Some(thread.involuntary),
        run_queue_ns: thread.run_queue_ns,
        granted: thread.granted.clone(),
    }
}

/// Over all I/O threads; nothing where none ran.
fn clock(threads: &[IoThread]) -> ClockFacts {
    let sum = |count: fn(&IoThread) -> u64| (!threads.is_empty()).then(|| threads.iter().map(count).sum());
    ClockFacts {
        steps: sum(|t| t.stamps.clock_steps),
        residual_ns: threads.iter().map(|t| t.stamps.residual_ns).max(),
        clamped: sum(|t| t.stamps.clamped),
        dropped: sum(|t| t.stamps.dropped),
    }
}

fn machine(before: &Before) -> MachineFacts {
    let spent = HostCounters::read(Path::new("/")).since(&before.counters);
    let over_ns = u64::try_from(before.at.elapsed().as_nanos()).unwrap_or(u64::MAX).max(1);
    let share = |waited: Waited| waited.some_ns.map(|ns| (ns as f64 / over_ns as f64).min(1.0));
    MachineFacts {
        over_ns: Some(over_ns),
        steal_share: spent.steal_share,
        cpu_pressure: share(spent.pressure.cpu),
        memory_pressure: share(spent.pressure.memory),
        io_pressure: share(spent.pressure.io),
        cpu_busy: spent.busy_share,
    }
}

#[cfg(test)]
mod tests {
    use benchhost_http::StampFaults;

    use super::*;

    #[test]
    fn what_the_clocks_did_is_summed_over_threads_and_unknown_without_one() {
        let thread = |clock_steps, residual_ns| IoThread {
            cpu_ns: 1,
            busy_p50: None,
            busy_p99: None,
            involuntary: 0,
            run_queue_ns: None,
            granted: String::new(),
            stamps: StampFaults { clamped: 1, dropped: 2, clock_steps, residual_ns },
        };
        let facts = clock(&[thread(1, 40), thread(2, 30)]);
        assert_eq!(
            (facts.steps, facts.residual_ns, facts.clamped, facts.dropped),
            (Some(3), Some(40), Some(2), Some(4))
        );
        assert_eq!(clock(&[]), ClockFacts::default());
    }
}
