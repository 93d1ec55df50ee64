//! `--sweep`: from axes with lists of values to one workload for each combination, with a label of its own in every row.
//! Everything a sweep means ends up in the workloads, so that the stored plan needs no sweep.

use benchhost_model::LoadPoint;

use super::load::{batch_points, concurrency_points, rate_points};
use super::{ItemSource, Origin, WorkloadChoice, name_of};
use crate::error::{CliError, CliResult};

/// More combinations than anyone would wait for.
const MOST: usize = 1000;

/// What is varied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Axis {
    Concurrency,
    Rate,
    Batch,
    Requests,
    Input,
    Output,
}

const AXES: [(&str, Axis); 6] = [
    ("concurrency", Axis::Concurrency),
    ("rate", Axis::Rate),
    ("batch", Axis::Batch),
    ("requests", Axis::Requests),
    ("input", Axis::Input),
    ("output", Axis::Output),
];

/// One value for an axis.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Setting {
    axis: Axis,
    value: f64,
}

/// Axes that move together, and the values they take one after the other.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Sweep {
    steps: Vec<Vec<Setting>>,
}

impl Sweep {
    /// `input=128,512`, `input=output=32,64` (both the same) or `input:output=128:64,512:256`.
    pub(super) fn parse(text: &str) -> CliResult<Self> {
        let wrong = |why: String| {
            CliError::usage(format!("`sweep` `{text}`: {why}"))
                .hint("write `input=128,512`; `input=output=32,64` or `input:output=128:64,512:256` moves two together")
        };
        let (names, list) =
            text.rsplit_once('=').ok_or_else(|| wrong("it is not of the form AXIS=LIST".into()))?;
        let same = names.contains('=');
        let axes = names
            .split(['=', ':'])
            .map(|name| axis(name.trim()).map_err(wrong))
            .collect::<CliResult<Vec<Axis>>>()?;
        if axes.iter().enumerate().any(|(i, a)| axes[..i].contains(a)) {
            return Err(wrong("it names an axis twice".into()));
        }
        let step = |part: &str| -> CliResult<Vec<Setting>> {
            let values: Vec<&str> = if same { vec![part; axes.len()] } else { part.split(':').collect() };
            if values.len() != axes.len() {
                return Err(wrong(format!("`{part}` has {} values for {} axes", values.len(), axes.len())));
            }
            let settings = axes
                .iter()
                .zip(values)
                .map(|(axis, v)| Ok(Setting { axis: *axis, value: value(*axis, v.trim()).map_err(wrong)? }));
            settings.collect()
        };
        let steps = list.split(',').map(step).collect::<CliResult<Vec<_>>>()?;
        if let Some((_, twice)) = steps.iter().enumerate().find(|(i, s)| steps[..*i].contains(s)) {
            let words: Vec<String> = twice.iter().map(|s| s.value.to_string()).collect();
            return Err(wrong(format!("{} stands twice", words.join(":"))));
        }
        Ok(Self { steps })
    }

    fn axes(&self) -> impl Iterator<Item = Axis> + '_ {
        self.steps.first().into_iter().flatten().map(|s| s.axis)
    }
}

fn axis(name: &str) -> Result<Axis, String> {
    AXES.iter().find(|(word, _)| *word == name).map(|(_, axis)| *axis).ok_or_else(|| {
        let words: Vec<&str> = AXES.iter().map(|(word, _)| *word).collect();
        format!("`{name}` is not an axis; axes are {}", words.join(", "))
    })
}

fn value(axis: Axis, text: &str) -> Result<f64, String> {
    if axis == Axis::Rate {
        let rate = text.parse::<f64>().ok().filter(|r| r.is_finite() && *r > 0.0);
        return rate.ok_or_else(|| format!("`{text}` is not a rate above 0"));
    }
    let whole = text.parse::<u32>().ok().filter(|n| *n > 0);
    whole.map(f64::from).ok_or_else(|| format!("`{text}` is not a whole number above 0"))
}

/// Whether any of them sets the load, which then may not be set elsewhere.
pub(super) fn set_the_load(sweeps: &[Sweep]) -> bool {
    sweeps.iter().flat_map(Sweep::axes).any(|a| matches!(a, Axis::Concurrency | Axis::Rate | Axis::Batch))
}

/// Whether any of them sets the number of requests.
pub(super) fn set_the_requests(sweeps: &[Sweep]) -> bool {
    sweeps.iter().flat_map(Sweep::axes).any(|a| a == Axis::Requests)
}

/// Whether any of them sets a length, which needs a workload that has one.
pub(super) fn set_a_length(sweeps: &[Sweep]) -> bool {
    sweeps.iter().flat_map(Sweep::axes).any(|a| matches!(a, Axis::Input | Axis::Output))
}

/// The workloads of all combinations: for each of `base` as many as there are combinations without the load, each with
/// the ladder that belongs to it.
pub(super) fn expand(
    base: Vec<WorkloadChoice>,
    sweeps: &[Sweep],
    origin: Origin,
) -> CliResult<Vec<WorkloadChoice>> {
    if sweeps.is_empty() {
        return Ok(base);
    }
    let axes: Vec<Axis> = sweeps.iter().flat_map(Sweep::axes).collect();
    if let Some((_, twice)) = axes.iter().enumerate().find(|(i, a)| axes[..*i].contains(a)) {
        let word = AXES.iter().find(|(_, axis)| axis == twice).map_or("", |(word, _)| word);
        return Err(CliError::usage(format!("`sweep` names the axis `{word}` twice"))
            .hint("list all its values once: `--sweep input=128,512`"));
    }
    let loads = [Axis::Concurrency, Axis::Rate, Axis::Batch];
    if axes.iter().filter(|a| loads.contains(a)).count() > 1 {
        return Err(CliError::usage(
            "`sweep` has two kinds of load: concurrency, rate and batch exclude each other",
        )
        .hint("make two runs"));
    }
    let combinations = grid(sweeps);
    if combinations.len().saturating_mul(base.len()) > MOST {
        return Err(CliError::usage(format!(
            "`sweep` makes {} combinations",
            combinations.len() * base.len()
        ))
        .because(format!("no more than {MOST} are measured in one run")));
    }
    let mut made: Vec<WorkloadChoice> = Vec::new();
    for workload in &base {
        let first = made.len();
        for combination in &combinations {
            let one = with(workload, combination, origin)?;
            // Combinations that differ in the load alone are one workload with a ladder.
            match made[first..].iter_mut().find(|w| w.label == one.label && w.source == one.source) {
                Some(there) => merge(there, one)?,
                None => made.push(one),
            }
        }
    }
    Ok(made)
}

/// Every choice of one step from each.
fn grid(sweeps: &[Sweep]) -> Vec<Vec<Setting>> {
    let mut all = vec![Vec::new()];
    for sweep in sweeps {
        if all.len() > MOST {
            break;
        }
        let longer = |so_far: &Vec<Setting>| {
            let so_far = so_far.clone();
            sweep.steps.iter().map(move |step| [&so_far[..], step].concat()).collect::<Vec<_>>()
        };
        all = all.iter().flat_map(longer).collect();
    }
    all
}

fn merge(there: &mut WorkloadChoice, one: WorkloadChoice) -> CliResult<()> {
    let mut points = there.ladder.take().unwrap_or_default();
    for point in one.ladder.unwrap_or_default() {
        if points.contains(&point) {
            return Err(CliError::usage(format!("`sweep` comes to {point} twice")));
        }
        points.push(point);
    }
    there.ladder = Some(points);
    Ok(())
}

/// One workload with the values of one combination.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "values were read as `u32`")]
fn with(base: &WorkloadChoice, combination: &[Setting], origin: Origin) -> CliResult<WorkloadChoice> {
    let mut made = base.clone();
    let find = |axis| combination.iter().find(|s| s.axis == axis).map(|s| s.value);
    let load: Option<Vec<LoadPoint>> = if let Some(c) = find(Axis::Concurrency) {
        Some(concurrency_points("sweep", &[c as u32])?)
    } else if let Some(b) = find(Axis::Batch) {
        Some(batch_points("sweep", &[b as u32])?)
    } else if let Some(r) = find(Axis::Rate) {
        Some(rate_points("sweep", &[r])?)
    } else {
        None
    };
    if let Some(load) = load {
        made.origins.note("load", origin);
        made.ladder = Some(load);
    }
    let requests = find(Axis::Requests);
    if let Some(n) = requests {
        made.origins.note("requests", origin);
        made.requests = Some(n as u32);
    }
    let (input, output) = (find(Axis::Input), find(Axis::Output));
    for (option, value) in [("input-tokens", input), ("output-tokens", output)] {
        let Some(value) = value else { continue };
        made.origins.note(format!("options.{option}"), origin);
        made.options.retain(|(name, _)| name != option);
        made.options.push((option.to_owned(), value.to_string()));
    }
    made.options.sort();
    let words = [
        match (input, output) {
            (Some(i), Some(o)) => format!("{i}x{o}"),
            (Some(i), None) => format!("in{i}"),
            (None, Some(o)) => format!("out{o}"),
            (None, None) => String::new(),
        },
        requests.map_or(String::new(), |n| format!("n{n}")),
    ];
    let words: Vec<&str> = words.iter().map(String::as_str).filter(|w| !w.is_empty()).collect();
    if !words.is_empty() {
        let ItemSource::Plugin(plugin) = &base.source else {
            return Err(CliError::usage("`sweep` varies a workload, and the prompts of your own are none")
                .hint("sweep over concurrency, rate or batch, or name a workload with `--workload`"));
        };
        let base_label = base.label.as_deref().unwrap_or_else(|| name_of(plugin));
        made.origins.note("label", origin);
        // One hyphen: pictures take what stands before the last one for the name of the family, and know the words.
        made.label = Some(format!("{base_label}-{}", words.join("_")));
    }
    Ok(made)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plan::Origins;

    fn base(plugin: &str) -> WorkloadChoice {
        WorkloadChoice {
            source: ItemSource::Plugin(plugin.into()),
            label: None,
            options: vec![("items".into(), "8".into()), ("input-tokens".into(), "1".into())],
            data: Vec::new(),
            requests: None,
            ladder: None,
            origins: Origins::default(),
        }
    }

    fn expanded(sweeps: &[&str]) -> CliResult<Vec<WorkloadChoice>> {
        let sweeps = sweeps.iter().map(|s| Sweep::parse(s)).collect::<CliResult<Vec<_>>>()?;
        expand(vec![base("synthetic")], &sweeps, Origin::Flag)
    }

    fn labels(sweeps: &[&str]) -> Vec<String> {
        expanded(sweeps).unwrap().iter().map(|w| w.label.clone().unwrap_or_default()).collect()
    }

    #[test]
    fn axes_that_are_zipped_move_together_and_others_make_a_grid() {
        assert_eq!(labels(&["input=output=32,64"]), ["synthetic-32x32", "synthetic-64x64"]);
        assert_eq!(labels(&["input:output=32:8,64:16"]), ["synthetic-32x8", "synthetic-64x16"]);
        assert_eq!(
            labels(&["input=128,512", "output=64,256"]),
            ["synthetic-128x64", "synthetic-128x256", "synthetic-512x64", "synthetic-512x256"]
        );
        assert_eq!(labels(&["requests=10,50"]), ["synthetic-n10", "synthetic-n50"]);
    }

    #[test]
    fn a_length_replaces_the_option_and_leaves_the_others() {
        let made = expanded(&["input=32"]).unwrap();
        assert_eq!(
            made[0].options,
            [("input-tokens".to_owned(), "32".to_owned()), ("items".to_owned(), "8".to_owned())]
        );
    }

    #[test]
    fn loads_become_a_ladder_and_zipped_loads_one_for_each() {
        let grid = expanded(&["input=32,64", "batch=1,2"]).unwrap();
        assert_eq!(grid.len(), 2);
        assert_eq!(grid[1].ladder, Some(vec![LoadPoint::Batch(1), LoadPoint::Batch(2)]));
        let zipped = expanded(&["input:rate=32:0.5,64:2"]).unwrap();
        assert_eq!(zipped[0].ladder, Some(vec![LoadPoint::Rate(0.5)]));
        assert_eq!(zipped[1].ladder, Some(vec![LoadPoint::Rate(2.0)]));
    }

    #[test]
    fn mistakes_are_told() {
        for (sweeps, says) in [
            (&["lenght=1"][..], "`lenght` is not an axis"),
            (&["input"], "AXIS=LIST"),
            (&["input=0"], "whole number above 0"),
            (&["input=1.5"], "whole number above 0"),
            (&["rate=-1"], "rate above 0"),
            (&["input=1,1"], "1 stands twice"),
            (&["input:output=1"], "1 values for 2 axes"),
            (&["input=input=1"], "an axis twice"),
            (&["input=1", "input=2"], "`input` twice"),
            (&["rate=1", "batch=2"], "two kinds of load"),
            (&["concurrency=20000"], "16384"),
        ] {
            let error = expanded(sweeps).unwrap_err();
            assert!(error.to_string().contains(says), "{sweeps:?}: {error}");
        }
        let many: Vec<String> = (1..=40).map(|n| n.to_string()).collect();
        let (a, b) = (format!("input={}", many.join(",")), format!("output={}", many.join(",")));
        assert!(expanded(&[&a, &b]).unwrap_err().to_string().contains("1600 combinations"));
    }
}
