//! The limits of the program's own conduct, all in one table, and the verdict they make. A limit's evidence is a number
//! or missing; what is missing breaks no rule. Knows numbers, not where they come from.

use benchhost_model::{HarnessError, PointFacts, Reason, Verdict};

/// What is held against the limits.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct Evidence {
    /// Share of output events whose own time is not known because the program was late.
    pub censored_share: Option<f64>,
    /// 99th percentile of the program's part of the slip, in ms.
    pub slip_gen_p99_ms: Option<f64>,
    /// 99th percentile of the lag between the kernel's stamp and the program's of first events, in ms.
    pub lag_first_p99_ms: Option<f64>,
    /// Median time to first token, in ms: what a slip is held against.
    pub ttft_p50_ms: Option<f64>,
    /// The busiest I/O thread's median and 99th percentile of 100 ms bins, as shares of a CPU.
    pub io_busy_p50: Option<f64>,
    /// The 99th percentile of that.
    pub io_busy_p99: Option<f64>,
    /// Share of the time that an I/O thread was ready to run and had no CPU, of the worst.
    pub run_queue_share: Option<f64>,
    /// Times a second that the kernel took the CPU from an I/O thread, of the worst.
    pub involuntary_per_s: Option<f64>,
    /// Share of the machine's CPU time that the hypervisor gave to others.
    pub steal_share: Option<f64>,
    /// Share of the time that some task waited for a CPU.
    pub cpu_pressure: Option<f64>,
    /// Share of the time that some task waited for memory.
    pub memory_pressure: Option<f64>,
    /// Share of the requests whose event detail was dropped.
    pub events_dropped_share: Option<f64>,
    /// Steps of the real-time clock.
    pub clock_steps: Option<f64>,
    /// Width of the clocks' offset, in ms.
    pub clock_residual_ms: Option<f64>,
    /// 1 if the selfcheck could not bear the load, else 0.
    pub selfcheck_failed: Option<f64>,
    /// 1 if nothing could be sent because the machine gave no thread or no event queue.
    pub load_fault: Option<f64>,
}

impl Evidence {
    /// From the facts of a point with `rows` rows, what its rows say, and its median time to first token.
    pub(crate) fn of(
        facts: &PointFacts,
        error: &HarnessError,
        rows: usize,
        ttft_p50_ms: Option<f64>,
    ) -> Self {
        let over_s = facts.machine.over_ns.filter(|ns| *ns > 0).map(|ns| ns as f64 / 1e9);
        let worst = |get: fn(&benchhost_model::IoThreadFacts) -> Option<f64>| {
            facts.io.iter().filter_map(get).max_by(f64::total_cmp)
        };
        let yes = |is: bool| f64::from(u8::from(is));
        Self {
            censored_share: error.censored_share,
            slip_gen_p99_ms: error.slip_gen_p99_ms,
            lag_first_p99_ms: error.lag_first_p99_ms,
            ttft_p50_ms,
            io_busy_p50: worst(|io| io.busy_p50),
            io_busy_p99: error.io_busy_p99,
            run_queue_share: worst(|io| io.run_queue_ns.map(|ns| ns as f64 / 1e9))
                .zip(over_s)
                .map(|(s, t)| s / t),
            involuntary_per_s: worst(|io| io.involuntary.map(|n| n as f64)).zip(over_s).map(|(n, t)| n / t),
            steal_share: facts.machine.steal_share,
            cpu_pressure: facts.machine.cpu_pressure,
            memory_pressure: facts.machine.memory_pressure,
            events_dropped_share: facts.events_dropped.map(|n| n as f64 / rows.max(1) as f64),
            clock_steps: facts.clock.steps.map(|n| n as f64),
            clock_residual_ms: facts.clock.residual_ns.map(|ns| ns as f64 / 1e6),
            selfcheck_failed: facts.selfcheck.as_ref().map(|c| yes(!c.could_not_bear.is_empty())),
            load_fault: Some(yes(!facts.load_fault.is_empty())),
        }
    }
}

/// How a number is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unit {
    /// A share, as a percentage.
    Share,
    /// Milliseconds.
    Ms,
    /// Times a second.
    PerSecond,
    /// Yes or no; no number is written.
    Flag,
}

/// One limit.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Name, for programs.
    pub id: &'static str,
    /// What is measured, in words that a number follows.
    pub what: &'static str,
    /// How its numbers are written.
    pub unit: Unit,
    /// Its number, if known.
    pub found: fn(&Evidence) -> Option<f64>,
    /// Above this the figures are suspect.
    pub suspect_above: fn(&Evidence) -> f64,
    /// Above this they are invalid.
    pub invalid_above: fn(&Evidence) -> f64,
    /// What it does to the figures and what to do.
    pub remedy: &'static str,
}

const NEVER: fn(&Evidence) -> f64 = |_| f64::INFINITY;

/// The limit of a slip: what no latency of this size shows.
fn slip_limit(evidence: &Evidence) -> f64 {
    (0.01 * evidence.ttft_p50_ms.unwrap_or(0.0)).max(1.0)
}

/// The limit of the CPU pressure. It is the machine's, and a server, a simulator or the program itself at work make it too,
/// so where the program's own sends, stamps and lags are known to have kept their limits it says nothing against them;
/// where one of them did not, or is not known, it is told.
fn pressure_limit(evidence: &Evidence) -> f64 {
    let slip = slip_limit(evidence);
    let kept = evidence.censored_share.is_some_and(|share| share <= CENSORED)
        && evidence.slip_gen_p99_ms.is_some_and(|ms| ms <= slip)
        && evidence.lag_first_p99_ms.is_some_and(|ms| ms <= slip);
    if kept { f64::INFINITY } else { 0.25 }
}

/// Share of events without a time of their own that figures still bear.
const CENSORED: f64 = 0.001;

const RULES: [Rule; 14] = [
    Rule {
        id: "load_fault",
        what: "the load generator could not run",
        unit: Unit::Flag,
        found: |e| e.load_fault,
        suspect_above: |_| 0.0,
        invalid_above: |_| 0.0,
        remedy: "see the run's own account of it",
    },
    Rule {
        id: "censored_share",
        what: "output events whose time is not known because the program read late",
        unit: Unit::Share,
        found: |e| e.censored_share,
        suspect_above: |_| CENSORED,
        invalid_above: |_| 0.01,
        remedy: "their gaps are left out of ITL; use more I/O threads or fewer streams, or give it a core of its own",
    },
    Rule {
        id: "slip_gen",
        what: "requests sent late by the program, p99",
        unit: Unit::Ms,
        found: |e| e.slip_gen_p99_ms,
        suspect_above: slip_limit,
        invalid_above: |e| 10.0 * slip_limit(e),
        remedy: "latencies from the schedule hold it; lower the rate, or allow a real-time priority",
    },
    Rule {
        id: "io_busy_p99",
        what: "CPU use of the busiest I/O thread, p99 of 100 ms bins",
        unit: Unit::Share,
        found: |e| e.io_busy_p99,
        suspect_above: |_| 0.80,
        invalid_above: NEVER,
        remedy: "use more I/O threads",
    },
    Rule {
        id: "io_busy_p50",
        what: "CPU use of the busiest I/O thread, median of 100 ms bins",
        unit: Unit::Share,
        found: |e| e.io_busy_p50,
        suspect_above: |_| 0.80,
        invalid_above: |_| 0.95,
        remedy: "the program is the bottleneck; use more I/O threads or lower the load",
    },
    Rule {
        id: "run_queue",
        what: "time an I/O thread was ready and had no CPU",
        unit: Unit::Share,
        found: |e| e.run_queue_share,
        suspect_above: |_| 0.05,
        invalid_above: NEVER,
        remedy: "something else runs on its core; stop it, or pin it elsewhere",
    },
    Rule {
        id: "involuntary",
        what: "times the kernel took the CPU from an I/O thread",
        unit: Unit::PerSecond,
        found: |e| e.involuntary_per_s,
        suspect_above: |_| 100.0,
        invalid_above: NEVER,
        remedy: "something else runs on its core; stop it, or allow a real-time priority",
    },
    Rule {
        id: "steal",
        what: "CPU time the hypervisor gave to others",
        unit: Unit::Share,
        found: |e| e.steal_share,
        suspect_above: |_| 0.05,
        invalid_above: NEVER,
        remedy: "measure on a machine that is not shared",
    },
    Rule {
        id: "cpu_pressure",
        what: "time that something waited for a CPU",
        unit: Unit::Share,
        found: |e| e.cpu_pressure,
        suspect_above: pressure_limit,
        invalid_above: NEVER,
        remedy: "the machine is too busy; stop other work on it",
    },
    Rule {
        id: "memory_pressure",
        what: "time that something waited for memory",
        unit: Unit::Share,
        found: |e| e.memory_pressure,
        suspect_above: |_| 0.01,
        invalid_above: NEVER,
        remedy: "the machine is short of memory; stop other work on it",
    },
    Rule {
        id: "events_dropped",
        what: "requests whose event times were dropped",
        unit: Unit::Share,
        found: |e| e.events_dropped_share,
        suspect_above: |_| 0.001,
        invalid_above: NEVER,
        remedy: "the disk cannot keep up; ITL is of the rest, write to a faster disk",
    },
    Rule {
        id: "clock",
        what: "width of the offset between the kernel stamps' clock and the program's",
        unit: Unit::Ms,
        found: |e| e.clock_residual_ms,
        suspect_above: |_| 0.010,
        invalid_above: |_| 1.0,
        remedy: "the real-time clock is slow to read; see `clocksource` of the machine",
    },
    Rule {
        id: "clock_steps",
        what: "the real-time clock was stepped while measuring, so kernel stamps around that are missing",
        unit: Unit::Flag,
        found: |e| e.clock_steps,
        suspect_above: |_| 0.0,
        invalid_above: NEVER,
        remedy: "let it settle and measure again",
    },
    Rule {
        id: "selfcheck",
        what: "the selfcheck found that this machine cannot bear the load without errors of its own",
        unit: Unit::Flag,
        found: |e| e.selfcheck_failed,
        suspect_above: |_| 0.0,
        invalid_above: NEVER,
        remedy: "see `harness.json` for what it could not bear; use more I/O threads or lower the load",
    },
];

/// All limits, the order in which they are told.
pub const fn rules() -> &'static [Rule] {
    &RULES
}

/// The verdict and its reasons, the worst first.
pub fn judge(evidence: &Evidence) -> (Verdict, Vec<Reason>) {
    let mut reasons: Vec<Reason> = RULES.iter().filter_map(|rule| rule.broken(evidence)).collect();
    reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
    (reasons.first().map_or(Verdict::Valid, |reason| reason.verdict), reasons)
}

impl Rule {
    fn broken(&self, evidence: &Evidence) -> Option<Reason> {
        let found = (self.found)(evidence)?;
        let (suspect, invalid) = ((self.suspect_above)(evidence), (self.invalid_above)(evidence));
        let (verdict, limit) = if found > invalid {
            (Verdict::Invalid, invalid)
        } else if found > suspect {
            (Verdict::Suspect, suspect)
        } else {
            return None;
        };
        let number = self.unit != Unit::Flag;
        let text = if number {
            format!(
                "{}: {}, limit {}; {}",
                self.what,
                self.unit.written(found),
                self.unit.written(limit),
                self.remedy
            )
        } else {
            format!("{}; {}", self.what, self.remedy)
        };
        Some(Reason {
            rule: self.id.to_owned(),
            verdict,
            found: number.then_some(found),
            limit: number.then_some(limit),
            text,
        })
    }
}

impl Unit {
    fn written(self, value: f64) -> String {
        match self {
            Self::Share => format!("{}%", short(100.0 * value)),
            Self::Ms => format!("{} ms", short(value)),
            Self::PerSecond => format!("{}/s", short(value)),
            Self::Flag => short(value),
        }
    }
}

/// Three digits at most, no zeros at the end.
fn short(value: f64) -> String {
    let places = if value >= 100.0 {
        0
    } else if value >= 10.0 {
        1
    } else if value >= 1.0 {
        2
    } else {
        3
    };
    let text = format!("{value:.places$}");
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Evidence in which only one number is set.
    fn with(set: impl Fn(&mut Evidence)) -> Evidence {
        let mut evidence = Evidence::default();
        set(&mut evidence);
        evidence
    }

    /// A rule's name, how to set its evidence, and its two limits.
    type Case = (&'static str, fn(&mut Evidence, f64), f64, f64);

    /// Each rule, with its limits by hand.
    fn table() -> Vec<Case> {
        let never = f64::INFINITY;
        vec![
            ("load_fault", |e, v| e.load_fault = Some(v), 0.0, 0.0),
            ("censored_share", |e, v| e.censored_share = Some(v), 0.001, 0.01),
            ("slip_gen", |e, v| e.slip_gen_p99_ms = Some(v), 1.0, 10.0),
            ("io_busy_p99", |e, v| e.io_busy_p99 = Some(v), 0.8, never),
            ("io_busy_p50", |e, v| e.io_busy_p50 = Some(v), 0.8, 0.95),
            ("run_queue", |e, v| e.run_queue_share = Some(v), 0.05, never),
            ("involuntary", |e, v| e.involuntary_per_s = Some(v), 100.0, never),
            ("steal", |e, v| e.steal_share = Some(v), 0.05, never),
            ("cpu_pressure", |e, v| e.cpu_pressure = Some(v), 0.25, never),
            ("memory_pressure", |e, v| e.memory_pressure = Some(v), 0.01, never),
            ("events_dropped", |e, v| e.events_dropped_share = Some(v), 0.001, never),
            ("clock", |e, v| e.clock_residual_ms = Some(v), 0.01, 1.0),
            ("clock_steps", |e, v| e.clock_steps = Some(v), 0.0, never),
            ("selfcheck", |e, v| e.selfcheck_failed = Some(v), 0.0, never),
        ]
    }

    #[test]
    fn every_rule_on_both_sides_of_its_limits() {
        let table = table();
        assert_eq!(
            table.iter().map(|t| t.0).collect::<Vec<_>>(),
            RULES.iter().map(|r| r.id).collect::<Vec<_>>()
        );
        for (id, set, suspect, invalid) in table {
            let verdict = |value: f64| judge(&with(|e| set(e, value)));
            assert_eq!(verdict(suspect).0, Verdict::Valid, "{id} at its limit");
            let above = verdict(suspect * 1.001 + 1e-9);
            assert_eq!(above.0, if invalid > suspect { Verdict::Suspect } else { Verdict::Invalid }, "{id}");
            assert_eq!(above.1.iter().map(|r| r.rule.as_str()).collect::<Vec<_>>(), [id]);
            if invalid.is_finite() {
                assert_eq!(
                    verdict(invalid).0,
                    if invalid > suspect { Verdict::Suspect } else { Verdict::Valid }
                );
                assert_eq!(verdict(invalid * 1.001 + 1e-9).0, Verdict::Invalid, "{id}");
            } else {
                assert_eq!(verdict(1e9).0, Verdict::Suspect, "{id}");
            }
        }
    }

    #[test]
    fn a_slip_is_held_against_the_latency_it_bends() {
        let slip = |ms: f64, ttft: f64| {
            judge(&with(|e| (e.slip_gen_p99_ms, e.ttft_p50_ms) = (Some(ms), Some(ttft)))).0
        };
        assert_eq!((slip(4.9, 500.0), slip(5.1, 500.0)), (Verdict::Valid, Verdict::Suspect));
        assert_eq!((slip(1.1, 5.0), slip(50.1, 500.0)), (Verdict::Suspect, Verdict::Invalid));
    }

    #[test]
    fn pressure_alone_does_not_spoil_what_was_on_time() {
        let on_time = Evidence {
            censored_share: Some(0.0),
            slip_gen_p99_ms: Some(0.1),
            lag_first_p99_ms: Some(0.3),
            ttft_p50_ms: Some(30.0),
            cpu_pressure: Some(0.75),
            ..Evidence::default()
        };
        let told =
            |evidence: Evidence| judge(&evidence).1.into_iter().map(|reason| reason.rule).collect::<Vec<_>>();
        assert_eq!(told(on_time), Vec::<String>::new());
        assert_eq!(told(Evidence { lag_first_p99_ms: Some(1.1), ..on_time }), ["cpu_pressure"]);
        assert_eq!(told(Evidence { lag_first_p99_ms: None, ..on_time }), ["cpu_pressure"]);
        assert_eq!(told(Evidence { slip_gen_p99_ms: None, ..on_time }), ["cpu_pressure"]);
        assert_eq!(told(Evidence { slip_gen_p99_ms: Some(2.0), ..on_time }), ["slip_gen", "cpu_pressure"]);
        assert_eq!(
            told(Evidence { censored_share: Some(0.002), ..on_time }),
            ["censored_share", "cpu_pressure"]
        );
    }

    #[test]
    fn nothing_known_breaks_nothing() {
        assert_eq!(judge(&Evidence::default()), (Verdict::Valid, Vec::new()));
    }

    #[test]
    fn reasons_name_figure_limit_and_remedy_the_worst_first() {
        let evidence =
            Evidence { io_busy_p99: Some(0.912), censored_share: Some(0.0234), ..Evidence::default() };
        let (verdict, reasons) = judge(&evidence);
        assert_eq!(verdict, Verdict::Invalid);
        assert_eq!(
            reasons[0].text,
            "output events whose time is not known because the program read late: 2.34%, limit 1%; their gaps are left \
             out of ITL; use more I/O threads or fewer streams, or give it a core of its own"
        );
        assert_eq!(
            reasons[1].text,
            "CPU use of the busiest I/O thread, p99 of 100 ms bins: 91.2%, limit 80%; use more I/O threads"
        );
        assert_eq!((reasons[1].found, reasons[1].limit), (Some(0.912), Some(0.8)));
    }
}
