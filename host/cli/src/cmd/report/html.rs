//! Brings together what the page needs and writes it.

use std::path::Path;

use benchhost_analysis::findings;
use benchhost_model::SummaryRow;
use benchhost_report::{Page, Picture, RunNote, page};

use super::detail::Details;
use super::plots::machine;
use super::{Look, Read};
use crate::error::CliResult;
use crate::store::write_atomic;
use crate::summary::objectives;
use crate::ui::Printer;

/// Writes the page of `runs`, whose rows are `rows`, to `file`.
pub(super) fn write(
    file: &Path,
    runs: &[Read],
    rows: &[SummaryRow],
    details: &Details,
    (drawn, look): (&[Picture], &Look),
    printer: &Printer,
) -> CliResult<()> {
    let html = page(&Page {
        rows,
        runs: runs.iter().map(note).collect(),
        findings: findings(rows),
        latencies: details.latencies.clone(),
        lanes: details.lanes.clone(),
        timelines: runs.iter().map(|r| (r.manifest.run_id.clone(), r.timeline.clone())).collect(),
        objectives: goals(runs),
        colours: &look.colours,
        pictures: drawn,
    });
    write_atomic(file, html.as_bytes())?;
    printer.detail(&format!("wrote {}", file.display()));
    Ok(())
}

/// The objectives of all runs: name of the latency and its bound in ms.
pub(super) fn goals(runs: &[Read]) -> Vec<(String, f64)> {
    let mut goals: Vec<(String, f64)> = Vec::new();
    for objective in runs.iter().flat_map(|r| objectives(&r.layout)) {
        let text = objective.to_string();
        let goal = (text.split('=').next().unwrap_or_default().to_owned(), objective.at_most.as_ms());
        if !goals.contains(&goal) {
            goals.push(goal);
        }
    }
    goals
}

fn note(read: &Read) -> RunNote {
    let manifest = &read.manifest;
    RunNote {
        run_id: manifest.run_id.clone(),
        started: started(&manifest.run_id),
        tool: manifest.tool.clone(),
        machine: machine(manifest),
        warnings: read.warnings.clone(),
        // A manifest was read from JSON, so it can be written as JSON.
        manifest: serde_json::to_value(manifest).unwrap_or_default(),
    }
}

/// `2026-11-22 05:27 UTC` of the id `20261122-052736-34e8`; empty for an id of another form.
fn started(run_id: &str) -> String {
    let digits =
        |from: usize, to: usize| run_id.get(from..to).filter(|d| d.bytes().all(|b| b.is_ascii_digit()));
    let parts = [digits(0, 4), digits(4, 6), digits(6, 8), digits(9, 11), digits(11, 13)];
    match parts {
        [Some(year), Some(month), Some(day), Some(hour), Some(minute)] => {
            format!("{year}-{month}-{day} {hour}:{minute} UTC")
        }
        _ => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::started;

    #[test]
    fn an_id_tells_when_its_run_started() {
        assert_eq!(started("20261122-052736-34e8"), "2026-11-22 05:27 UTC");
        for other in ["", "run", "2026112é-052736"] {
            assert_eq!(started(other), "");
        }
    }
}
