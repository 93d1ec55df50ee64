//! `compare`: matches the rows of two results, refuses what cannot be set side by side, and asks `stats` for each
//! metric. Decides nothing about how the answer looks.

mod metrics;
mod sides;

use benchhost_model::{Phase, Target};
use benchhost_report::{ComparedGroup, ComparisonTable, Side, Word};

use crate::args::CompareArgs;
use crate::error::{CliError, CliResult};
use crate::store::{RowFile, read_conditions, read_requests};
use crate::ui::plural;

use sides::{Group, Pick, Runs, Selection};

/// Reads, matches and compares.
pub(crate) fn compare(args: &CompareArgs) -> CliResult<ComparisonTable> {
    if !(args.margin.is_finite() && args.margin > 0.0 && args.margin < 1.0) {
        return Err(CliError::usage("`--margin` must be between 0 and 1, for instance 0.05"));
    }
    let (base_file, new_file) = (measured(&args.base)?, measured(&args.new)?);
    let (base_pick, new_pick) = sides::pick(
        &base_file.records,
        &new_file.records,
        Selection::parse(args.select_base.as_deref()),
        Selection::parse(args.select_new.as_deref()),
    )?;
    let matched =
        sides::matched(&base_file.records, &base_pick, &new_file.records, &new_pick, args.across_models)?;
    let mut notes = matched.notes;
    for file in [&base_file, &new_file] {
        if file.torn > 0 {
            notes.push(format!(
                "{}: {} at the end was torn and left out",
                file.path.display(),
                plural(file.torn, "row")
            ));
        }
    }
    notes.extend(other_conditions((&base_file, &base_pick), (&new_file, &new_pick)));
    let mut groups = Vec::new();
    for group in &matched.groups {
        groups.push(ComparedGroup {
            heading: group.heading(),
            rows: metrics::rows(group, args.margin, &mut notes)?,
        });
    }
    let base = side(&base_pick.title(), &matched.groups, |g| &g.base);
    let new = side(&new_pick.title(), &matched.groups, |g| &g.new);
    if base.runs == 1 || new.runs == 1 {
        notes.push("one run a side: what differs between runs is unknown, so at most an indication; use `--repeats 5`".into());
    }
    notes.dedup();
    let conclusion = conclusion(&groups);
    Ok(ComparisonTable { base, new, groups, notes, conclusion })
}

fn measured(path: &std::path::Path) -> CliResult<RowFile> {
    let mut file = read_requests(path)?;
    file.records.retain(|r| r.phase == Phase::Measured);
    if file.records.is_empty() {
        return Err(CliError::not_comparable(format!(
            "`{}` holds no measured requests",
            file.path.display()
        )));
    }
    Ok(file)
}

/// What else was different by the runs' own files, `manifest.json` and `plan.toml`; nothing where a side is a lone CSV.
fn other_conditions(base: (&RowFile, &Pick), new: (&RowFile, &Pick)) -> Vec<String> {
    let conditions =
        |(file, pick): (&RowFile, &Pick)| read_conditions(&file.path, pick.engine(), pick.variant());
    let (Some(base), Some(new)) = (conditions(base), conditions(new)) else { return Vec::new() };
    base.differences(&new)
        .into_iter()
        .map(|(name, base, new)| format!("{name} differs: base `{base}`, new `{new}`"))
        .collect()
}

fn side(title: &str, groups: &[Group<'_>], of: impl for<'a> Fn(&'a Group<'a>) -> &'a Runs<'a>) -> Side {
    let simulated = groups.iter().any(|g| of(g).all.iter().flatten().any(|r| r.target == Target::Simulated));
    let runs = groups.iter().map(|g| of(g).all.len()).min().unwrap_or(0);
    Side { label: title.to_owned(), simulated, runs: u32::try_from(runs).unwrap_or(u32::MAX) }
}

fn conclusion(groups: &[ComparedGroup]) -> String {
    let count = |word: Word| groups.iter().flat_map(|g| &g.rows).filter(|r| r.verdict == word).count() as u64;
    let parts: Vec<String> = [
        (Word::Worse, "worse"),
        (Word::Better, "better"),
        (Word::Same, "the same"),
        (Word::IndicativeWorse, "perhaps worse"),
        (Word::IndicativeBetter, "perhaps better"),
        (Word::Unclear, "unclear"),
    ]
    .into_iter()
    .map(|(word, text)| (count(word), text))
    .filter(|(n, _)| *n > 0)
    .map(|(n, text)| format!("{} {text}", plural(n, "figure")))
    .collect();
    if parts.is_empty() { "nothing could be compared".into() } else { parts.join(", ") }
}
