//! The rate search against queues whose capacity is known.

use crate::queue::mm1;
use crate::random::Random;
use crate::steady::nanoseconds;
use crate::table::{Table, percent};
use benchhost_stats::{
    Attainment, Decision, ProbeOutcome, RateInterval, RateSearch, Step, Window, backlog, in_flight_means,
};

const SEARCHES: u32 = 200;
const SERVICES_PER_S: f64 = 100.0;

/// An M/M/1 server with an objective: this share of requests within so many seconds. Time in the system is exponential
/// with rate services − arrivals, so the highest rate is services + ln(1 − share)/seconds.
struct Server {
    share: f64,
    seconds: f64,
}

impl Server {
    fn capacity(&self) -> f64 {
        SERVICES_PER_S + (1.0 - self.share).ln() / self.seconds
    }

    /// Looks after more and more requests until the share is decided or the backlog grows; the first 1000 warm the queue up.
    fn probe(&self, random: &mut Random, rate: f64, cap: usize) -> ProbeOutcome {
        let spans = mm1(random, cap + 1000, rate, SERVICES_PER_S);
        let times: Vec<f64> = spans[1000..].iter().map(|(from, to)| to - from).collect();
        let good: Vec<bool> = times.iter().map(|time| *time <= self.seconds).collect();
        let rule = Attainment::at_least(self.share).unwrap();
        let looks = rule.looks(cap);
        for &count in &looks {
            if growing(&spans[1000..1000 + count]) {
                return ProbeOutcome { decision: Decision::Fail, margin: -self.share, effective: count };
            }
            let last = count == cap;
            let judged =
                if last { rule.judge(&good, &times) } else { rule.peek(&good[..count], &times[..count]) };
            if last || judged.decision != Decision::Undecided {
                let (decision, margin, effective) = (judged.decision, judged.margin, judged.effective);
                return ProbeOutcome { decision, margin, effective };
            }
        }
        unreachable!("the last look is at the cap");
    }

    fn search(&self, random: &mut Random, cap: usize) -> RateInterval {
        let mut search = RateSearch::new(5.0, 1000.0).unwrap();
        loop {
            let (rate, cap) = match search.next() {
                Step::Probe(rate) => (rate, cap),
                Step::Confirm(rate) => (rate, 3 * cap),
                Step::Done(answer) => return answer,
            };
            let outcome = self.probe(random, rate, cap);
            search.tell(rate, outcome);
        }
    }
}

/// Whether the numbers in flight over ten parts of the time from the first arrival to the last keep growing.
fn growing(spans: &[(f64, f64)]) -> bool {
    let window = Window::new(nanoseconds(spans[0].0), nanoseconds(spans[spans.len() - 1].0)).unwrap();
    let spans = spans.iter().map(|(from, to)| (nanoseconds(*from), nanoseconds(*to)));
    backlog(&in_flight_means(window, 10, spans)).growing
}

pub(crate) fn tables() -> Vec<Table> {
    let mut table = Table::new(
        "The rate search",
        "M/M/1 with 100 services a second from an empty start, 200 searches each from 5/s; a probe takes up to the stated \
         number of requests and fails at once if its backlog grows; a confirming run takes three times as many. Share of intervals [pass, fail] that hold the true \
         highest rate, median width fail/pass, median number of runs, and how far the fitted rate is off in the median.",
        &[
            "objective",
            "true rate",
            "requests a probe",
            "holds the truth",
            "width",
            "runs",
            "confirmed",
            "fit off by",
        ],
    );
    let mut random = Random::new(41);
    for (share, seconds, cap) in
        [(0.90, 0.1, 5000), (0.90, 0.1, 20_000), (0.99, 0.2, 20_000), (0.95, 0.06, 20_000)]
    {
        let server = Server { share, seconds };
        let capacity = server.capacity();
        let answers: Vec<RateInterval> = (0..SEARCHES).map(|_| server.search(&mut random, cap)).collect();
        let median = |mut values: Vec<f64>| {
            values.sort_unstable_by(f64::total_cmp);
            values[values.len() / 2]
        };
        let holds = |answer: &&RateInterval| {
            answer.pass.is_none_or(|pass| pass <= capacity) && answer.fail.is_none_or(|fail| capacity <= fail)
        };
        let holding = answers.iter().filter(holds).count() as f64 / f64::from(SEARCHES);
        let closed =
            answers.iter().filter_map(|answer| Some(answer.fail? / answer.pass?)).collect::<Vec<_>>();
        let off = answers.iter().filter_map(|a| Some((a.fitted? / capacity - 1.0).abs())).collect::<Vec<_>>();
        let confirmed = answers.iter().filter(|answer| answer.confirmed).count() as f64 / f64::from(SEARCHES);
        table.promise("every search closes its interval", closed.len() == answers.len());
        table.row(vec![
            format!("{:.0} % within {} ms", share * 100.0, seconds * 1000.0),
            format!("{capacity:.1}/s"),
            cap.to_string(),
            percent(holding),
            format!("{:.3}", median(closed)),
            format!("{:.0}", median(answers.iter().map(|answer| answer.runs as f64).collect())),
            percent(confirmed),
            percent(median(off)),
        ]);
        table.promise("the interval holds the truth in at least 90 %", holding >= 0.90);
    }
    vec![table]
}
