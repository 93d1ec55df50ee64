//! What a report looks like and where it goes, from the flags of `report` and `run`.

use std::path::PathBuf;

use benchhost_model::SummaryRow;
use benchhost_report::Throughput;

use super::colours;
use crate::args::ThroughputUnit;
use crate::error::CliResult;
use crate::ui::Printer;

/// What a report looks like and where it goes.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// Draw the pictures.
    pub(super) plots: bool,
    pub(super) colours: Vec<(String, [u8; 3])>,
    pub(super) throughput: Throughput,
    /// Of the page; `None`: beside the run.
    pub(super) out: Option<PathBuf>,
}

impl Look {
    /// Usual colours and place.
    pub(crate) fn plain(plots: bool) -> Self {
        Self { plots, ..Self::default() }
    }

    /// As the flags say; an error for a colour that is none.
    pub(crate) fn of(
        plots: bool,
        colours: &[String],
        unit: Option<ThroughputUnit>,
        out: Option<PathBuf>,
    ) -> CliResult<Self> {
        let throughput = match unit {
            None => Throughput::Known,
            Some(ThroughputUnit::Req) => Throughput::Requests,
            Some(ThroughputUnit::Tok) => Throughput::Tokens,
        };
        let colours = colours.iter().map(|text| colours::wish(text)).collect::<CliResult<_>>()?;
        Ok(Self { plots, colours, throughput, out })
    }

    /// Warns of a colour for an engine that is not among `rows`.
    pub(super) fn warn_unknown(&self, rows: &[SummaryRow], printer: &Printer) {
        let configurations = || rows.iter().map(|r| (r.engine.as_str(), r.variant.as_str()));
        for (name, _) in &self.colours {
            let known = configurations().any(|(engine, variant)| {
                name == engine || name.split_once('/').is_some_and(|pair| pair == (engine, variant))
            });
            if !known {
                let mut engines: Vec<&str> = configurations().map(|(engine, _)| engine).collect();
                engines.sort_unstable();
                engines.dedup();
                printer.warning(&format!(
                    "`--color {name}=…` changes nothing: no such engine here; there is {}",
                    engines.join(", ")
                ));
            }
        }
    }
}
