//! Two sides in, a decision out: checks that they may be compared, judges every figure, and says it in a sentence. Knows
//! the other rooms of this crate; no files, nothing printed.

use std::collections::BTreeMap;

use benchhost_model::LoadPoint;

use crate::comparable::{Allowed, Aspect, Differing, Fact, check, differing, facts_of_rows};
use crate::config::Config;
use crate::detail::{Detail, detail};
use crate::gate::gate;
use crate::gather::Sheet;
use crate::health::health;
use crate::judge::{Rules, judge};
use crate::margins::Margins;
use crate::metric::metrics;
use crate::pair::{Matching, Pair, pairs};
use crate::refusal::Refusal;
use crate::row::{Row, Scale, Word};
use crate::work::work;

/// One side of a comparison.
#[derive(Debug, Clone)]
pub struct Side<'a> {
    /// What was read.
    pub sheet: &'a Sheet,
    /// What of it is meant.
    pub config: Config,
    /// What the files beside the rows tell; empty: there are none.
    pub facts: &'a [Fact],
}

/// How to compare.
#[derive(Debug, Clone, Default)]
#[expect(clippy::struct_excessive_bools, reason = "each is a wish of its own, in any combination")]
pub struct Settings {
    /// Smallest changes that matter, where not the usual ones.
    pub margins: Margins,
    /// What is meant to differ.
    pub allowed: Allowed,
    /// Figures that gate, instead of the usual ones; empty: the usual ones.
    pub gates: Vec<String>,
    /// Of each score: higher is better. A score that is not in it counts as such.
    pub directions: BTreeMap<String, bool>,
    /// Groups are paired by load alone, since workloads are what is compared.
    pub across_workloads: bool,
    /// Runs of the same id and repeat were made one after the other, in turn.
    pub interleaved: bool,
    /// A side came from another tool, which gives its items no names.
    pub foreign: bool,
    /// Worse and better are said only where the whole interval lies beyond the margin.
    pub strict_margin: bool,
    /// Look at whole distributions and at single prompts, too; takes longer than the rest.
    pub details: bool,
}

/// The rows of one workload and load.
#[derive(Debug, Clone, PartialEq)]
pub struct Compared {
    /// Workload and load.
    pub heading: String,
    /// Workload; may be empty.
    pub workload: String,
    /// Load.
    pub load: LoadPoint,
    /// Where the distributions differ, and which prompts; `None`: it was not asked for.
    pub detail: Option<Detail>,
    /// Gating figures first.
    pub rows: Vec<Row>,
}

/// A decision.
#[derive(Debug, Clone, PartialEq)]
pub struct Decision {
    /// The result in plain words.
    pub sentence: String,
    /// Where the sides did not do the same work; to be said above everything.
    pub work: Vec<String>,
    /// In the order to print.
    pub groups: Vec<Compared>,
    /// What differs by the rows and by the files beside them.
    pub differences: Vec<Differing>,
    /// What could not be checked, and why.
    pub unchecked: Vec<String>,
    /// What is to be known of the measurements.
    pub health: Vec<String>,
    /// Method and what was left out.
    pub notes: Vec<String>,
    /// Runs behind every group, the fewest: base, new.
    pub runs: (usize, usize),
    /// Either side was answered by the built-in simulator: base, new.
    pub simulated: (bool, bool),
    /// A run of either side is INVALID.
    pub invalid: bool,
}

impl Decision {
    /// A gating figure regressed.
    pub fn regressed(&self) -> bool {
        self.gating().any(|row| row.word == Word::Regressed)
    }

    /// A gating figure stayed open, or there is none.
    pub fn open(&self) -> bool {
        self.gating().next().is_none() || self.gating().any(|row| !row.word.decided())
    }

    fn gating(&self) -> impl Iterator<Item = &Row> {
        self.groups.iter().flat_map(|g| &g.rows).filter(|row| row.gates)
    }
}

/// Compares.
pub fn compare(base: &Side<'_>, new: &Side<'_>, settings: &Settings) -> Result<Decision, Refusal> {
    let known = known_figures(&[base, new]);
    let gates = settings.gates.iter().map(String::as_str).filter(|gate| !known.iter().any(|k| k == gate));
    if let Some(name) = settings.margins.unknown(&known).into_iter().chain(gates).next() {
        return Err(Refusal::mistake(format!("there is no figure `{name}` to compare"))
            .hint(format!("the figures are {}", known.join(", "))));
    }
    let differences = differences(base, new);
    // First, since items of another workload are other items.
    check(&differences, &settings.allowed)?;
    let matching = Matching {
        across_workloads: settings.across_workloads,
        interleaved: settings.interleaved,
        items_known: !settings.foreign,
    };
    let found = pairs((base.sheet, &base.config), (new.sheet, &new.config), matching, &settings.allowed)?;
    let mut notes = found.notes;
    for pair in &found.list {
        pair.check_asked(&settings.allowed, &mut notes)?;
    }
    let rules = Rules {
        margins: &settings.margins,
        directions: &settings.directions,
        strict: settings.strict_margin,
    };
    let group = |pair: &Pair<'_>| {
        let rows = gate(judge(pair, &rules), pair.base.load, &settings.gates);
        let detail = settings.details.then(|| detail(pair, &rows, base.sheet, settings.foreign));
        let (workload, load) = (pair.base.workload.clone(), pair.base.load);
        Compared { heading: pair.base.heading(), workload, load, detail, rows }
    };
    let groups = found.list.iter().map(group).collect();
    let work = work(&found.list, &rules);
    let mut health = health(&found.list);
    health.flags.splice(0..0, work.open);
    let runs = fewest_runs(&found.list);
    notes.extend(method(&found.list, runs, settings.strict_margin));
    let simulated = |of: fn(&Pair<'_>) -> bool| found.list.iter().any(of);
    let mut decision = Decision {
        sentence: String::new(),
        work: work.different,
        groups,
        differences,
        unchecked: unchecked(base, new, settings),
        health: health.flags,
        notes,
        runs,
        simulated: (simulated(|p| p.base.simulated), simulated(|p| p.new.simulated)),
        invalid: health.invalid,
    };
    decision.sentence = sentence(&decision);
    Ok(decision)
}

fn known_figures(sides: &[&Side<'_>]) -> Vec<String> {
    let groups = || sides.iter().flat_map(|s| s.sheet.groups.iter().filter(|g| g.config == s.config));
    let mut known: Vec<String> = Vec::new();
    let scores =
        groups().flat_map(|g| g.runs.iter().flat_map(|r| r.scores.keys().map(|k| format!("score_{k}"))));
    for name in groups().flat_map(|g| metrics(g.load).into_iter().map(|m| m.name)).chain(scores) {
        if !known.contains(&name) {
            known.push(name);
        }
    }
    known
}

fn differences(base: &Side<'_>, new: &Side<'_>) -> Vec<Differing> {
    let of_rows = |side: &Side<'_>| {
        let config = &side.config;
        facts_of_rows(side.sheet.groups.iter().filter(|g| g.config == *config))
    };
    let mut all = differing(&of_rows(base), &of_rows(new));
    all.extend(differing(base.facts, new.facts));
    all
}

fn unchecked(base: &Side<'_>, new: &Side<'_>, settings: &Settings) -> Vec<String> {
    let mut lines: Vec<String> = [("base", base), ("new", new)]
        .into_iter()
        .filter(|(_, side)| side.facts.is_empty())
        .map(|(name, _)| {
            format!(
                "{name}: rows alone, no manifest beside them: data set, sampling, route, objectives, versions and hardware are not checked"
            )
        })
        .collect();
    if settings.foreign {
        lines.push(
            "a side is another tool's result: that both were sent the same items is not checked".into(),
        );
    }
    lines
}

fn fewest_runs(pairs: &[Pair<'_>]) -> (usize, usize) {
    let fewest = |of: fn(&Pair<'_>) -> usize| pairs.iter().map(of).min().unwrap_or(0);
    (fewest(|p| p.base.runs.len()), fewest(|p| p.new.runs.len()))
}

fn method(pairs: &[Pair<'_>], runs: (usize, usize), strict: bool) -> Vec<String> {
    let mut notes = vec![
        "90 % intervals between runs (two one-sided 5 % tests); p by permutation of runs; Holm over the gating figures of each load, q (Benjamini-Hochberg) over the others"
            .to_owned(),
    ];
    if strict {
        notes.push(
            "strict margins: worse or better only where the whole interval lies beyond the margin".into(),
        );
    }
    if pairs.iter().any(|p| p.blocks) {
        notes.push("runs were interleaved: from six repeats on they are compared in pairs".into());
    }
    match runs.0.min(runs.1) {
        1 => notes.push(
            "one run a side: what differs between runs is unknown, so at most an indication; use `--repeats 5`".into(),
        ),
        2 | 3 => notes.push("fewer than four runs a side: at most an indication; use `--repeats 5`".into()),
        _ => {}
    }
    notes
}

/// `+3.9 %` or `+1.2 pt`.
fn amount(row: &Row) -> String {
    let Some(change) = row.change else { return String::new() };
    match row.scale {
        Scale::Relative => format!("{:+.1} %", change.estimate * 100.0),
        Scale::Points => format!("{:+.2} pt", change.estimate),
        Scale::Own => format!("{:+.3}", change.estimate),
    }
}

fn sentence(decision: &Decision) -> String {
    let several = decision.groups.len() > 1;
    let named = |wanted: &dyn Fn(&Word) -> bool| -> Vec<String> {
        let rows = decision.groups.iter().flat_map(|g| g.rows.iter().map(move |r| (g, r)));
        rows.filter(|(_, r)| r.gates && wanted(&r.word))
            .map(|(g, r)| {
                let place = if several { format!(" at {}", g.heading) } else { String::new() };
                format!("{} {}{place}", r.metric, amount(r))
            })
            .collect()
    };
    let list = |all: Vec<String>| {
        let more = if all.len() > 3 { format!(" and {} more", all.len() - 3) } else { String::new() };
        format!("{}{more}", all[..all.len().min(3)].join(", "))
    };
    let total = decision.gating().count();
    let regressed = named(&|w| *w == Word::Regressed);
    let improved = named(&|w| *w == Word::Improved);
    let open = decision.gating().filter(|r| !r.word.decided()).count();
    let head = if decision.work.is_empty() { "" } else { "The sides did different work. " };
    let text = if total == 0 {
        "Nothing was decided: no gating figure could be compared.".to_owned()
    } else if !regressed.is_empty() {
        let gains = if improved.is_empty() {
            String::new()
        } else {
            format!(" It is better in {}: {}.", improved.len(), list(improved))
        };
        format!(
            "Regression: the new side is worse in {} of {total} gating figures: {}.{gains}",
            regressed.len(),
            list(regressed)
        )
    } else if decision.gating().all(|r| is_indicative(&r.word)) {
        let worse = named(&|w| *w == Word::IndicativeWorse);
        let better = named(&|w| *w == Word::IndicativeBetter);
        match (worse.is_empty(), better.is_empty()) {
            (false, _) => format!("Too few runs for a verdict; the new side looks worse: {}.", list(worse)),
            (true, false) => {
                format!("Too few runs for a verdict; the new side looks better: {}.", list(better))
            }
            (true, true) => {
                "Too few runs for a verdict; no gating figure shows a change that matters.".to_owned()
            }
        }
    } else if open > 0 {
        let also =
            if improved.is_empty() { String::new() } else { format!(" Improved: {}.", list(improved)) };
        format!("Not decided: {open} of {total} gating figures stay open, none is shown to be worse.{also}")
    } else if !improved.is_empty() {
        format!("Improved, nothing worse: {}.", list(improved))
    } else {
        let drift = decision.gating().filter(|r| r.word == Word::Drift).count();
        if drift == 0 {
            format!("No change that matters: all {total} gating figures are equivalent within their margins.")
        } else {
            format!("No regression: {drift} of {total} gating figures moved, by less than their margins.")
        }
    };
    format!("{head}{text}")
}

const fn is_indicative(word: &Word) -> bool {
    matches!(
        word,
        Word::IndicativeWorse
            | Word::IndicativeBetter
            | Word::IndicativeSame
            | Word::IndicativeOpen
            | Word::Missing(_)
            | Word::NotJudged(_)
            | Word::BelowResolution
    )
}

/// The rule of `--by workload` and the like: what is compared is allowed to differ.
pub fn allow_for_workloads(allowed: &mut Allowed) {
    for aspect in [Aspect::Workload, Aspect::Data, Aspect::Items, Aspect::Lengths] {
        allowed.allow(aspect);
    }
}
