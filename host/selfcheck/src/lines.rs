//! What a check found, as lines for people, none longer than 80 characters. Printing is somebody else's.

use std::fmt;

use benchhost_model::QuantilesNs;

use crate::{Capacity, ErrorQuantiles, SelfCheck, StallProof};

/// Nanoseconds in a width of eight, as microseconds.
struct Us(f64);

impl fmt::Display for Us {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let us = self.0 / 1000.0;
        let text = if us.abs() < 100.0 { format!("{us:.1}") } else { count(us) };
        f.pad(&text)
    }
}

/// A number without decimals, its thousands apart.
fn count(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number <= -0.5 { format!("-{text}") } else { text }
}

fn percent(share: f64) -> String {
    if share > 0.0 && share < 0.0001 { "<0.01 %".to_owned() } else { format!("{:.2} %", share * 100.0) }
}

fn row(f: &mut fmt::Formatter<'_>, name: &str, stamps: &str, errors: Option<ErrorQuantiles>) -> fmt::Result {
    let Some(ErrorQuantiles { mean_ns, abs }) = errors else { return Ok(()) };
    let p999 = abs.p999_ns.map_or_else(|| "-".to_owned(), |p999| Us(p999 as f64).to_string());
    writeln!(
        f,
        "  {name:<15} {stamps:<7} {:>10} {:>10} {:>10} {p999:>10} {:>10}",
        Us(mean_ns),
        Us(abs.p50_ns as f64),
        Us(abs.p99_ns as f64),
        Us(abs.max_ns as f64)
    )
}

fn late(f: &mut fmt::Formatter<'_>, name: &str, late: Option<QuantilesNs>) -> fmt::Result {
    let Some(late) = late else { return Ok(()) };
    writeln!(
        f,
        "{name:<12}p50 {} µs, p90 {} µs, p99 {} µs, most {} µs",
        Us(late.p50_ns as f64),
        Us(late.p90_ns as f64),
        Us(late.p99_ns as f64),
        Us(late.max_ns as f64)
    )
}

impl fmt::Display for SelfCheck {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.load(f)?;
        writeln!(
            f,
            "  {:<15} {:<7} {:>10} {:>10} {:>10} {:>10} {:>10}",
            "error, µs", "stamps", "mean", "p50", "p99", "p99.9", "most"
        )?;
        let kernel = self.kernel.unwrap_or_default();
        for (name, kernel, user) in [
            ("event", kernel.receive, self.user.receive),
            ("event, own read", kernel.receive_apart, self.user.receive_apart),
            ("first event", kernel.receive_first, self.user.receive_first),
            ("ttft", kernel.ttft, self.user.ttft),
            ("gap", kernel.gap, self.user.gap),
            ("tpot", kernel.tpot, self.user.tpot),
            ("end to end", kernel.e2e, self.user.e2e),
        ] {
            row(f, name, "kernel", kernel)?;
            row(f, name, "user", user)?;
        }
        self.conduct(f)
    }
}

impl SelfCheck {
    fn load(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let per_stream = 1e9 / (self.gap_ns.max(1) as f64);
        let what = match (self.streams, self.rate) {
            (Some(streams), _) => format!("{} streams", count(f64::from(streams))),
            (None, rate) => format!("{} requests/s", rate.unwrap_or_default()),
        };
        writeln!(
            f,
            "asked       {what} × {per_stream:.0} events/s, {} events an answer: {} events/s",
            self.events_per_answer,
            count(self.asked_events_per_s)
        )?;
        writeln!(
            f,
            "delivered   {} events/s over {:.2} s; {} answers, {} failed",
            count(self.written_events_per_s),
            self.judged_ns as f64 / 1e9,
            count(self.answers as f64),
            self.failed
        )
    }

    fn conduct(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.rate.is_some() {
            late(f, "sent late", self.slip)?;
            late(f, "own fault", self.slip_gen)?;
        }
        writeln!(
            f,
            "stamps      {} by the kernel; read together: {} late, {} sent so",
            percent(self.kernel_share),
            percent(self.censored_share),
            percent(self.together_share)
        )?;
        let threads = self.io.len();
        writeln!(
            f,
            "I/O         {threads} thread{}, {} µs CPU an event, busiest {:.0} % of a core",
            if threads == 1 { "" } else { "s" },
            Us(self.cpu_per_event_ns),
            self.busy_p99() * 100.0
        )?;
        let mut classes: Vec<&str> = self.io.iter().map(|thread| thread.granted.as_str()).collect();
        classes.dedup();
        writeln!(f, "            scheduling: {}", classes.join(", "))?;
        let late = |ns: Option<u64>| ns.map_or_else(|| "?".to_owned(), |ns| Us(ns as f64).to_string());
        writeln!(
            f,
            "simulator   {} µs CPU an event, {:.0} % of a core; late p50 {}, p99 {} µs",
            Us(self.server.cpu_per_event_ns),
            self.server.busy * 100.0,
            late(self.server.late_p50_ns),
            late(self.server.late_p99_ns)
        )?;
        if let Some(verdict) = self.verdict {
            writeln!(f, "verdict     {verdict}")?;
        }
        for reason in &self.reasons {
            wrapped(f, &format!("{}: {}", reason.verdict, reason.text))?;
        }
        Ok(())
    }
}

/// Words at an indent, broken before the 80th column.
fn wrapped(f: &mut fmt::Formatter<'_>, text: &str) -> fmt::Result {
    let mut line = String::new();
    for word in text.split(' ') {
        if !line.is_empty() && line.chars().count() + word.chars().count() > 66 {
            writeln!(f, "            {line}")?;
            line.clear();
        }
        if !line.is_empty() {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(f, "            {line}")
}

impl fmt::Display for Capacity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  streams   events/s  event p99  ttft p99  read late  core  µs/event  verdict")?;
        for rung in &self.rungs {
            let us = |ns: Option<u64>| ns.map_or_else(|| "-".to_owned(), |ns| Us(ns as f64).to_string());
            writeln!(
                f,
                "  {:>7} {:>10} {:>10} {:>9} {:>10} {:>4.0}% {:>9}  {}",
                count(f64::from(rung.streams)),
                count(rung.events_per_s),
                us(rung.receive_p99_ns),
                us(rung.ttft_p99_ns),
                percent(rung.censored_share),
                rung.busy_p99 * 100.0,
                Us(rung.cpu_per_event_ns),
                rung.verdict.map(|verdict| verdict.to_string()).unwrap_or_default()
            )?;
        }
        if let Some(broke) = self.rungs.last() {
            for reason in &broke.reasons {
                wrapped(f, &reason.text)?;
            }
        }
        match (self.honest_streams, self.honest_events_per_s) {
            (Some(streams), Some(events)) => wrapped(
                f,
                &format!(
                    "This machine measures {} streams with {} events/s honestly{}.",
                    count(f64::from(streams)),
                    count(events),
                    if self.server_bound { ", perhaps more: the simulator was the limit" } else { "" }
                ),
            ),
            _ => wrapped(f, "Not even the first rung kept to the limits."),
        }
    }
}

impl fmt::Display for StallProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "stalls      server: {} of up to {:.1} ms, {} requests due in them, {} sent in them,",
            self.stalls,
            self.longest_ns as f64 / 1e6,
            self.due,
            self.sent
        )?;
        writeln!(
            f,
            "            {} show the rest of it in ttft_sched (up to {:.1} ms)",
            self.shown,
            self.worst_ttft_sched_ns as f64 / 1e6
        )?;
        writeln!(
            f,
            "            this program: {:.1} ms, {} due in it, {} show it as slip (up to {:.1} ms)",
            self.client.length_ns as f64 / 1e6,
            self.client.due,
            self.client.shown,
            self.client.worst_slip_ns as f64 / 1e6
        )?;
        writeln!(f, "            {}", if self.holds() { "no stop was hidden" } else { "A STOP WAS HIDDEN" })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_short_and_plain() {
        let us = |ns: f64| Us(ns).to_string();
        assert_eq!(
            [us(0.0), us(3_140.0), us(99_940.0), us(100_400.0), us(1_234_567_000.0), us(-2_500_000.0)],
            ["0.0", "3.1", "99.9", "100", "1,234,567", "-2,500"]
        );
        assert_eq!([percent(0.0), percent(0.00001), percent(0.0123)], ["0.00 %", "<0.01 %", "1.23 %"]);
    }

    #[test]
    fn no_line_is_longer_than_a_terminal_is_wide() {
        let worst = ErrorQuantiles {
            mean_ns: -123_456_789.0,
            abs: QuantilesNs {
                count: 9,
                p50_ns: 1 << 36,
                p90_ns: 1 << 36,
                p99_ns: 1 << 36,
                p999_ns: Some(1 << 36),
                max_ns: 1 << 36,
            },
        };
        let errors = crate::StampErrors {
            receive: Some(worst),
            receive_apart: Some(worst),
            ..crate::StampErrors::default()
        };
        let reason = benchhost_model::Reason {
            rule: "x".to_owned(),
            verdict: benchhost_model::Verdict::Invalid,
            found: None,
            limit: None,
            text: "one in a hundred errors of the time to first token is above 12.34 ms; ".repeat(3),
        };
        let check = SelfCheck {
            streams: Some(4096),
            gap_ns: 10_000_000,
            events_per_answer: 33,
            asked_events_per_s: 409_600.0,
            kernel: Some(errors),
            user: errors,
            slip: Some(worst.abs),
            verdict: Some(benchhost_model::Verdict::Invalid),
            reasons: vec![reason],
            ..SelfCheck::default()
        };
        let rung = crate::Rung {
            streams: 4096,
            events_per_s: 409_600.0,
            receive_p99_ns: Some(1 << 36),
            ttft_p99_ns: Some(1 << 32),
            ..crate::Rung::default()
        };
        let capacity = Capacity {
            rungs: vec![rung],
            honest_streams: Some(2048),
            honest_events_per_s: Some(1e5),
            server_bound: true,
        };
        for text in [check.to_string(), capacity.to_string(), StallProof::default().to_string()] {
            for line in text.lines() {
                assert!(line.chars().count() <= 80, "{} {line}", line.chars().count());
            }
        }
    }
}
