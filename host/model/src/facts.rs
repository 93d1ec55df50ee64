//! What is known of a load point beside its rows: its window, and what the program and the machine did meanwhile. The
//! journal keeps one of these a point; figures and verdicts are made from it. Every field may be missing, so that what
//! an older version wrote still reads. Knows nothing of how a fact was taken.

use serde::{Deserialize, Serialize};

use crate::{LoadPoint, Record};

/// Which load point: what its rows have in common.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct PointKey {
    /// The run.
    pub run_id: String,
    /// Adapter.
    pub engine: String,
    /// The user's label.
    pub variant: String,
    /// Model asked for.
    pub model: String,
    /// Workload.
    pub workload: String,
    /// Load point.
    pub load: LoadPoint,
    /// Repeat, from 1.
    pub repeat: u32,
    /// What the point was measured for, as in the rows; empty: a point of the plan.
    pub role: String,
}

impl Default for PointKey {
    fn default() -> Self {
        Self {
            run_id: String::new(),
            engine: String::new(),
            variant: String::new(),
            model: String::new(),
            workload: String::new(),
            load: LoadPoint::Concurrency(1),
            repeat: 1,
            role: String::new(),
        }
    }
}

impl PointKey {
    /// The point a row belongs to.
    pub fn of(record: &Record) -> Self {
        Self {
            run_id: record.run_id.clone(),
            engine: record.engine.clone(),
            variant: record.variant.clone(),
            model: record.model.clone(),
            workload: record.workload.clone(),
            load: record.load,
            repeat: record.repeat,
            role: record.role.clone(),
        }
    }

    /// Whether `record` is a row of this point. Loads are compared by their kind and the bits of their number.
    pub fn holds(&self, record: &Record) -> bool {
        self.load.key() == record.load.key()
            && self.repeat == record.repeat
            && self.run_id == record.run_id
            && self.engine == record.engine
            && self.variant == record.variant
            && self.model == record.model
            && self.workload == record.workload
            && self.role == record.role
    }
}

/// Quantiles of a span of time in nanoseconds, nearest rank.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct QuantilesNs {
    /// Observations.
    pub count: u64,
    /// Median.
    pub p50_ns: u64,
    /// 90th percentile.
    pub p90_ns: u64,
    /// 99th percentile.
    pub p99_ns: u64,
    /// 99.9th percentile; missing where it was not taken.
    pub p999_ns: Option<u64>,
    /// Largest.
    pub max_ns: u64,
}

/// One I/O thread over the load point.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct IoThreadFacts {
    /// CPU time used.
    pub cpu_ns: Option<u64>,
    /// Median share of a 100 ms bin that the thread was on a CPU, 0 to 1.
    pub busy_p50: Option<f64>,
    /// 99th percentile of that share.
    pub busy_p99: Option<f64>,
    /// Times the kernel took the CPU away.
    pub involuntary: Option<u64>,
    /// Time spent runnable without a CPU.
    pub run_queue_ns: Option<u64>,
    /// Scheduling class it got, in words.
    pub granted: String,
}

/// The machine over the load point.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct MachineFacts {
    /// Length of time the shares below are of.
    pub over_ns: Option<u64>,
    /// Share of all CPU time that the hypervisor gave to others, 0 to 1.
    pub steal_share: Option<f64>,
    /// Share of the time that some task waited for a CPU (pressure stall information, `some`), 0 to 1.
    pub cpu_pressure: Option<f64>,
    /// Share of the time that some task waited for memory, 0 to 1.
    pub memory_pressure: Option<f64>,
    /// Share of the time that some task waited for a disk, 0 to 1.
    pub io_pressure: Option<f64>,
    /// Share of the machine's CPU time that was used, by anyone, 0 to 1.
    pub cpu_busy: Option<f64>,
}

/// The conversion of kernel stamps to the run's clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockFacts {
    /// Steps of the real-time clock that were seen; stamps around them are discarded.
    pub steps: Option<u64>,
    /// Largest width of the sandwich that measured the offset: how far a converted stamp may be off.
    pub residual_ns: Option<u64>,
    /// Kernel stamps moved by at most a millisecond to the nearest time that was possible.
    pub clamped: Option<u64>,
    /// Kernel stamps left out because they lay further off; those reads have the program's stamp only.
    pub dropped: Option<u64>,
}

/// What the selfcheck before the run found at this load: measured minus true, by the server's own write times.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct SelfCheckFacts {
    /// Error of the time to first token.
    pub ttft: Option<QuantilesNs>,
    /// Error of the gaps between events.
    pub gap: Option<QuantilesNs>,
    /// Error of the time per output token.
    pub tpot: Option<QuantilesNs>,
    /// Error of the end-to-end latency.
    pub e2e: Option<QuantilesNs>,
    /// Lateness of arrivals.
    pub lateness: Option<QuantilesNs>,
    /// Share of events that shared a read with a later one, 0 to 1.
    pub coalesced_share: Option<f64>,
    /// Where it could not bear the load asked for: why, in words; empty otherwise.
    pub could_not_bear: String,
}

/// The facts of one load point.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct PointFacts {
    /// Which point.
    #[serde(flatten)]
    pub key: PointKey,
    /// First row of the point in `requests.csv`, warm-up included.
    pub first_row: Option<u64>,
    /// Last row, drain included.
    pub last_row: Option<u64>,
    /// Rows, warm-up and drain included.
    pub rows: Option<u64>,
    /// Start of the measured window on the run's clock: the first measured launch or due time.
    pub measured_from_ns: Option<u64>,
    /// End of the measured window: the last measured launch or due time, or the end of a phase of fixed length.
    pub measured_until_ns: Option<u64>,
    /// How requests arrive, as in the rows: `closed`, `poisson`, `gamma:2`, …
    pub arrivals: String,
    /// Requests (or sessions) a second that were asked for; missing in a closed loop.
    pub asked_rate: Option<f64>,
    /// Coefficient of variation of the gaps that was asked for.
    pub asked_cv: Option<f64>,
    /// Most requests in flight that an open loop allows.
    pub cap: Option<u32>,
    /// Mean think time of a closed loop's users.
    pub think_mean_ns: Option<u64>,
    /// Load was kept on until every measured request had ended.
    pub loaded_drain: Option<bool>,
    /// Sent minus due over all requests that were sent.
    pub slip: Option<QuantilesNs>,
    /// Of that, the program's own fault: without waiting for a slot or a connection.
    pub slip_gen: Option<QuantilesNs>,
    /// Requests that a cap held back for more than 1 ms.
    pub waited_for_slot: Option<u64>,
    /// Most requests in flight at a time.
    pub most_in_flight: Option<u64>,
    /// The I/O threads.
    pub io: Vec<IoThreadFacts>,
    /// The machine.
    pub machine: MachineFacts,
    /// The stamps' clock.
    pub clock: ClockFacts,
    /// What the selfcheck found; missing: it was not run.
    pub selfcheck: Option<SelfCheckFacts>,
    /// Requests whose event detail was dropped because the disk could not keep up.
    pub events_dropped: Option<u64>,
    /// Longest wait of an ended exchange for decoding.
    pub decode_wait_max_ns: Option<u64>,
    /// Why nothing could be sent at all, if so; empty otherwise.
    pub load_fault: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn facts_of_an_older_version_read_and_unknown_ones_are_missing() {
        let facts: PointFacts =
            serde_json::from_str(r#"{"engine": "vllm", "load": "rate=4", "slip_gen": {"p99_ns": 7}}"#)
                .unwrap();
        assert_eq!(
            (facts.key.engine.as_str(), facts.key.load, facts.key.repeat),
            ("vllm", LoadPoint::Rate(4.0), 1)
        );
        assert_eq!(facts.slip_gen.map(|s| (s.p99_ns, s.p999_ns)), Some((7, None)));
        assert_eq!(facts.measured_from_ns, None);
        let again: PointFacts = serde_json::from_str(&serde_json::to_string(&facts).unwrap()).unwrap();
        assert_eq!(again, facts);
    }

    #[test]
    fn a_row_belongs_to_its_point_and_to_no_other() {
        let row = Record { load: LoadPoint::Rate(0.1 + 0.2), ..Record::blank() };
        let key = PointKey::of(&row);
        assert!(key.holds(&row));
        assert!(!key.holds(&Record { repeat: 2, ..row.clone() }));
        assert!(!key.holds(&Record { load: LoadPoint::Rate(0.3), ..row.clone() }));
        assert!(!key.holds(&Record { variant: "x".into(), ..row }));
    }
}
