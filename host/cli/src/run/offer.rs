//! How a load point of the plan becomes load: pattern, parts, due times and the order of items.

use std::collections::HashSet;
use std::time::Duration;

use benchhost_load::schedule::RampShape;
use benchhost_load::{DrainLoad, Pattern, Phases, Process, Profile, Rate, Span, Think, schedule};
use benchhost_model::{LoadPoint, Nanos};

use super::feed::{Drawn, DueTimes, Scheduled, Supply};
use super::order::Order;
use super::point::Point;
use super::trace::{Arrival, Excerpt, arrivals};
use crate::error::{CliError, CliResult};
use crate::plan::{Drain, Extent, Plan, Shape, Thinking};

/// The warm-up of a trace is spread over this time before it.
const TRACE_LEAD: Duration = Duration::from_secs(1);

/// Spreads numbers over all bits, so that neighbouring seeds and repeats have nothing in common.
const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;

/// What is offered at one load point.
pub(super) struct Offer {
    pub(super) pattern: Pattern,
    pub(super) phases: Phases,
    pub(super) supply: Supply,
    pub(super) scheduled: Scheduled,
    /// The `arrivals` column.
    pub(super) words: String,
    /// Sessions a second and variation of their gaps, where they are asked for.
    pub(super) asked_rate: Option<f64>,
    pub(super) asked_cv: Option<f64>,
    /// An open loop: requests are due.
    pub(super) open: bool,
}

impl Offer {
    /// Of `point`. The error is the user's: a workload without a trace, for instance.
    pub(super) fn of(point: &Point<'_>) -> CliResult<Self> {
        match point.load {
            LoadPoint::Concurrency(concurrency) => Ok(Self::closed(point, concurrency)),
            LoadPoint::Batch(size) => Ok(Self::without_dues(point, Pattern::Batch { size }, "batch".into())),
            LoadPoint::Rate(rate) => Self::rate(point, rate),
            LoadPoint::Trace(scale) => Self::trace(point, scale),
        }
    }

    fn closed(point: &Point<'_>, concurrency: u32) -> Self {
        // Starts are spread over at most a second, so that users do not prefill in phase.
        let stagger = Duration::from_millis(u64::from(1000 / concurrency.max(1)).min(20));
        let thinking = point.run.plan.think.as_ref().map(|t| t.value);
        let think = match thinking {
            None => Think::None,
            Some(Thinking { mean, drawn: false }) => Think::Fixed(mean),
            Some(Thinking { mean, drawn: true }) => Think::Exponential(mean, point.seed()),
        };
        let words = thinking.map_or("closed".into(), |t| format!("closed think={t}"));
        Self::without_dues(point, Pattern::Closed { concurrency, stagger, think }, words)
    }

    fn without_dues(point: &Point<'_>, pattern: Pattern, words: String) -> Self {
        let scheduled = scheduled(point, point.measured);
        Self {
            pattern,
            phases: phases(point, span(point.measured)),
            supply: drawn(point, None),
            scheduled,
            words,
            asked_rate: None,
            asked_cv: None,
            open: false,
        }
    }

    fn rate(point: &Point<'_>, rate: f64) -> CliResult<Self> {
        let plan = point.run.plan;
        let process = plan.arrivals.value;
        let steady = Rate::new(rate).map_err(|e| CliError::usage("`rate`").caused_by(&e))?;
        let shape = point.shape;
        let words = shape.map_or(process.to_string(), |s| format!("{process} {} {s}", s.key()));
        // A rate that changes has no mean that anything could be held against.
        let (mean, cv) = if shape.is_none() { (Some(rate), cv(process)) } else { (None, None) };
        let dues = schedule(process, profile(shape, steady), point.arrival_seed());
        Ok(Self {
            pattern: Pattern::Open { cap: cap(plan) },
            phases: phases(point, span(point.measured)),
            supply: drawn(point, Some(dues)),
            scheduled: scheduled(point, point.measured),
            words,
            asked_rate: mean,
            asked_cv: cv,
            open: true,
        })
    }

    fn trace(point: &Point<'_>, scale: f64) -> CliResult<Self> {
        let plan = point.run.plan;
        let warm = if let Extent::Items(n) = point.warmup { n } else { 0 };
        let lead = if warm > 0 { TRACE_LEAD } else { Duration::ZERO };
        let excerpt = Excerpt {
            scale,
            window: plan.trace_window.as_ref().map(|w| w.value),
            thin: plan.trace_thin.as_ref().map(|p| p.value),
            seed: point.arrival_seed(),
            lead,
        };
        let moments = point.workload.moments()?;
        let label = &point.workload.label;
        let inside = arrivals(&moments, &excerpt, label)?;
        let ends = inside.first().zip(inside.last());
        let seconds = ends.map_or(0.0, |(a, b)| (b.1 - a.1).as_secs());
        let count = u32::try_from(inside.len()).unwrap_or(u32::MAX);
        let measured = match point.measured {
            Extent::Items(n) => Extent::Items(n.min(count)),
            Extent::For(span) => Extent::For(span),
            Extent::Whole => Extent::Items(count),
        };
        // What follows the window in the trace keeps the load up while the last measured requests end.
        let mut list = match (excerpt.window, plan.drain.value) {
            (Some(mut window), Drain::Loaded) => {
                window.to = Duration::MAX;
                arrivals(&moments, &Excerpt { window: Some(window), ..excerpt }, label)?
            }
            _ => inside,
        };
        let measured_items: HashSet<u32> = list.iter().map(|a| a.0).collect();
        list.splice(0..0, before(point, warm, lead, &measured_items));
        let phases = phases(point, span(measured));
        let mut described = format!("trace scale={scale}");
        for (key, value) in
            [("window", excerpt.window.map(|w| w.to_string())), ("thin", excerpt.thin.map(|p| p.to_string()))]
        {
            described += &value.map_or(String::new(), |v| format!(" {key}={v}"));
        }
        Ok(Self {
            pattern: Pattern::Open { cap: cap(plan) },
            phases,
            supply: Supply::Trace(list.into_iter()),
            scheduled: scheduled(point, measured),
            words: described,
            asked_rate: Some(f64::from(count.saturating_sub(1)) / seconds)
                .filter(|r| r.is_finite() && *r > 0.0),
            asked_cv: None,
            open: true,
        })
    }
}

/// Warm-up items of a trace, evenly over the time before it; such that are not sent again, where there are some.
fn before(point: &Point<'_>, count: u32, lead: Duration, later: &HashSet<u32>) -> Vec<Arrival> {
    let due = |place: u32| Nanos::from(lead / count.max(1) * place);
    let all = point.workload.count;
    let order = Order::new(all, point.seed_of_items(), point.salt(true));
    let others = later.len() < all as usize;
    let order = order.filter(|index| !others || !later.contains(index));
    order.zip(0..count).map(|(index, place)| (index, due(place))).collect()
}

fn drawn(point: &Point<'_>, dues: Option<DueTimes>) -> Supply {
    let order = |warm| Order::new(point.workload.count, point.seed_of_items(), point.salt(warm));
    let (warm, main) = (order(true), order(false));
    Supply::Drawn(Box::new(Drawn { warm, warmup: point.warmup, main, dues, given: 0 }))
}

/// Variation of the gaps, where the process has one that does not depend on the rate.
const fn cv(process: Process) -> Option<f64> {
    match process {
        Process::Constant => Some(0.0),
        Process::Poisson => Some(1.0),
        Process::Gamma(spread) => Some(spread.cv()),
        Process::Weibull(_) | Process::Mmpp(_) | Process::Batches(_) => None,
    }
}

fn cap(plan: &Plan) -> Option<u32> {
    plan.max_concurrency.as_ref().map(|c| c.value)
}

fn profile(shape: Option<&Shape>, steady: Rate) -> Profile {
    match shape {
        None => Profile::Steady(steady),
        Some(Shape::Ramp { from, to, over, exponential }) => {
            let shape = if *exponential { RampShape::Exponential } else { RampShape::Linear };
            Profile::Ramp { from: *from, to: *to, over: *over, shape }
        }
        Some(Shape::Steps(steps)) => Profile::Steps(steps.clone()),
    }
}

fn span(extent: Extent) -> Span {
    match extent {
        Extent::Items(0) => Span::None,
        Extent::Items(n) => Span::Sessions(n),
        Extent::For(span) => Span::For(span),
        Extent::Whole => Span::Endless,
    }
}

fn phases(point: &Point<'_>, measured: Span) -> Phases {
    let drain = match point.run.plan.drain.value {
        Drain::Loaded => DrainLoad::Loaded,
        Drain::Quiet => DrainLoad::Quiet,
    };
    Phases { warmup: span(point.warmup), measured, drain }
}

fn scheduled(point: &Point<'_>, measured: Extent) -> Scheduled {
    let warmup = if let Extent::Items(n) = point.warmup { n } else { 0 };
    let all = match (point.warmup, measured) {
        (Extent::Items(warm), Extent::Items(n)) => Some(warm.saturating_add(n)),
        _ => None,
    };
    Scheduled { warmup, all, quiet: point.run.plan.drain.value == Drain::Quiet }
}

impl Point<'_> {
    /// Mixed, so that repeat 2 of one seed is not repeat 1 of the next; the same for every engine and rate.
    pub(super) fn arrival_seed(&self) -> u64 {
        self.run.plan.seed.value ^ u64::from(self.repeat).wrapping_mul(GOLDEN)
    }

    /// A seed of its own for each load point and repeat, the same for every engine.
    pub(super) fn seed(&self) -> u64 {
        self.arrival_seed() ^ self.salt(false).wrapping_mul(GOLDEN)
    }

    fn seed_of_items(&self) -> u64 {
        self.run.plan.seed.value
    }

    /// The same for every engine; different for each load point and repeat, and for the warm-up.
    fn salt(&self, warm: bool) -> u64 {
        let (kind, value) = self.load.key();
        value ^ (u64::from(kind & 2) << 61) ^ (u64::from(self.repeat) << 40) ^ (u64::from(warm) << 63)
    }
}
