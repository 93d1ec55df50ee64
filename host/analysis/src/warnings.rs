//! What a reader must know of a load point beside its verdict: laws that are broken, a cap that binds, arrivals that are
//! not those asked for. A sentence each, with the numbers. Knows a row that is otherwise complete.

use benchhost_model::{Arrivals, LawCheck, SummaryRow, WindowKind};

/// Share of the requests from which on something is worth a sentence.
const SHARE: f64 = 0.01;

/// The sentences.
pub(crate) fn warnings(row: &SummaryRow, declared: bool) -> Vec<String> {
    let completed = row.counts.completed.max(1) as f64;
    let mut all = Vec::new();
    if declared && row.window == WindowKind::Makespan {
        all.push(
            "the measured window is shorter than one request, so rates are over the makespan".to_owned(),
        );
    }
    all.extend(row.arrivals_made.waited_for_slot.filter(|s| *s > SHARE).map(|share| {
        let share = 100.0 * share;
        let waited = [("p50", row.ttft_sched.p50), ("p90", row.ttft_sched.p90)]
            .into_iter()
            .filter_map(|(name, ms)| Some(format!(" {name} {:.1} ms", ms?)))
            .collect::<String>();
        let waited = if waited.is_empty() { waited } else { format!("; from the schedule, TTFT is{waited}") };
        format!("cap bound: {share:.1}% of the requests waited more than 1 ms for a slot, so the load is partly a closed loop{waited}")
    }));
    all.extend(rate(&row.arrivals_made));
    all.extend(row.little.filter(LawCheck::broken).map(|law| {
        format!(
            "{:.2} requests in flight on average, {:.2} by Little's law: the window is not stationary",
            law.observed, law.by_law
        )
    }));
    all.extend(row.response_law.filter(LawCheck::broken).map(|law| {
        format!(
            "{:.2} requests a second, {:.2} by the response time law: users waited for something but their answers",
            law.observed, law.by_law
        )
    }));
    let unstreamed = row.unstreamed as f64 / completed;
    if unstreamed > SHARE {
        let share = 100.0 * unstreamed;
        all.push(format!("{share:.0}% of the answers came in one piece, so they have no time per token"));
    }
    let spread = row.tokens_spread as f64 / completed;
    if spread > SHARE && row.out_tok_s.is_some() {
        let share = (100.0 * spread).min(100.0);
        all.push(format!(
            "tokens of {share:.0}% of the answers are spread evenly over their gaps, as those of each event are not known"
        ));
    }
    all
}

/// A rate that chance does not explain: four standard errors and one per cent off.
fn rate(made: &Arrivals) -> Option<String> {
    let (asked, rate, gaps) = (made.asked_rate?, made.rate?, made.gaps? as f64);
    let off = (rate / asked - 1.0).abs();
    let error = made.asked_cv.or(made.cv).unwrap_or(1.0) / gaps.sqrt();
    (off > SHARE.max(4.0 * error))
        .then(|| format!("{rate:.3} arrivals a second were made, {asked:.3} were asked for"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use benchhost_model::LoadPoint;

    fn told(change: impl Fn(&mut SummaryRow)) -> Vec<String> {
        let mut row = SummaryRow::blank(LoadPoint::Rate(10.0));
        row.counts.completed = 100;
        row.out_tok_s = Some(1.0);
        change(&mut row);
        warnings(&row, false)
    }

    #[test]
    fn each_sentence_has_its_limit_and_its_numbers() {
        assert!(told(|_| ()).is_empty());
        assert!(told(|r| r.arrivals_made.waited_for_slot = Some(0.01)).is_empty());
        assert!(told(|r| r.arrivals_made.waited_for_slot = Some(0.032))[0].contains("3.2%"));
        assert!(told(|r| r.unstreamed = 1).is_empty());
        assert!(told(|r| r.unstreamed = 2)[0].contains("2%"));
        assert!(told(|r| r.tokens_spread = 40)[0].contains("40%"));
        let law = |gap| Some(LawCheck { observed: 8.0, by_law: 9.5, gap, allowed: 0.03 });
        assert!(told(|r| r.little = law(0.03)).is_empty());
        assert!(
            told(|r| r.little = law(0.031))[0].contains("8.00 requests in flight on average, 9.50 by Little")
        );
        assert!(told(|r| r.response_law = law(0.1))[0].contains("response time law"));
        assert_eq!(warnings(&SummaryRow::blank(LoadPoint::Rate(1.0)), true).len(), 1);
    }

    #[test]
    fn a_rate_off_by_chance_is_not_told_and_one_off_by_more_is() {
        let made = |rate, cv, gaps| {
            told(move |r| {
                r.arrivals_made = Arrivals {
                    asked_rate: Some(10.0),
                    asked_cv: Some(cv),
                    rate: Some(rate),
                    gaps: Some(gaps),
                    ..Arrivals::default()
                }
            })
        };
        // A standard error of 3.2 %: 12 % is within four, 14 % is not.
        assert!(made(11.2, 1.0, 1000).is_empty());
        assert!(made(11.4, 1.0, 1000)[0].contains("11.400 arrivals a second were made, 10.000"));
        assert!(made(10.05, 0.0, 1000).is_empty() && !made(10.2, 0.0, 1000).is_empty());
    }
}
