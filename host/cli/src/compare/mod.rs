//! `compare`: reads results, hands them to `benchhost-compare`, and puts the decision into the form that is printed.
//! Decides nothing itself.

mod facts;
mod foreign;
mod out;
mod same;
mod series;
mod source;
mod table;

use std::collections::BTreeMap;
use std::path::PathBuf;

use benchhost_compare::{
    Allowed, Aspect, Config, MarginWish, Margins, Refusal, Selection, Settings, Side, allow_for_workloads,
    compare, pick, ranking,
};
use benchhost_report::{ComparisonTable, RankTable};

use crate::args::{By, CompareArgs, ComparisonFormat};
use crate::error::{CliError, CliResult};

use source::{Needs, Source};

pub(crate) use out::save;

pub(crate) use series::history;

/// What came of a comparison: one against the base, or several and their order.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    /// In the order given.
    pub(crate) tables: Vec<ComparisonTable>,
    /// The order of more than two results.
    pub(crate) rankings: Vec<RankTable>,
    /// A gating figure regressed, in any of them.
    pub(crate) regressed: bool,
    /// A gating figure stayed open.
    pub(crate) open: bool,
    /// A run is INVALID.
    pub(crate) invalid: bool,
}

/// Reads, matches and compares.
pub(crate) fn compared(args: &CompareArgs) -> CliResult<Outcome> {
    let mut settings = settings(args)?;
    let sources = sources(args, &mut settings)?;
    let [base, others @ ..] = &sources[..] else {
        return Err(CliError::usage("nothing to compare").hint("give two results, or one and `--by engine`"));
    };
    if others.is_empty() {
        return Err(CliError::usage("there is nothing to compare the base with")
            .hint("give two results, or one and `--by engine`"));
    }
    for source in &sources {
        same::check(source, &settings.allowed)?;
    }
    let chosen = choose(args, base, others)?;
    if args.select_base.is_some() || args.select_new.is_some() {
        settings.allowed.allow(Aspect::Engine);
    }
    let facts: Vec<_> =
        sources.iter().zip(&chosen).map(|(source, config)| facts::of(source.path(), config)).collect();
    let sides: Vec<Side<'_>> = sources
        .iter()
        .zip(&chosen)
        .zip(&facts)
        .map(|((source, config), facts)| Side { sheet: &source.sheet, config: config.clone(), facts })
        .collect();
    let labels = labels(&sources, &chosen, args.by);
    let mut out =
        Outcome { tables: Vec::new(), rankings: Vec::new(), regressed: false, open: false, invalid: false };
    for (at, side) in sides.iter().enumerate().skip(1) {
        if base.is_aggregate() || sources[at].is_aggregate() {
            let table = foreign::not_judged((base, &labels[0]), (&sources[at], &labels[at]))?;
            out.open = true;
            out.tables.push(table);
            continue;
        }
        let own = Settings {
            directions: facts::directions(base.paths.iter().chain(&sources[at].paths)),
            interleaved: base.paths.iter().all(|path| facts::interleaved(path))
                && base.paths == sources[at].paths,
            foreign: base.foreign.is_some() || sources[at].foreign.is_some(),
            ..settings.clone()
        };
        let mut decision = compare(&sides[0], side, &own).map_err(refused)?;
        for source in [base, &sources[at]] {
            decision.notes.extend(source.notes.iter().cloned());
        }
        decision.notes.dedup();
        out.regressed |= decision.regressed();
        out.open |= decision.open();
        out.invalid |= decision.invalid;
        out.tables.push(table::table(&decision, &labels[0], &labels[at]));
    }
    if sides.len() > 2 {
        out.rankings = table::rankings(&ranking(&sides), &labels);
    }
    Ok(out)
}

pub(super) fn refused(refusal: Refusal) -> CliError {
    let error = if refusal.mistake {
        CliError::usage(refusal.message)
    } else {
        CliError::not_comparable(refusal.message)
    };
    let error = refusal.causes.into_iter().fold(error, CliError::because);
    refusal.hints.into_iter().fold(error, CliError::hint)
}

fn settings(args: &CompareArgs) -> CliResult<Settings> {
    let margins: Vec<MarginWish> = args
        .margin
        .iter()
        .map(|text| text.parse().map_err(|e| CliError::usage("cannot read `--margin`").because(e)))
        .collect::<CliResult<_>>()?;
    let aspects: Vec<Aspect> = args
        .allow
        .iter()
        .map(|text| text.parse().map_err(|e| CliError::usage("cannot read `--allow`").because(e)))
        .collect::<CliResult<_>>()?;
    let mut allowed = Allowed::new(aspects);
    if args.across_models {
        allowed.allow(Aspect::Model);
    }
    Ok(Settings {
        margins: Margins::new(margins),
        allowed,
        gates: args.gate.clone(),
        strict_margin: args.strict_margin,
        details: details(args),
        ..Settings::default()
    })
}

/// Whether anything will show whole distributions and prompts.
fn details(args: &CompareArgs) -> bool {
    args.details || args.out.is_some() || args.format != ComparisonFormat::Table
}

/// The results in the order given, or the parts of one.
fn sources(args: &CompareArgs, settings: &mut Settings) -> CliResult<Vec<Source>> {
    let without: Vec<&PathBuf> = args.inputs.iter().filter(|path| !source::has_events(path)).collect();
    // Rates depend a little on whether the tokens of events are known, so either all sides have them or none.
    let needs = Needs { events: without.is_empty(), names: details(args) };
    let said = without.first().map(|path| {
        format!("`{}` kept no output events: gaps between them (itl, icl) are not compared", path.display())
    });
    let Some(by) = args.by else {
        let mut sources = read_all(&args.inputs, needs)?;
        if let Some(first) = sources.first_mut() {
            first.notes.extend(said);
        }
        if sources.iter().any(|s| s.foreign.is_some()) {
            // Their names for engines are not ours, and their workloads have none.
            settings.allowed.allow(Aspect::Engine);
            settings.across_workloads = true;
            foreign::adopt_loads(&mut sources);
        }
        return Ok(sources);
    };
    let [path] = &args.inputs[..] else {
        return Err(CliError::usage("`--by` compares inside one file").hint("give one result"));
    };
    match by {
        By::Engine => settings.allowed.allow(Aspect::Engine),
        By::Variant => {}
        By::Model => settings.allowed.allow(Aspect::Model),
        By::Workload => {
            settings.across_workloads = true;
            allow_for_workloads(&mut settings.allowed);
        }
    }
    let mut parts = source::split(source::read(path, needs)?, by);
    if let Some(first) = parts.first_mut() {
        first.notes.extend(said);
    }
    if let Some(wish) = args.select_base.as_deref().map(Selection::parse) {
        let at = parts.iter().position(|part| part.sheet.configs().iter().any(|c| wish.takes(c)));
        parts[..=at.unwrap_or(0)].rotate_right(1);
    }
    if parts.len() < 2 {
        return Err(CliError::not_comparable("the result has only one of what `--by` names"));
    }
    Ok(parts)
}

/// Reads two at a time: rows of a million requests take seconds to parse.
fn read_all(paths: &[PathBuf], needs: Needs) -> CliResult<Vec<Source>> {
    let mut sources = Vec::with_capacity(paths.len());
    for two in paths.chunks(2) {
        let read: Vec<CliResult<Source>> = std::thread::scope(|scope| {
            let threads: Vec<_> =
                two.iter().map(|path| scope.spawn(move || source::read(path, needs))).collect();
            let stopped = || Err(CliError::internal("a thread that read a result stopped"));
            threads.into_iter().map(|thread| thread.join().unwrap_or_else(|_| stopped())).collect()
        });
        for source in read {
            sources.push(source?);
        }
    }
    Ok(sources)
}

/// The configuration of each source.
fn choose(args: &CompareArgs, base: &Source, others: &[Source]) -> CliResult<Vec<Config>> {
    let wish = |text: &Option<String>| text.as_deref().map(Selection::parse);
    let first = &others[0].sheet.configs();
    let nothing = || Config { engine: String::new(), variant: String::new(), model: String::new() };
    let one = |side: &str, wish: Option<Selection>, source: &Source, other: &[&Config]| {
        if source.is_aggregate() {
            return Ok(nothing());
        }
        pick(side, wish.as_ref(), &source.sheet.configs(), other).map_err(refused)
    };
    let mut chosen = vec![one("base", wish(&args.select_base).filter(|_| args.by.is_none()), base, first)?];
    for other in others {
        chosen.push(one("new", wish(&args.select_new), other, &base.sheet.configs())?);
    }
    Ok(chosen)
}

/// What people call the sides: the configuration where that tells them apart, else with the file's name.
fn labels(sources: &[Source], chosen: &[Config], by: Option<By>) -> Vec<String> {
    let mut seen: BTreeMap<String, usize> = BTreeMap::new();
    let titles: Vec<String> = sources
        .iter()
        .zip(chosen)
        .map(|(source, config)| match (by, &source.foreign) {
            (Some(By::Workload), _) => source.part.clone(),
            (Some(By::Model), _) => config.model.clone(),
            (_, Some(foreign)) => format!("{} ({})", config.title(), foreign.tool),
            _ => config.title(),
        })
        .collect();
    for title in &titles {
        *seen.entry(title.clone()).or_default() += 1;
    }
    let named = |(title, source): (&String, &Source)| {
        if seen.get(title).is_some_and(|n| *n > 1) || sources.len() > 2 && by.is_none() {
            format!("{title} · {}", source.name())
        } else {
            title.clone()
        }
    };
    titles.iter().zip(sources).map(named).collect()
}
