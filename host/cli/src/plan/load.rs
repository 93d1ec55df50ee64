//! The load points of a plan and how much is sent at each.

use benchhost_load::Rate;
use benchhost_model::LoadPoint;

use super::draft::Draft;
use super::resolve::Layers;
use super::{Amount, Origin, Sourced, duration};
use crate::error::{CliError, CliResult};

const DEFAULT_LADDER: [u32; 6] = [1, 2, 4, 8, 16, 32];

/// Each request in flight holds a connection, and all share one load thread and one address's ports.
const MOST_IN_FLIGHT: u32 = 16_384;

/// A flag for one kind of load hides the file's list of the other kind.
pub(super) fn ladder(layers: &Layers) -> CliResult<Sourced<Vec<LoadPoint>>> {
    let both = |d: &Draft| d.concurrency.is_some() && d.rate.is_some();
    if both(&layers.flags) || both(&layers.file) {
        return Err(CliError::usage("`concurrency` and `rate` exclude each other")
            .hint("a closed loop has a concurrency, an open loop a rate; make two runs"));
    }
    let lists = layers.pick(|d| {
        let concurrency = d.concurrency.as_ref().map(|c| concurrency_points("concurrency", c));
        concurrency.or_else(|| d.rate.as_ref().map(|r| rate_points("rate", r)))
    });
    match lists {
        Some(Sourced { value, origin }) => Ok(Sourced { value: value?, origin }),
        None => Ok(Sourced {
            value: DEFAULT_LADDER.into_iter().map(LoadPoint::Concurrency).collect(),
            origin: Origin::Default,
        }),
    }
}

/// Points of a closed loop; `place` is the key for messages.
pub(super) fn concurrency_points(place: &str, list: &[u32]) -> CliResult<Vec<LoadPoint>> {
    if list.is_empty() || list.contains(&0) {
        return Err(CliError::usage(format!("`{place}` must be a list of whole numbers above 0")));
    }
    if let Some(most) = list.iter().find(|c| **c > MOST_IN_FLIGHT) {
        return Err(CliError::usage(format!("`{place}` {most} is above {MOST_IN_FLIGHT}")
        ).because("every request in flight is a connection of its own; with more of them, the ports of one address run out and the load generator is measured instead of the server")
            .hint("share the load among several machines"));
    }
    distinct(place, list.iter().map(|c| LoadPoint::Concurrency(*c)).collect())
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
    let both = |d: &Draft| d.requests.is_some() && d.duration.is_some();
    if both(&layers.flags) || both(&layers.file) {
        return Err(CliError::usage("`requests` and `duration` exclude each other"));
    }
    let picked = layers.pick(|d| {
        let span = |text: &String| {
            duration::parse(text).map(Amount::For).map_err(|w| CliError::usage(format!("`duration`: {w}")))
        };
        d.requests.map(|n| Ok(Amount::Requests(n))).or_else(|| d.duration.as_ref().map(span))
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
