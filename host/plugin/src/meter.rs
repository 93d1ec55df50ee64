//! Counts what one store uses during one call: ticks of the plugin's own time, memory, host calls, bytes. Knows neither
//! the plugin nor wasmtime's stores; all arithmetic is on tick numbers, so tests need no waiting.

use std::time::Duration;

use wasmtime::ResourceLimiter;

use crate::limits::Limits;
use crate::text::{bytes, seconds};

/// Length of an epoch tick.
pub(crate) const TICK: Duration = Duration::from_millis(10);

/// Largest number of core instances, tables or memories in one store; a component from an interpreter has about 40.
const PARTS: usize = 200;

/// A limit that was passed. Its text is the `what` of the failure.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Breach {
    #[error("its time limit of {}", seconds(*.0))]
    Time(Duration),
    #[error("its memory cap of {} (it asked for {})", bytes(*cap as u64), bytes(*asked as u64))]
    Memory { asked: usize, cap: usize },
    #[error("its cap of {cap} table elements (it asked for {asked})")]
    Table { asked: usize, cap: usize },
    #[error("its limit of {0} host calls")]
    HostCalls(u32),
    #[error("its limit of {} moved by host calls", bytes(*.0))]
    HostBytes(u64),
}

/// The counters of one store.
#[derive(Debug)]
pub(crate) struct Meter {
    limits: Limits,
    budget: Duration,
    started: u64,
    in_host: u64,
    entered: u64,
    calls: u32,
    bytes: u64,
    lines: u32,
    memory: usize,
    table: usize,
}

impl Meter {
    pub(crate) fn new(limits: Limits) -> Self {
        Self {
            limits,
            budget: Duration::ZERO,
            started: 0,
            in_host: 0,
            entered: 0,
            calls: 0,
            bytes: 0,
            lines: 0,
            memory: 0,
            table: 0,
        }
    }

    /// A call of the plugin begins at tick `now`.
    pub(crate) fn begin(&mut self, budget: Duration, now: u64) {
        self.budget = budget;
        self.started = now;
        self.in_host = 0;
        self.calls = 0;
        self.bytes = 0;
        self.lines = 0;
    }

    /// Ticks after which a call with `budget` is looked at: one more than the budget holds, because the first tick may
    /// be nearly over.
    pub(crate) fn ticks(budget: Duration) -> u64 {
        let whole = budget.as_nanos().div_ceil(TICK.as_nanos());
        u64::try_from(whole).unwrap_or(u64::MAX / 4).saturating_add(1)
    }

    /// Ticks of its own time that the call still has at `now`.
    pub(crate) fn remaining(&self, now: u64) -> Result<u64, Breach> {
        let used = now.saturating_sub(self.started).saturating_sub(self.in_host);
        match Self::ticks(self.budget).saturating_sub(used) {
            0 => Err(Breach::Time(self.budget)),
            left => Ok(left),
        }
    }

    /// The plugin calls the host at `now` and hands over `bytes`.
    pub(crate) fn enter_host(&mut self, bytes: usize, now: u64) -> Result<(), Breach> {
        self.entered = now;
        self.calls = self.calls.saturating_add(1);
        if self.calls > self.limits.host_calls {
            return Err(Breach::HostCalls(self.limits.host_calls));
        }
        self.moved(bytes)
    }

    /// That host call ends at `now` and hands back `bytes`.
    pub(crate) fn leave_host(&mut self, bytes: usize, now: u64) -> Result<(), Breach> {
        self.in_host += now.saturating_sub(self.entered);
        self.moved(bytes)
    }

    fn moved(&mut self, bytes: usize) -> Result<(), Breach> {
        self.bytes = self.bytes.saturating_add(bytes as u64);
        if self.bytes > self.limits.host_bytes {
            return Err(Breach::HostBytes(self.limits.host_bytes));
        }
        Ok(())
    }

    /// Whether one more log line of this call is passed on.
    pub(crate) fn line_allowed(&mut self) -> bool {
        self.lines = self.lines.saturating_add(1);
        self.lines <= self.limits.log_lines
    }
}

/// Growth beyond a cap traps instead of answering −1: the guest would abort without saying why.
impl ResourceLimiter for Meter {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|m| desired > m) {
            return Ok(false);
        }
        let asked = self.memory.saturating_add(desired.saturating_sub(current));
        if asked > self.limits.memory_bytes {
            return Err(Breach::Memory { asked, cap: self.limits.memory_bytes }.into());
        }
        self.memory = asked;
        Ok(true)
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> wasmtime::Result<bool> {
        if maximum.is_some_and(|m| desired > m) {
            return Ok(false);
        }
        let asked = self.table.saturating_add(desired.saturating_sub(current));
        if asked > self.limits.table_elements {
            return Err(Breach::Table { asked, cap: self.limits.table_elements }.into());
        }
        self.table = asked;
        Ok(true)
    }

    fn instances(&self) -> usize {
        PARTS
    }

    fn tables(&self) -> usize {
        PARTS
    }

    fn memories(&self) -> usize {
        PARTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn meter(budget_ms: u64) -> Meter {
        let limits = Limits { host_calls: 3, host_bytes: 100, ..Limits::default() };
        let mut meter = Meter::new(limits);
        meter.begin(Duration::from_millis(budget_ms), 1000);
        meter
    }

    #[test]
    fn own_time_ends_the_call_one_tick_after_the_budget() {
        let meter = meter(100);
        assert_eq!(meter.remaining(1000), Ok(11));
        assert_eq!(meter.remaining(1010), Ok(1));
        assert_eq!(meter.remaining(1011), Err(Breach::Time(Duration::from_millis(100))));
    }

    #[test]
    fn time_inside_host_calls_is_not_counted() {
        let mut meter = meter(100);
        meter.enter_host(0, 1004).unwrap();
        meter.leave_host(0, 9004).unwrap();
        assert_eq!(meter.remaining(9004), Ok(7), "four ticks of its own before the host call");
        assert!(meter.remaining(9011).is_err());
    }

    #[test]
    fn calls_and_bytes_are_counted_for_each_call() {
        let mut meter = meter(100);
        assert_eq!(meter.enter_host(60, 1), Ok(()));
        assert_eq!(meter.leave_host(50, 1), Err(Breach::HostBytes(100)));
        meter.begin(Duration::ZERO, 0);
        for _ in 0..3 {
            assert_eq!(meter.enter_host(1, 1), Ok(()));
        }
        assert_eq!(meter.enter_host(1, 1), Err(Breach::HostCalls(3)));
    }

    #[test]
    fn memories_of_one_instance_are_added_up() {
        let mut meter = Meter::new(Limits { memory_bytes: 1 << 20, ..Limits::default() });
        assert!(meter.memory_growing(0, 600_000, None).unwrap());
        let error = meter.memory_growing(0, 600_000, None).unwrap_err();
        assert_eq!(error.to_string(), "its memory cap of 1 MiB (it asked for 1.1 MiB)");
        assert!(
            !meter.memory_growing(0, 2 << 20, Some(1 << 20)).unwrap(),
            "the module's own maximum is no trap"
        );
    }
}
