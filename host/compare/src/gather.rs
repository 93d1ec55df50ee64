//! Takes the rows of a result one by one and keeps what a comparison needs: figures of each run by the analysis, and some
//! numbers of each request in the order of sending. Knows rows; what is compared with what is decided elsewhere.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};

use benchhost_analysis::{Collector, GpuFigures, Options, PointFacts, PointKey};
use benchhost_model::{LoadPoint, Nanos, Outcome, Phase, Record, SummaryRow, Target, TokensSource};

use crate::config::Config;

/// Numbers of one measured request, less than a hundred bytes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Request {
    pub(crate) sent: u64,
    /// Last output event; `u64::MAX`: none.
    pub(crate) last: u64,
    /// Hash of the item's id.
    pub(crate) item: u64,
    pub(crate) turn: u32,
    pub(crate) asked_input: Option<u32>,
    pub(crate) asked_output: Option<u32>,
    pub(crate) output: Option<u32>,
    /// Latencies in ms in the order of [`Column`]; NaN: none.
    pub(crate) latencies: [f64; Column::COUNT],
    pub(crate) completed: bool,
}

/// A latency of one request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Column {
    Ttft,
    TtftSched,
    Tpot,
    ItlMean,
    E2e,
}

impl Column {
    pub(crate) const COUNT: usize = 5;
    pub(crate) const ALL: [Self; Self::COUNT] =
        [Self::Ttft, Self::TtftSched, Self::Tpot, Self::ItlMean, Self::E2e];

    pub(crate) const fn index(self) -> usize {
        self as usize
    }
}

impl Request {
    fn of(r: &Record) -> Self {
        let number = |value: Option<f64>| value.filter(|v| v.is_finite()).unwrap_or(f64::NAN);
        Self {
            sent: r.t_send_ns.unwrap_or(r.t_sched_ns).get(),
            last: r.t_last_ns.map_or(u64::MAX, Nanos::get),
            item: digest(&r.item),
            turn: r.turn,
            asked_input: r.input_tokens_asked,
            asked_output: r.output_tokens_asked,
            output: r.output_tokens,
            latencies: [
                number(r.ttft_ms),
                number(r.ttft_sched_ms),
                number(r.tpot_ms),
                number(r.itl_mean_ms),
                number(r.e2e_ms),
            ],
            completed: r.outcome == Outcome::Completed,
        }
    }

    /// A latency of a whole answer.
    pub(crate) fn latency(&self, column: Column) -> Option<f64> {
        Some(self.latencies[column.index()]).filter(|ms| self.completed && !ms.is_nan())
    }
}

/// 64 bits for an item: of a million items two share one once in 10⁷ comparisons.
fn digest(item: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    item.hash(&mut hasher);
    hasher.finish()
}

/// One replicate: everything measured at one load point in one repeat of one run.
#[derive(Debug)]
pub struct Run {
    /// The run.
    pub run_id: String,
    /// The repeat, from 1.
    pub repeat: u32,
    /// Its figures, as `report` gives them.
    pub summary: SummaryRow,
    /// Measured requests by the order of their sending.
    pub(crate) requests: Vec<Request>,
    /// Each score by item, in the order of the rows.
    pub(crate) scores: BTreeMap<String, Vec<(u64, f64)>>,
}

/// The replicates of one configuration under one workload and load.
#[derive(Debug)]
pub struct Group {
    /// Engine, variant and model.
    pub config: Config,
    /// Workload.
    pub workload: String,
    /// Load.
    pub load: LoadPoint,
    /// Any row was answered by the built-in simulator.
    pub simulated: bool,
    /// Where token counts came from; each once.
    pub tokens: Vec<TokensSource>,
    /// How requests arrived, in words; each once, empty ones left out.
    pub arrivals: Vec<String>,
    /// By run and repeat.
    pub runs: Vec<Run>,
    /// The same point measured again at the beginning and the end, against drift.
    pub anchors: Vec<SummaryRow>,
}

impl Group {
    /// Workload and load.
    pub fn heading(&self) -> String {
        if self.workload.is_empty() {
            self.load.to_string()
        } else {
            format!("{} · {}", self.workload, self.load)
        }
    }
}

/// A result, ready to be compared.
#[derive(Debug, Default)]
pub struct Sheet {
    /// In order of appearance.
    pub groups: Vec<Group>,
    /// Measured requests that were made for another purpose than the plan's points (probes of a search).
    pub other_roles: u64,
}

impl Sheet {
    /// The configurations, each once, sorted.
    pub fn configs(&self) -> Vec<&Config> {
        let mut configs: Vec<&Config> = self.groups.iter().map(|g| &g.config).collect();
        configs.sort();
        configs.dedup();
        configs
    }
}

/// What is kept of a load point on the way.
#[derive(Debug)]
struct Point {
    key: PointKey,
    simulated: bool,
    tokens: Vec<TokensSource>,
    arrivals: String,
    requests: Vec<Request>,
    scores: BTreeMap<String, Vec<(u64, f64)>>,
}

/// The rows of a result on their way to a [`Sheet`].
#[derive(Debug)]
pub struct Gatherer {
    collector: Collector,
    points: Vec<Point>,
    current: usize,
    other_roles: u64,
}

impl Gatherer {
    /// Nothing yet; options and facts as the analysis takes them.
    pub fn new(options: Options, facts: Vec<PointFacts>) -> Self {
        Self { collector: Collector::new(options, facts), points: Vec::new(), current: 0, other_roles: 0 }
    }

    /// Takes a row of any phase, in any order.
    pub fn push(&mut self, record: &Record) {
        self.collector.push(record, None);
        if record.phase != Phase::Measured {
            return;
        }
        if !record.role.is_empty() {
            self.other_roles += u64::from(record.role != "anchor");
            return;
        }
        let at = self.point_of(record);
        self.current = at;
        let point = &mut self.points[at];
        point.simulated |= record.target == Target::Simulated;
        if record.outcome == Outcome::Completed && !point.tokens.contains(&record.tokens_source) {
            point.tokens.push(record.tokens_source);
        }
        let request = Request::of(record);
        if record.outcome == Outcome::Completed {
            for (name, value) in record.scores.iter().filter(|(_, value)| value.is_finite()) {
                point.scores.entry(name.clone()).or_default().push((request.item, *value));
            }
        }
        point.requests.push(request);
    }

    fn point_of(&mut self, record: &Record) -> usize {
        if self.points.get(self.current).is_some_and(|p| p.key.holds(record)) {
            return self.current;
        }
        if let Some(found) = self.points.iter().position(|p| p.key.holds(record)) {
            return found;
        }
        self.points.push(Point {
            key: PointKey::of(record),
            simulated: false,
            tokens: Vec::new(),
            arrivals: record.arrivals.clone(),
            requests: Vec::new(),
            scores: BTreeMap::new(),
        });
        self.points.len() - 1
    }

    /// The result. `gpu` tells what the GPUs did between two times on the run's clock.
    pub fn finish(self, gpu: &mut dyn FnMut(u64, u64) -> GpuFigures) -> Sheet {
        let Self { collector, points, other_roles, .. } = self;
        let summaries = collector.finish(gpu);
        let mut sheet = Sheet { groups: Vec::new(), other_roles };
        for point in points {
            let Some(summary) = summaries.iter().find(|s| s.role.is_empty() && is_of(s, &point.key)) else {
                continue;
            };
            add(&mut sheet, point, summary.clone());
        }
        for group in &mut sheet.groups {
            group.runs.sort_by(|a, b| a.run_id.cmp(&b.run_id).then(a.repeat.cmp(&b.repeat)));
            let of_group = |s: &&SummaryRow| {
                s.role == "anchor"
                    && s.load.key() == group.load.key()
                    && (&s.workload, &s.engine) == (&group.workload, &group.config.engine)
                    && (&s.variant, &s.model) == (&group.config.variant, &group.config.model)
            };
            let anchors = summaries.iter().filter(of_group).cloned().collect();
            group.anchors = anchors;
        }
        sheet
    }
}

fn is_of(summary: &SummaryRow, key: &PointKey) -> bool {
    summary.repeat == key.repeat
        && summary.load.key() == key.load.key()
        && summary.run_id == key.run_id
        && summary.engine == key.engine
        && summary.variant == key.variant
        && summary.model == key.model
        && summary.workload == key.workload
}

fn add(sheet: &mut Sheet, point: Point, summary: SummaryRow) {
    let Point { key, simulated, tokens, arrivals, mut requests, scores } = point;
    requests.sort_by_key(|r| r.sent);
    let config = Config { engine: key.engine, variant: key.variant, model: key.model };
    let found = sheet
        .groups
        .iter()
        .position(|g| g.config == config && g.workload == key.workload && g.load.key() == key.load.key());
    let at = found.unwrap_or_else(|| {
        sheet.groups.push(Group {
            config,
            workload: key.workload,
            load: key.load,
            simulated: false,
            tokens: Vec::new(),
            arrivals: Vec::new(),
            runs: Vec::new(),
            anchors: Vec::new(),
        });
        sheet.groups.len() - 1
    });
    let group = &mut sheet.groups[at];
    group.simulated |= simulated;
    group.tokens.extend(tokens);
    group.tokens.sort_by_key(|source| *source as u8);
    group.tokens.dedup();
    if !arrivals.is_empty() && !group.arrivals.contains(&arrivals) {
        group.arrivals.push(arrivals);
    }
    group.runs.push(Run { run_id: key.run_id, repeat: key.repeat, summary, requests, scores });
}
