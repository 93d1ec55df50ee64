//! Writes a comparison into a directory: the page, the JSON, the pictures. Decides nothing.

use std::path::Path;

use benchhost_report::{ComparisonTable, Picture, comparison_page, difference_pictures, render_png};

use super::Outcome;
use crate::error::{CliError, CliResult};
use crate::store::{Layout, write_atomic};
use crate::ui::Printer;

/// `compare.html`, `comparison.json` and `plots/` below `directory`. Refuses the directory of a run: its own pictures
/// stand there.
pub(crate) fn save(outcome: &Outcome, json: &str, directory: &Path, printer: &Printer) -> CliResult<()> {
    if Layout::new(directory).manifest().exists() {
        return Err(CliError::usage(format!("`{}` is the directory of a run", directory.display()))
            .hint("give `--out` a directory of the comparison's own"));
    }
    let drawn: Vec<Vec<Picture>> = outcome
        .tables
        .iter()
        .enumerate()
        .map(|(at, table)| numbered(difference_pictures(table), at, outcome.tables.len()))
        .collect();
    let pairs: Vec<(&ComparisonTable, &[Picture])> =
        outcome.tables.iter().zip(drawn.iter().map(Vec::as_slice)).collect();
    let page = directory.join("compare.html");
    write_atomic(&directory.join("comparison.json"), json.as_bytes())?;
    write_atomic(&page, comparison_page(&pairs).as_bytes())?;
    let plots = directory.join("plots");
    for picture in drawn.iter().flatten() {
        let png = render_png(&picture.svg, 2.0)
            .map_err(|e| CliError::internal("cannot draw the pictures").caused_by(&e))?;
        write_atomic(&plots.join(format!("{}.svg", picture.name)), picture.svg.as_str().as_bytes())?;
        write_atomic(&plots.join(format!("{}.png", picture.name)), &png)?;
        printer.detail(&format!("drew {}", plots.join(&picture.name).display()));
    }
    printer.status(&format!("comparison: {}", page.display()));
    Ok(())
}

/// Names of their own where several comparisons share the folder.
fn numbered(pictures: Vec<Picture>, at: usize, of: usize) -> Vec<Picture> {
    let named = |picture: Picture| match of {
        1 => picture,
        _ => Picture { name: format!("{}-{}", at + 1, picture.name), ..picture },
    };
    pictures.into_iter().map(named).collect()
}
