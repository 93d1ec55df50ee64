//! Rows of a server whose truth is known: eight requests in flight, times to first token that follow one another, a slow
//! share of one in twenty, and a factor for each run. Arithmetic with a seed; no clock.

#![allow(dead_code, unreachable_pub, reason = "each test, example and benchmark uses its part")]

use std::collections::BTreeMap;

use benchhost_compare::{Gatherer, Sheet};
use benchhost_model::{Failure, LoadPoint, Nanos, Outcome, Record, Target, TokensSource};

const IN_FLIGHT: usize = 8;

/// What is true of a side.
#[derive(Debug, Clone, Copy)]
pub struct Truth {
    /// Repeats.
    pub runs: u32,
    /// Requests a repeat.
    pub requests: u64,
    /// Median time to first token.
    pub ttft_ms: f64,
    /// Factor of the slow one in twenty, over the three times that they take anyway.
    pub tail: f64,
    /// Time per output token.
    pub tpot_ms: f64,
    /// Share of requests that fail.
    pub errors: f64,
    /// Output tokens.
    pub output: u32,
    /// Share of answers that are right.
    pub right: f64,
    /// Standard deviation of the logarithm of each run's factor.
    pub between: f64,
    /// Standard deviation of the logarithm of times to first token inside a run.
    pub inside: f64,
    /// Correlation of neighbours.
    pub neighbours: f64,
    /// How much later than the kernel the program saw each event.
    pub lag_ns: Option<u64>,
    /// All times grow by this share from repeat to repeat.
    pub drift: f64,
    /// The run's name; empty: one of its own.
    pub run: &'static str,
    /// Two sides must not share one.
    pub seed: u64,
}

impl Default for Truth {
    fn default() -> Self {
        Self {
            runs: 5,
            requests: 400,
            ttft_ms: 50.0,
            tail: 1.0,
            tpot_ms: 10.0,
            errors: 0.0,
            output: 60,
            right: 1.0,
            between: 0.005,
            inside: 0.25,
            neighbours: 0.7,
            lag_ns: None,
            drift: 0.0,
            run: "",
            seed: 1,
        }
    }
}

/// `SplitMix64` (Steele, Lea & Flood 2014).
pub struct Random(u64);

impl Random {
    /// The seed is mixed first: the generator steps by a constant, so neighbouring states would give one stream shifted.
    pub fn new(seed: u64) -> Self {
        Self(mixed(mixed(seed.wrapping_add(0x5851_f42d_4c95_7f2d))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// In (0, 1).
    pub fn share(&mut self) -> f64 {
        ((self.next() >> 11) as f64 + 0.5) / 9_007_199_254_740_992.0
    }

    /// Standard normal, by Box and Muller.
    pub fn normal(&mut self) -> f64 {
        (-2.0 * self.share().ln()).sqrt() * (std::f64::consts::TAU * self.share()).cos()
    }
}

fn mixed(state: u64) -> u64 {
    let mut z = state;
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

impl Truth {
    /// Its rows, in the order of their sending within each run.
    pub fn rows(&self, mut each: impl FnMut(&Record)) {
        let mut random = Random::new(self.seed);
        let mut row = 0;
        for repeat in 1..=self.runs {
            let drift = 1.0 + self.drift * f64::from(repeat);
            let factor = drift * (self.between * random.normal()).exp();
            // The TPOT varies between runs on its own.
            let tpot = self.tpot_ms * drift * (self.between * random.normal()).exp();
            let mut level = random.normal();
            let mut slots = [0.0_f64; IN_FLIGHT];
            for item in 0..self.requests {
                row += 1;
                let slot = (0..IN_FLIGHT).min_by(|a, b| slots[*a].total_cmp(&slots[*b])).unwrap_or(0);
                level = self.neighbours * level + (1.0 - self.neighbours.powi(2)).sqrt() * random.normal();
                let stretched = if random.share() < 0.05 { 3.0 * self.tail } else { 1.0 };
                let ttft = self.ttft_ms * factor * stretched * (self.inside * level).exp();
                let own = tpot * (0.02 * random.normal()).exp();
                let failed = random.share() < self.errors;
                let right = random.share() < self.right;
                let record = self.row(row, repeat, item, (slots[slot], ttft, own), (failed, right));
                slots[slot] += record.e2e_ms.unwrap_or(ttft);
                each(&record);
            }
        }
    }

    fn row(
        &self,
        row: u64,
        repeat: u32,
        item: u64,
        (sent, ttft, tpot): (f64, f64, f64),
        (failed, right): (bool, bool),
    ) -> Record {
        let e2e = ttft + tpot * f64::from(self.output - 1);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "milliseconds of a run")]
        let at = |ms: f64| Nanos::new((ms * 1e6) as u64);
        let blank = Record {
            row,
            run_id: if self.run.is_empty() { format!("run-{}", self.seed) } else { self.run.to_owned() },
            engine: "made".into(),
            model: "m".into(),
            target: Target::Simulated,
            workload: "items".into(),
            item: format!("item-{item}"),
            load: LoadPoint::Concurrency(8),
            arrivals: "closed".into(),
            repeat,
            attempts: 1,
            t_sched_ns: at(sent),
            t_send_ns: Some(at(sent)),
            ..Record::blank()
        };
        if failed {
            return Record {
                outcome: Outcome::Failed,
                failure: Some(Failure::Empty),
                t_end_ns: Some(at(sent + ttft)),
                ..blank
            };
        }
        Record {
            outcome: Outcome::Completed,
            t_first_ns: Some(at(sent + ttft)),
            t_last_ns: Some(at(sent + e2e)),
            t_end_ns: Some(at(sent + e2e)),
            events: self.output,
            stamps: if self.lag_ns.is_some() { "user".into() } else { String::new() },
            lag_first_ns: self.lag_ns,
            lag_max_ns: self.lag_ns,
            output_tokens: Some(self.output),
            n_first_tokens: Some(1),
            input_tokens: Some(100),
            tokens_source: TokensSource::Usage,
            ttft_ms: Some(ttft),
            ttft_sched_ms: Some(ttft),
            tpot_ms: Some(tpot),
            itl_mean_ms: Some(tpot),
            e2e_ms: Some(e2e),
            scores: BTreeMap::from([("exact".to_owned(), f64::from(u8::from(right)))]),
            ..blank
        }
    }

    /// Its rows as a result.
    pub fn sheet(&self) -> Sheet {
        let mut gatherer = Gatherer::new(benchhost_analysis::Options::default(), Vec::new());
        self.rows(|row| gatherer.push(row));
        gatherer.finish(&mut |_, _| benchhost_analysis::GpuFigures::default())
    }
}
