//! When a check passes: limits and words. Pure.

use benchhost_model::{Reason, Verdict};
use serde::{Deserialize, Serialize};

use crate::check::SelfCheck;

/// What an honest measurement keeps to. A value above its limit makes a check SUSPECT; one above ten times as much, where
/// nothing else is said, INVALID.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Limits {
    /// 99th percentile of the error of an event's time, nanoseconds.
    pub receive_p99_ns: u64,
    /// 99th percentile of the error of the time to first token, nanoseconds.
    pub ttft_p99_ns: u64,
    /// 99th percentile of the program's own lateness in sending, nanoseconds; of a rate only.
    pub slip_p99_ns: u64,
    /// Share of events whose own time is not known because the program was late, 0–1.
    pub censored: f64,
    /// 99th percentile of the busiest I/O thread's share of a core, 0–1. Beyond 95 % it is INVALID.
    pub busy: f64,
    /// Share of the asked events that the server must have written, 0–1: below it another load was checked.
    pub written: f64,
}

impl Default for Limits {
    /// 1 ms for every 99th percentile, 0.1 % of events, 80 % of a core, 90 % of the load.
    fn default() -> Self {
        Self {
            receive_p99_ns: 1_000_000,
            ttft_p99_ns: 1_000_000,
            slip_p99_ns: 1_000_000,
            censored: 0.001,
            busy: 0.8,
            written: 0.9,
        }
    }
}

/// From here on a core is always behind (measured: stamps of the program are late by 10 ms and more).
const BUSY_INVALID: f64 = 0.95;

impl Limits {
    /// The limits that were passed, worst first.
    pub(crate) fn judge(&self, check: &SelfCheck) -> Vec<Reason> {
        let best = check.best();
        let p99 = |errors: Option<crate::ErrorQuantiles>| errors.map(|errors| errors.abs.p99_ns);
        let mut reasons: Vec<Reason> = [
            time("receive_p99", "an event's time", p99(best.receive), self.receive_p99_ns),
            time("ttft_p99", "the time to first token", p99(best.ttft), self.ttft_p99_ns),
            check.rate.and_then(|_| time("slip_p99", "the moment of sending", check.slip_gen.map(|slip| slip.p99_ns), self.slip_p99_ns)),
            above("censored_share", check.censored_share, self.censored, 10.0 * self.censored, |found| {
                format!(
                    "{:.2} % of the events were read late together with a later one; use fewer streams or more I/O threads",
                    found * 100.0
                )
            }),
            above("io_busy_p99", check.busy_p99(), self.busy, BUSY_INVALID, |found| {
                format!("an I/O thread used {:.0} % of a core; use more I/O threads or fewer streams", found * 100.0)
            }),
        ]
        .into_iter()
        .flatten()
        .collect();
        let written = check.written_events_per_s / check.asked_events_per_s.max(1e-9);
        if written < self.written {
            reasons.push(Reason {
                rule: "written_share".to_owned(),
                verdict: Verdict::Suspect,
                found: Some(written),
                limit: Some(self.written),
                text: format!(
                    "the simulator wrote only {:.0} % of the events asked for; what is beyond was not checked",
                    written * 100.0
                ),
            });
        }
        if check.failed > 0 || check.events == 0 {
            reasons.push(Reason {
                rule: "answers".to_owned(),
                verdict: if check.events == 0 { Verdict::Invalid } else { Verdict::Suspect },
                found: Some(check.failed as f64),
                limit: Some(0.0),
                text: format!("{} of {} answers failed or came short", check.failed, check.answers),
            });
        }
        reasons.sort_by_key(|reason| std::cmp::Reverse(reason.verdict));
        reasons
    }
}

fn time(rule: &str, what: &str, found: Option<u64>, limit: u64) -> Option<Reason> {
    let limit = limit as f64;
    above(rule, found? as f64, limit, 10.0 * limit, |found| {
        format!("one in a hundred errors of {what} is above {:.2}\u{a0}ms", found / 1e6)
    })
}

fn above(rule: &str, found: f64, limit: f64, invalid: f64, text: impl Fn(f64) -> String) -> Option<Reason> {
    let verdict = match found {
        found if found > invalid => Verdict::Invalid,
        found if found > limit => Verdict::Suspect,
        _ => return None,
    };
    Some(Reason { rule: rule.to_owned(), verdict, found: Some(found), limit: Some(limit), text: text(found) })
}

#[cfg(test)]
mod tests {
    use benchhost_model::{IoThreadFacts, QuantilesNs};

    use super::*;
    use crate::{ErrorQuantiles, StampErrors};

    fn check(receive_us: u64, censored: f64, busy: f64) -> SelfCheck {
        let errors = ErrorQuantiles {
            mean_ns: 0.0,
            abs: QuantilesNs { count: 100, p99_ns: receive_us * 1000, ..QuantilesNs::default() },
        };
        SelfCheck {
            asked_events_per_s: 1000.0,
            written_events_per_s: 1000.0,
            events: 1000,
            censored_share: censored,
            user: StampErrors { receive: Some(errors), ..StampErrors::default() },
            io: vec![IoThreadFacts { busy_p99: Some(busy), ..IoThreadFacts::default() }],
            ..SelfCheck::default()
        }
    }

    fn verdicts(check: &SelfCheck) -> Vec<(String, Verdict)> {
        Limits::default().judge(check).into_iter().map(|reason| (reason.rule, reason.verdict)).collect()
    }

    #[test]
    fn at_a_limit_all_is_well_and_beyond_it_the_worst_comes_first() {
        assert_eq!(verdicts(&check(1000, 0.001, 0.8)), []);
        let found = verdicts(&check(1001, 0.02, 0.81));
        let expected = [
            ("censored_share", Verdict::Invalid),
            ("receive_p99", Verdict::Suspect),
            ("io_busy_p99", Verdict::Suspect),
        ];
        assert_eq!(found, expected.map(|(rule, verdict)| (rule.to_owned(), verdict)));
    }

    #[test]
    fn a_load_that_the_server_did_not_bring_and_answers_that_failed_are_told() {
        let short = SelfCheck { written_events_per_s: 700.0, failed: 2, answers: 9, ..check(1, 0.0, 0.1) };
        let rules: Vec<String> = verdicts(&short).into_iter().map(|(rule, _)| rule).collect();
        assert_eq!(rules, ["written_share", "answers"]);
        let nothing = SelfCheck { events: 0, ..check(1, 0.0, 0.1) };
        assert_eq!(verdicts(&nothing), [("answers".to_owned(), Verdict::Invalid)]);
    }

    #[test]
    fn lateness_counts_where_a_rate_was_asked_for() {
        let slip_gen = Some(QuantilesNs { p99_ns: 2_000_000, ..QuantilesNs::default() });
        assert_eq!(verdicts(&SelfCheck { slip_gen, ..check(1, 0.0, 0.1) }), []);
        let open = SelfCheck { slip_gen, rate: Some(50.0), ..check(1, 0.0, 0.1) };
        assert_eq!(verdicts(&open), [("slip_p99".to_owned(), Verdict::Suspect)]);
    }
}
