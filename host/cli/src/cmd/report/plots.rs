//! The pictures in `plots`: what they are drawn from, what stands around them, and their files.

use std::collections::BTreeSet;
use std::path::Path;

use benchhost_model::SummaryRow;
use benchhost_report::{Caption, Gallery, Material, Timeline, gallery, render_png};

use super::detail::Details;
use super::html::goals;
use super::{Look, Read};
use crate::error::{CliError, CliResult};
use crate::store::{Manifest, write_atomic};
use crate::ui::Printer;

/// Every figure of `runs`, whose rows are `rows`. What servers held is drawn of a single run only.
pub(super) fn figures(runs: &[Read], rows: &[SummaryRow], details: &Details, look: &Look) -> Gallery {
    let timeline = match runs {
        [one] => Timeline { run: format!("run {}", one.manifest.run_id), ..one.timeline.clone() },
        _ => Timeline::default(),
    };
    let tools: BTreeSet<&str> = runs.iter().map(|r| r.manifest.tool.as_str()).collect();
    let caption = Caption {
        model: models(runs),
        machine: machines(runs),
        colours: look.colours.clone(),
        tool: tools.into_iter().collect::<Vec<_>>().join(" and "),
        objectives: goals(runs),
        throughput: look.throughput,
        ..Caption::default()
    };
    let material = Material {
        rows,
        latencies: &details.latencies,
        lanes: &details.lanes,
        scored: &details.scored,
        timeline: &timeline,
    };
    gallery(&material, &caption)
}

/// Writes each figure as SVG and PNG, and says with `-v` what was drawn and what was not.
pub(super) fn save(folder: &Path, made: &Gallery, printer: &Printer) -> CliResult<()> {
    for picture in &made.pictures {
        let png = render_png(&picture.svg, 2.0)
            .map_err(|e| CliError::internal("cannot draw the pictures").caused_by(&e))?;
        write_atomic(&folder.join(format!("{}.svg", picture.name)), picture.svg.as_str().as_bytes())?;
        write_atomic(&folder.join(format!("{}.png", picture.name)), &png)?;
        printer.detail(&format!("drew {}", folder.join(&picture.name).display()));
    }
    for reason in &made.left_out {
        printer.detail(&format!("not drawn: {reason}"));
    }
    Ok(())
}

/// The models of one run; of several the rows of each figure tell theirs.
fn models(runs: &[Read]) -> String {
    if runs.len() > 1 {
        return String::new();
    }
    let engines = runs.iter().flat_map(|r| &r.manifest.engines);
    let models: BTreeSet<&str> = engines.map(|e| e.model.as_str()).filter(|m| !m.is_empty()).collect();
    models.into_iter().collect::<Vec<_>>().join(", ")
}

fn machines(runs: &[Read]) -> String {
    let machines: BTreeSet<String> = runs.iter().map(|r| machine(&r.manifest)).collect();
    machines.into_iter().filter(|m| !m.is_empty()).collect::<Vec<_>>().join(", ")
}

/// The GPUs of a run, or its processor.
pub(super) fn machine(manifest: &Manifest) -> String {
    match &manifest.gpus[..] {
        [] => manifest.host.get("cpu_model").and_then(|v| v.as_str()).unwrap_or("").to_owned(),
        [one] => one.clone(),
        [first, ..] => format!("{} × {first}", manifest.gpus.len()),
    }
}
