//! Takes the rows of a result one by one and keeps what a comparison needs: figures of each run by the analysis, and some
//! numbers of each request in the order of sending. Knows rows; what is compared with what is decided elsewhere.

use std::collections::BTreeMap;
use std::sync::Arc;

use benchhost_analysis::{Collector, EventTimes, GpuFigures, Options, PointFacts, PointKey};
use benchhost_model::{LoadPoint, Outcome, Phase, Record, SummaryRow, Target, TokensSource};

use crate::config::Config;
use crate::gaps::Gaps;
use crate::names::Names;
use crate::refusal::Refusal;
use crate::request::Request;

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
    /// Gaps between output events of completed requests; empty where no events were given.
    pub(crate) gaps: Gaps,
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
    /// The same configuration, workload and load.
    fn is_like(&self, other: &Self) -> bool {
        self.config == other.config && self.workload == other.workload && self.load.key() == other.load.key()
    }

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
    /// Names of items, where they were asked for.
    pub(crate) names: Arc<Names>,
}

impl Sheet {
    /// The same result without its groups, to put some of them into.
    #[must_use]
    pub fn emptied(&self) -> Self {
        Self { groups: Vec::new(), other_roles: self.other_roles, names: Arc::clone(&self.names) }
    }

    /// Several results as one: their runs become replicates of the same groups. Refuses a run that is in two of them,
    /// by its id.
    pub fn together(sheets: Vec<Self>) -> Result<Self, Refusal> {
        let mut whole = Self::default();
        let mut names = Names::default();
        for sheet in sheets {
            whole.other_roles += sheet.other_roles;
            names.extend(&sheet.names);
            for group in sheet.groups {
                whole.take(group)?;
            }
        }
        whole.names = Arc::new(names);
        Ok(whole)
    }

    /// Adds the runs of a group.
    fn take(&mut self, group: Group) -> Result<(), Refusal> {
        let found = self.groups.iter_mut().find(|g| g.is_like(&group));
        let Some(own) = found else {
            self.groups.push(group);
            return Ok(());
        };
        let twice = |run: &&Run| own.runs.iter().any(|o| (&o.run_id, o.repeat) == (&run.run_id, run.repeat));
        if let Some(run) = group.runs.iter().find(twice) {
            return Err(Refusal::new(format!("run `{}` is in one side twice", run.run_id))
                .hint("a copy is no further evidence: take it away"));
        }
        own.simulated |= group.simulated;
        own.tokens.extend(group.tokens);
        own.tokens.sort_by_key(|source| *source as u8);
        own.tokens.dedup();
        let others: Vec<String> = group.arrivals.into_iter().filter(|a| !own.arrivals.contains(a)).collect();
        own.arrivals.extend(others);
        own.runs.extend(group.runs);
        own.runs.sort_by(|a, b| a.run_id.cmp(&b.run_id).then(a.repeat.cmp(&b.repeat)));
        own.anchors.extend(group.anchors);
        Ok(())
    }

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
    gaps: Gaps,
}

/// The rows of a result on their way to a [`Sheet`].
#[derive(Debug)]
pub struct Gatherer {
    collector: Collector,
    points: Vec<Point>,
    current: usize,
    other_roles: u64,
    /// `None`: names are not kept.
    names: Option<Names>,
}

impl Gatherer {
    /// Nothing yet; options and facts as the analysis takes them.
    pub fn new(options: Options, facts: Vec<PointFacts>) -> Self {
        Self {
            collector: Collector::new(options, facts),
            points: Vec::new(),
            current: 0,
            other_roles: 0,
            names: None,
        }
    }

    /// The same, keeping the names of items: prompts can then be told by theirs.
    #[must_use]
    pub fn with_names(self) -> Self {
        Self { names: Some(Names::default()), ..self }
    }

    /// Takes a row of any phase, in any order.
    pub fn push(&mut self, record: &Record) {
        self.take(record, None);
    }

    /// Takes a row with its output events.
    pub fn push_with_events(&mut self, record: &Record, events: EventTimes<'_>) {
        self.take(record, Some(events));
    }

    fn take(&mut self, record: &Record, events: Option<EventTimes<'_>>) {
        self.collector.push(record, events);
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
        if let Some(names) = &mut self.names {
            names.insert(request.item, &record.item);
        }
        if record.outcome == Outcome::Completed {
            for (name, value) in record.scores.iter().filter(|(_, value)| value.is_finite()) {
                point.scores.entry(name.clone()).or_default().push((request.item, *value));
            }
            if let Some(events) = events {
                point.gaps.take(events, record.censored > 0);
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
            gaps: Gaps::default(),
        });
        self.points.len() - 1
    }

    /// The result. `gpu` tells what the GPUs did between two times on the run's clock.
    pub fn finish(self, gpu: &mut dyn FnMut(u64, u64) -> GpuFigures) -> Sheet {
        let Self { collector, points, other_roles, names, .. } = self;
        let summaries = collector.finish(gpu);
        let names = Arc::new(names.unwrap_or_default());
        let mut sheet = Sheet { groups: Vec::new(), other_roles, names };
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
    let Point { key, simulated, tokens, arrivals, mut requests, scores, gaps } = point;
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
    group.runs.push(Run { run_id: key.run_id, repeat: key.repeat, summary, requests, scores, gaps });
}
