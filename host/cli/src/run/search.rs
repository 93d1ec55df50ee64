//! The highest rate that meets the plan's bounds, engine by engine and workload by workload: asks the search for the next
//! rate, measures there until it is decided, and keeps the answer in `search.json`.

use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use benchhost_stats::{ProbeOutcome, RateInterval, RateSearch, Step};
use serde::{Deserialize, Serialize};

use super::agenda::Role;
use super::save_json;
use super::session::Session;
use super::watch::{ProbeWatch, Watch};
use crate::error::{CliError, CliResult};
use crate::plan::Bound;
use crate::store::{Layout, Manifest};

/// No rate above this is tried, in requests a second.
const HIGHEST_RATE: f64 = 65_536.0;
/// Digits that a rate keeps: it becomes a name in rows and files.
const DIGITS: i32 = 4;
/// Between two rates, for the server to forget the last.
const PAUSE: Duration = Duration::from_millis(500);

/// The answer for one engine and workload.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Found {
    pub(crate) engine: String,
    pub(crate) variant: String,
    pub(crate) workload: String,
    /// The bounds, as the plan words them.
    pub(crate) bounds: Vec<String>,
    /// Highest rate that met them with none below it that did not, requests a second.
    pub(crate) pass: Option<f64>,
    /// Lowest rate that did not.
    pub(crate) fail: Option<f64>,
    /// A longer run at `pass` met them too.
    pub(crate) confirmed: bool,
    /// False: a rate above one that failed passed.
    pub(crate) monotone: bool,
    /// Where a falling line through all probes crosses the bound; a description, not a bound.
    pub(crate) fitted: Option<f64>,
    /// Rates measured, in order.
    pub(crate) probes: Vec<Probed>,
}

/// One rate.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Probed {
    /// Requests a second.
    pub(crate) rate: f64,
    /// `probe` or `confirm`.
    pub(crate) role: String,
    /// `pass`, `fail` or `undecided`.
    pub(crate) decision: String,
    /// Share of good requests minus the share that must be good, of the worst bound.
    pub(crate) margin: f64,
    /// Requests judged.
    pub(crate) requests: usize,
    /// Independent ones that they are worth.
    pub(crate) effective: usize,
    /// More and more requests were in flight.
    pub(crate) backlog_grew: bool,
}

/// Searches for all.
pub(super) fn all(session: &mut Session<'_>, manifest: &mut Manifest) -> CliResult<()> {
    let mut found = Vec::new();
    for engine in 0..session.prepared.len() {
        for workload in 0..session.prepared[engine].workloads.len() {
            if session.stopped() {
                return Ok(());
            }
            if let Some(answer) = one(session, (engine, workload), manifest)? {
                found.push(answer);
                save_json(&path(session.layout), &found)?;
            }
        }
    }
    Ok(())
}

fn one(
    session: &mut Session<'_>,
    place: (usize, usize),
    manifest: &mut Manifest,
) -> CliResult<Option<Found>> {
    let plan = session.run.plan;
    let bounds = plan.search.as_ref().map(|s| s.value.clone()).unwrap_or_default();
    let from = plan.ladder.value.first().map_or(1.0, |point| point.value());
    let mut search = RateSearch::new(from, HIGHEST_RATE.max(from))
        .map_err(|e| CliError::usage("`search` cannot begin at this rate").because(e))?;
    let mut made = Vec::new();
    loop {
        let (asked, role) = match search.next() {
            Step::Probe(rate) => (rate, Role::Probe),
            Step::Confirm(rate) => (rate, Role::Confirm),
            Step::Done(answer) => return Ok(Some(found(session, place, &bounds, answer, made))),
        };
        let Some((outcome, probed)) = probe(session, place, &bounds, (asked, role), manifest)? else {
            return Ok(None);
        };
        search.tell(asked, outcome);
        made.push(probed);
        std::thread::sleep(PAUSE);
    }
}

/// `None`: a user stopped the run.
fn probe(
    session: &mut Session<'_>,
    place: (usize, usize),
    bounds: &[Bound],
    (asked, role): (f64, Role),
    manifest: &mut Manifest,
) -> CliResult<Option<(ProbeOutcome, Probed)>> {
    let rate = rounded(asked);
    let decided = AtomicBool::new(false);
    let watch =
        ProbeWatch::new(bounds, role == Role::Confirm).map_err(|e| CliError::usage("`search`").because(e))?;
    let planned = session.asked(place, rate, role);
    let (title, watch) = session.measure(&planned, Watch::Probe(watch, &decided), &decided, manifest)?;
    if session.stopped() {
        return Ok(None);
    }
    let Watch::Probe(watch, _) = watch else {
        return Err(CliError::internal("a probe came back without what watched it"));
    };
    let outcome = watch.outcome();
    let probed = Probed {
        rate,
        role: role.word().to_owned(),
        decision: format!("{:?}", outcome.decision).to_lowercase(),
        margin: outcome.margin,
        requests: watch.requests(),
        effective: outcome.effective,
        backlog_grew: watch.grew(),
    };
    let why = if probed.backlog_grew { ", more and more in flight" } else { "" };
    session.run.printer.status(&format!("{title}: {}{why}", words(&probed.decision)));
    Ok(Some((outcome, probed)))
}

fn words(decision: &str) -> &'static str {
    match decision {
        "pass" => "meets the bounds",
        "fail" => "does not meet the bounds",
        _ => "not decided",
    }
}

fn found(
    session: &Session<'_>,
    (engine, workload): (usize, usize),
    bounds: &[Bound],
    answer: RateInterval,
    probes: Vec<Probed>,
) -> Found {
    let prepared = &session.prepared[engine];
    Found {
        engine: prepared.engine.name.clone(),
        variant: prepared.engine.variant.clone(),
        workload: prepared.workloads[workload].1.label.clone(),
        bounds: bounds.iter().map(ToString::to_string).collect(),
        pass: answer.pass.map(rounded),
        fail: answer.fail.map(rounded),
        confirmed: answer.confirmed,
        monotone: answer.monotone,
        fitted: answer.fitted,
        probes,
    }
}

/// To four digits; the search hears the rate it asked for, which differs by less than a two-thousandth.
fn rounded(rate: f64) -> f64 {
    if !(rate.is_finite() && rate > 0.0) {
        return rate;
    }
    #[expect(clippy::cast_possible_truncation, reason = "the logarithm of a rate is small")]
    let digits = DIGITS - 1 - rate.log10().floor() as i32;
    let text = format!("{rate:.*}", usize::try_from(digits.max(0)).unwrap_or(0));
    text.parse().unwrap_or(rate)
}

fn path(layout: &Layout) -> PathBuf {
    layout.root().join("search.json")
}

/// The answers of the run in `layout`; none where it did not search.
pub(crate) fn read_found(layout: &Layout) -> CliResult<Vec<Found>> {
    let path = path(layout);
    if !path.exists() {
        return Ok(Vec::new());
    }
    let unreadable = |path: &Path| CliError::usage(format!("cannot read `{}`", path.display()));
    let text = std::fs::read_to_string(&path).map_err(|e| unreadable(&path).because(e))?;
    serde_json::from_str(&text).map_err(|e| unreadable(&path).because(e))
}

impl Found {
    /// For people, a line.
    pub(crate) fn sentence(&self) -> String {
        let label = if self.variant.is_empty() { String::new() } else { format!(" · {}", self.variant) };
        let head = format!("{}{label} · {}: {}", self.engine, self.workload, self.bounds.join(", "));
        let confirmed = if self.confirmed { "confirmed" } else { "not confirmed" };
        let mut text = match (self.pass, self.fail) {
            (Some(pass), Some(fail)) => {
                format!("{head} holds at {pass}/s ({confirmed}) and not at {fail}/s")
            }
            (Some(pass), None) => format!("{head} holds at {pass}/s ({confirmed}), the highest rate tried"),
            (None, Some(fail)) => {
                format!("{head} does not hold at {fail}/s, the lowest rate that was decided")
            }
            (None, None) => format!("{head} was decided at no rate; longer probes may (`--max-duration`)"),
        };
        if !self.monotone {
            text += "; a higher rate held again, so look at the probes";
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_keep_four_digits() {
        for (rate, kept) in [
            (5.656_854_249, 5.657),
            (1.0, 1.0),
            (1234.56, 1235.0),
            (0.012_345_6, 0.01235),
            (65_536.0, 65_536.0),
        ] {
            assert!((rounded(rate) - kept).abs() < 1e-12, "{rate}: {}", rounded(rate));
        }
    }

    #[test]
    fn every_answer_has_a_sentence() {
        let found = |pass, fail, confirmed| Found {
            engine: "vllm".into(),
            variant: String::new(),
            workload: "synthetic".into(),
            bounds: vec!["ttft_p99=500ms".into()],
            pass,
            fail,
            confirmed,
            monotone: true,
            fitted: None,
            probes: Vec::new(),
        };
        assert_eq!(
            found(Some(4.0), Some(4.1), true).sentence(),
            "vllm · synthetic: ttft_p99=500ms holds at 4/s (confirmed) and not at 4.1/s"
        );
        assert!(found(Some(4.0), None, false).sentence().contains("not confirmed"));
        assert!(found(None, Some(0.1), false).sentence().contains("does not hold at 0.1/s"));
        assert!(found(None, None, false).sentence().contains("decided at no rate"));
    }
}
