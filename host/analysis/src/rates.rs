//! Throughput over the declared window by what happened in it, and over the makespan of the measured requests. Knows rows
//! and windows.

use benchhost_model::{Rates, SummaryRow};
use benchhost_stats::Window;

use crate::kept::Kept;
use crate::point::Point;
use crate::window::Windows;

/// Fills in all rates and token sums.
pub(crate) fn fill(row: &mut SummaryRow, point: &Point, windows: &Windows) {
    let done: Vec<&Kept> = point.rows.iter().filter(|r| r.measured() && r.completed()).collect();
    row.input_tokens = sum(done.iter().map(|r| r.input()));
    row.output_tokens = sum(done.iter().map(|r| r.output()));
    row.makespan = windows.makespan.map_or_else(Rates::default, |w| {
        rates(w, done.len() as f64, row.output_tokens.map(|n| n as f64), row.input_tokens.map(|n| n as f64))
    });
    row.window = windows.kind;
    let headline = match windows.declared {
        Some(window) => over(point, window, !done.is_empty()),
        None => row.makespan,
    };
    row.duration_s = headline.duration_s;
    row.req_s = headline.req_s;
    row.out_tok_s = headline.out_tok_s;
    row.in_tok_s = headline.in_tok_s;
    row.total_tok_s = headline.total_tok_s;
    row.tokens_spread = if windows.declared.is_some() { point.flow.spread } else { 0 };
    if let Some(window) = windows.headline() {
        offered(row, point, windows, window);
    }
}

fn offered(row: &mut SummaryRow, point: &Point, windows: &Windows, window: Window) {
    let declared = windows.declared.is_some();
    let within = |r: &&Kept, at: Option<u64>| {
        at.is_some_and(|at| if declared { window.contains(at) } else { r.measured() })
    };
    let count = |at: fn(&Kept) -> Option<u64>| point.rows.iter().filter(|r| within(r, at(r))).count();
    row.offered_req_s = Some(count(|r| Some(r.sched)) as f64 / window.seconds());
    row.sent_req_s = Some(count(Kept::send) as f64 / window.seconds());
    let flow = &point.flow;
    let wasted = if declared { flow.wasted } else { flow.wasted_measured };
    row.wasted_tok_s = (!flow.wasted_unknown).then_some(wasted / window.seconds());
}

/// Rates by event arrival: what ended in the window, the tokens that came in it, the prompts whose first token did.
fn over(point: &Point, window: Window, any: bool) -> Rates {
    if !any {
        return Rates { duration_s: Some(window.seconds()), ..Rates::default() };
    }
    let inside = |at: fn(&Kept) -> Option<u64>| {
        point.rows.iter().filter(move |r| r.completed() && at(r).is_some_and(|at| window.contains(at)))
    };
    let prompts = sum(inside(Kept::first).map(Kept::input));
    let answers = inside(Kept::last).count() as f64;
    let tokens = (!point.flow.unknown).then_some(point.flow.inside);
    rates(window, answers, tokens, prompts.map(|n| n as f64))
}

fn rates(window: Window, answers: f64, out: Option<f64>, prompt: Option<f64>) -> Rates {
    let seconds = window.seconds();
    Rates {
        duration_s: Some(seconds),
        req_s: Some(answers / seconds),
        out_tok_s: out.map(|n| n / seconds),
        in_tok_s: prompt.map(|n| n / seconds),
        total_tok_s: out.zip(prompt).map(|(out, prompt)| (out + prompt) / seconds),
    }
}

/// The sum; `None` for none at all or if any is unknown.
fn sum(values: impl Iterator<Item = Option<u32>>) -> Option<u64> {
    let mut values = values.peekable();
    values.peek()?;
    values.map(|n| n.map(u64::from)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::{LoadPoint, Nanos, Outcome, Phase, PointFacts, Record, WindowKind};

    const S: u64 = 1_000_000_000;

    /// One request a second from 0 s to 9 s, each taking 2 s: first token after 1 s, last at 2 s; 10 tokens in, 4 out.
    /// The first three are warm-up, the last three drain; the window is 3 s to 7 s.
    fn filled(facts: bool, change: impl Fn(u64, Record) -> Record) -> SummaryRow {
        let facts = facts.then(|| PointFacts {
            measured_from_ns: Some(3 * S),
            measured_until_ns: Some(7 * S),
            ..PointFacts::default()
        });
        let mut point = Point::new(&Record::blank(), facts);
        for i in 0..10 {
            let at = |s: u64| Nanos::new((i + s) * S);
            let record = Record {
                outcome: Outcome::Completed,
                phase: if i < 3 {
                    Phase::Warmup
                } else if i < 7 {
                    Phase::Measured
                } else {
                    Phase::Drain
                },
                t_sched_ns: at(0),
                t_send_ns: Some(at(0)),
                t_first_ns: Some(at(1)),
                t_last_ns: Some(at(2)),
                t_end_ns: Some(at(2)),
                input_tokens: Some(10),
                output_tokens: Some(4),
                n_first_tokens: Some(1),
                ..Record::blank()
            };
            point.push(&change(i, record), None, 0);
        }
        let mut row = SummaryRow::blank(LoadPoint::Rate(1.0));
        fill(&mut row, &point, &Windows::of(&point));
        row
    }

    #[test]
    fn the_declared_window_sees_the_steady_rate_and_the_makespan_the_tail() {
        let row = filled(true, |_, r| r);
        assert_eq!((row.window, row.duration_s), (WindowKind::Declared, Some(4.0)));
        assert_eq!((row.req_s, row.offered_req_s, row.sent_req_s), (Some(1.0), Some(1.0), Some(1.0)));
        assert_eq!((row.out_tok_s, row.in_tok_s, row.total_tok_s), (Some(4.0), Some(10.0), Some(14.0)));
        // Sent from 3 s to 6 s, the last token at 8 s.
        assert_eq!((row.makespan.duration_s, row.makespan.req_s), (Some(5.0), Some(0.8)));
        assert_eq!((row.makespan.out_tok_s, row.makespan.total_tok_s), (Some(3.2), Some(11.2)));
        assert_eq!((row.output_tokens, row.input_tokens), (Some(16), Some(40)));
        assert_eq!((row.wasted_tok_s, row.tokens_spread), (Some(0.0), 5));
    }

    #[test]
    fn without_a_window_the_makespan_heads_and_says_so() {
        let row = filled(false, |_, r| r);
        assert_eq!((row.window, row.duration_s, row.req_s), (WindowKind::Makespan, Some(5.0), Some(0.8)));
        assert_eq!(row.out_tok_s, row.makespan.out_tok_s);
        assert_eq!((row.offered_req_s, row.tokens_spread), (Some(0.8), 0));
    }

    #[test]
    fn a_failure_wastes_its_tokens_and_an_unknown_count_leaves_no_rate() {
        let failed = filled(true, |i, r| if i == 4 { Record { outcome: Outcome::Failed, ..r } } else { r });
        // The fifth answered from 5 s to 6 s.
        assert_eq!((failed.req_s, failed.out_tok_s, failed.wasted_tok_s), (Some(0.75), Some(3.0), Some(1.0)));
        let unknown = filled(true, |i, r| if i == 2 { Record { output_tokens: None, ..r } } else { r });
        assert_eq!((unknown.out_tok_s, unknown.total_tok_s, unknown.req_s), (None, None, Some(1.0)));
        assert_eq!(unknown.output_tokens, Some(16), "that of a warm-up request is not asked for");
    }

    #[test]
    fn nothing_completed_is_no_rate() {
        let row = filled(true, |_, r| Record { outcome: Outcome::Failed, ..r });
        assert_eq!(
            (row.req_s, row.out_tok_s, row.input_tokens, row.makespan),
            (None, None, None, Rates::default())
        );
        assert_eq!(row.offered_req_s, Some(1.0));
    }
}
