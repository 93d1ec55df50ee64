//! The load points of a plan and how much is sent at each.

use benchhost_load::Rate;
use benchhost_model::LoadPoint;

use super::arrivals::Shape;
use super::draft::{Draft, WorkloadDraft};
use super::resolve::Layers;
use super::slo::Until;
use super::{Amount, Origin, Sourced, duration};
use crate::error::{CliError, CliResult};

const DEFAULT_LADDER: [u32; 6] = [1, 2, 4, 8, 16, 32];

/// Each request in flight holds a connection, and all share one load thread and one address's ports.
const MOST_IN_FLIGHT: u32 = 16_384;

/// The load points, and the shape of a rate that changes.
pub(super) struct Ladder {
    pub(super) points: Sourced<Vec<LoadPoint>>,
    pub(super) shape: Option<Sourced<Shape>>,
}

/// The keys of a draft that say what the load is; a layer may have one.
fn kinds(d: &Draft) -> Vec<&'static str> {
    let set = [
        ("concurrency", d.concurrency.is_some()),
        ("rate", d.rate.is_some()),
        ("batch", d.batch.is_some()),
        ("ramp", d.ramp.is_some()),
        ("steps", d.steps.is_some()),
        ("trace-scale", d.trace_scale.is_some()),
    ];
    set.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect()
}

/// Whether a draft says what the load is.
pub(super) fn has_load(d: &Draft) -> bool {
    !kinds(d).is_empty()
}

/// A flag for one kind of load hides the file's list of another kind.
pub(super) fn ladder(layers: &Layers) -> CliResult<Ladder> {
    for layer in [&layers.flags, &layers.file] {
        if let [one, other, ..] = kinds(layer)[..] {
            return Err(CliError::usage(format!("`{one}` and `{other}` exclude each other")).hint(
                "a load point is a number of users, a rate, a batch or a trace; make a run for each kind",
            ));
        }
    }
    let shape = layers.pick(|d| has_load(d).then(|| shape(d)));
    if let Some(Sourced { value: Some(shape), origin }) = shape {
        let shape = shape?;
        let points = vec![LoadPoint::Rate(shape.highest())];
        return Ok(Ladder {
            points: Sourced { value: points, origin },
            shape: Some(Sourced { value: shape, origin }),
        });
    }
    let points = layers.pick(|d| Lists::from(d).points(str::to_owned));
    let points = match points {
        Some(Sourced { value, origin }) => Sourced { value: value?, origin },
        None => Sourced {
            value: DEFAULT_LADDER.into_iter().map(LoadPoint::Concurrency).collect(),
            origin: Origin::Default,
        },
    };
    Ok(Ladder { points, shape: None })
}

fn shape(d: &Draft) -> Option<CliResult<Shape>> {
    let wrong = |key: &str, why: String| CliError::usage(format!("`{key}`: {why}"));
    let ramp = d.ramp.as_ref().map(|text| Shape::ramp(text).map_err(|why| wrong("ramp", why)));
    ramp.or_else(|| d.steps.as_ref().map(|text| Shape::steps(text).map_err(|why| wrong("steps", why))))
}

/// The lists of load points that a table may have.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lists<'a> {
    concurrency: Option<&'a [u32]>,
    rate: Option<&'a [f64]>,
    batch: Option<&'a [u32]>,
    trace_scale: Option<&'a [f64]>,
}

impl<'a> From<&'a Draft> for Lists<'a> {
    fn from(d: &'a Draft) -> Self {
        let (concurrency, rate) = (d.concurrency.as_deref(), d.rate.as_deref());
        Self { concurrency, rate, batch: d.batch.as_deref(), trace_scale: d.trace_scale.as_deref() }
    }
}

impl<'a> From<&'a WorkloadDraft> for Lists<'a> {
    fn from(d: &'a WorkloadDraft) -> Self {
        let (concurrency, rate) = (d.concurrency.as_deref(), d.rate.as_deref());
        Self { concurrency, rate, batch: d.batch.as_deref(), trace_scale: d.trace_scale.as_deref() }
    }
}

impl Lists<'_> {
    /// How many there are; there may be one.
    pub(super) fn count(self) -> usize {
        let set = [
            self.concurrency.is_some(),
            self.rate.is_some(),
            self.batch.is_some(),
            self.trace_scale.is_some(),
        ];
        set.into_iter().filter(|set| *set).count()
    }

    /// The points of the first one; `place` makes a key's name for messages.
    pub(super) fn points(self, place: impl Fn(&str) -> String) -> Option<CliResult<Vec<LoadPoint>>> {
        let closed = self.concurrency.map(|list| concurrency_points(&place("concurrency"), list));
        let open = || self.rate.map(|list| rate_points(&place("rate"), list));
        let batches = || self.batch.map(|list| batch_points(&place("batch"), list));
        let traces = || self.trace_scale.map(|list| trace_points(&place("trace-scale"), list));
        closed.or_else(open).or_else(batches).or_else(traces)
    }
}

/// Points of a closed loop; `place` is the key for messages.
pub(super) fn concurrency_points(place: &str, list: &[u32]) -> CliResult<Vec<LoadPoint>> {
    at_a_time(place, list, LoadPoint::Concurrency)
}

/// Points of batches.
pub(super) fn batch_points(place: &str, list: &[u32]) -> CliResult<Vec<LoadPoint>> {
    at_a_time(place, list, LoadPoint::Batch)
}

/// Points of a trace: how many times as fast as recorded.
pub(super) fn trace_points(place: &str, list: &[f64]) -> CliResult<Vec<LoadPoint>> {
    if list.is_empty() || list.iter().any(|s| !s.is_finite() || !(1e-6..=1e6).contains(s)) {
        return Err(CliError::usage(format!("`{place}` must be a list of numbers from 0.000001 to 1000000"))
            .hint("1 replays the trace as fast as it was recorded, 2 twice as fast"));
    }
    distinct(place, list.iter().map(|s| LoadPoint::Trace(*s)).collect())
}

fn at_a_time(place: &str, list: &[u32], point: fn(u32) -> LoadPoint) -> CliResult<Vec<LoadPoint>> {
    if list.is_empty() || list.contains(&0) {
        return Err(CliError::usage(format!("`{place}` must be a list of whole numbers above 0")));
    }
    if let Some(most) = list.iter().find(|c| **c > MOST_IN_FLIGHT) {
        return Err(CliError::usage(format!("`{place}` {most} is above {MOST_IN_FLIGHT}")
        ).because("every request in flight is a connection of its own; with more of them, the ports of one address run out and the load generator is measured instead of the server")
            .hint("share the load among several machines"));
    }
    distinct(place, list.iter().map(|c| point(*c)).collect())
}

/// Points of an open loop; `place` is the key for messages.
pub(super) fn rate_points(place: &str, list: &[f64]) -> CliResult<Vec<LoadPoint>> {
    if list.is_empty() {
        return Err(CliError::usage(format!(
            "`{place}` must be a list of numbers above 0 (requests a second)"
        )));
    }
    for rate in list {
        Rate::new(*rate).map_err(|e| CliError::usage(format!("`{place}` is not sound")).because(e))?;
    }
    distinct(place, list.iter().map(|r| LoadPoint::Rate(*r)).collect())
}

/// Rows of equal points could not be told apart.
fn distinct(place: &str, points: Vec<LoadPoint>) -> CliResult<Vec<LoadPoint>> {
    match points.iter().enumerate().find(|(i, point)| points[..*i].contains(point)) {
        Some((_, twice)) => Err(CliError::usage(format!("`{place}` has {twice} twice"))
            .hint("`repeats` measures the whole ladder more than once and keeps the repeats apart")),
        None => Ok(points),
    }
}

/// How much is sent at each point.
pub(super) fn amount(layers: &Layers) -> CliResult<Sourced<Amount>> {
    let kinds = |d: &Draft| {
        let set = [
            ("requests", d.requests.is_some()),
            ("duration", d.duration.is_some()),
            ("until", d.until.is_some()),
        ];
        set.into_iter().filter(|(_, set)| *set).map(|(name, _)| name).collect::<Vec<_>>()
    };
    for layer in [&layers.flags, &layers.file] {
        if let [one, other, ..] = kinds(layer)[..] {
            return Err(CliError::usage(format!("`{one}` and `{other}` exclude each other"))
                .hint("`max-duration` is the longest time of a stop rule"));
        }
    }
    let wrong = |key: &str, why: String| CliError::usage(format!("`{key}`: {why}"));
    let picked = layers.pick(|d| {
        let span = |text: &String| duration::parse(text).map(Amount::For).map_err(|w| wrong("duration", w));
        let until = |text: &String| Until::parse(text).map(Amount::Until).map_err(|w| wrong("until", w));
        let counted = d.requests.map(|n| Ok(Amount::Requests(n)));
        counted.or_else(|| d.duration.as_ref().map(span)).or_else(|| d.until.as_ref().map(until))
    });
    Ok(match picked {
        Some(Sourced { value, origin }) => Sourced { value: value?, origin },
        None => Sourced { value: Amount::Automatic, origin: Origin::Default },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn concurrency_has_an_end() {
        assert!(concurrency_points("concurrency", &[1, MOST_IN_FLIGHT]).is_ok());
        let error = concurrency_points("concurrency", &[MOST_IN_FLIGHT + 1]).unwrap_err();
        assert!(error.details().any(|(_, text)| text.contains("connection of its own")), "{error}");
    }

    #[test]
    fn rates_are_those_the_load_generator_takes() {
        assert!(rate_points("rate", &[0.5, 1e6]).is_ok());
        for bad in [0.0, -1.0, 1e-10, 1e7, f64::NAN, f64::INFINITY] {
            assert!(rate_points("rate", &[bad]).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_point_stands_once_in_a_ladder() {
        assert!(concurrency_points("concurrency", &[2, 4, 2]).is_err());
        assert!(rate_points("rate", &[2.5, 2.5]).is_err());
        assert!(rate_points("rate", &[2.5, 2.0]).is_ok());
    }
}
