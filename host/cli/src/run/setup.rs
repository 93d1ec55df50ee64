//! Everything that can be known to fail before the first request: options, components, servers, items. All engines are
//! made ready before any is measured, so that the last one's wrong address does not cost the first one's results.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use benchhost_quality::TokenizerFile;

use super::components::{Components, check_known};
use super::conversation::Conversation;
use super::engines::ReadyEngine;
use super::interrupt::Interrupt;
use super::point;
use super::workloads::{ReadyWorkload, TokenSources};
use crate::error::{CliError, CliResult};
use crate::plan::{ItemSource, Plan, WorkloadChoice};
use crate::ui::Printer;

/// An engine and what it will be sent.
pub(crate) struct Prepared<'a> {
    pub(crate) engine: ReadyEngine,
    pub(crate) workloads: Vec<(&'a WorkloadChoice, ReadyWorkload)>,
}

/// What preparing needs.
pub(crate) struct Setup<'a> {
    pub(crate) plan: &'a Plan,
    pub(crate) run_id: &'a str,
    pub(crate) components: &'a Components,
    pub(crate) tokenizer: Option<&'a TokenizerFile>,
    pub(crate) interrupt: &'a Interrupt,
    pub(crate) printer: &'a Printer,
    /// What could not be done as asked, each once.
    pub(crate) notes: &'a Mutex<BTreeSet<String>>,
}

impl<'a> Setup<'a> {
    /// Loads, probes and opens everything the plan names.
    pub(crate) fn prepare_all(&self) -> CliResult<Vec<Prepared<'a>>> {
        self.check_options()?;
        let mut all: Vec<Prepared<'a>> = Vec::new();
        for choice in &self.plan.engines {
            let engine =
                ReadyEngine::prepare(choice, self.plan, self.components, self.interrupt, self.printer)?;
            if all.iter().any(|p| p.engine.name == engine.name && p.engine.variant == engine.variant) {
                return Err(CliError::usage(format!("two engines call themselves `{}`", engine.title()))
                    .hint("tell them apart with `--label`, once per engine in order"));
            }
            let tokens = TokenSources { file: self.tokenizer, prober: &engine.prober };
            let mut workloads: Vec<(&WorkloadChoice, ReadyWorkload)> = Vec::new();
            for choice in &self.plan.workloads {
                self.still_wanted()?;
                let ready =
                    ReadyWorkload::prepare(choice, self.plan, self.components, &tokens, self.printer)?;
                if workloads.iter().any(|(_, w)| w.label == ready.label) {
                    return Err(CliError::usage(format!("two workloads call themselves `{}`", ready.label))
                        .hint("give each a `label` in its [[workload]] table"));
                }
                self.preflight(&engine, &ready)?;
                workloads.push((choice, ready));
            }
            self.still_wanted()?;
            all.push(Prepared { engine, workloads });
        }
        Ok(all)
    }

    fn still_wanted(&self) -> CliResult<()> {
        if self.interrupt.requested() { Err(CliError::interrupted()) } else { Ok(()) }
    }

    /// Options are checked against everything the run loads, before any server is asked.
    fn check_options(&self) -> CliResult<()> {
        let mut engine_specs = Vec::new();
        for engine in &self.plan.engines {
            engine_specs.push(self.components.engine(&engine.plugin)?.info().options.clone());
        }
        let declared: Vec<_> = engine_specs.iter().map(Vec::as_slice).collect();
        for engine in &self.plan.engines {
            check_known("--engine-option", &engine.options, &declared)?;
        }
        let (mut workload_specs, mut slots) = (Vec::new(), Vec::new());
        for workload in &self.plan.workloads {
            if let ItemSource::Plugin(name) = &workload.source {
                let plugin = self.components.workload(name)?;
                workload_specs.push(plugin.info().options.clone());
                slots.extend(plugin.info().slots.iter().map(|s| s.name.clone()));
            }
        }
        let declared: Vec<_> = workload_specs.iter().map(Vec::as_slice).collect();
        for workload in &self.plan.workloads {
            check_known("--workload-option", &workload.options, &declared)?;
            if let Some((slot, _)) = workload.data.iter().find(|(slot, _)| !slots.contains(slot)) {
                let known =
                    if slots.is_empty() { "none".to_owned() } else { format!("`{}`", slots.join("`, `")) };
                return Err(CliError::usage(format!("no workload of this run has the data slot `{slot}`"))
                    .hint(format!("slots of this run: {known}")));
            }
        }
        Ok(())
    }

    /// Builds the first item once, so that a route or option the engine cannot take is told before anything is sent.
    fn preflight(&self, engine: &ReadyEngine, workload: &ReadyWorkload) -> CliResult<()> {
        let failed = |why: &dyn std::fmt::Display| {
            CliError::setup(format!("the items of `{}` cannot be sent to `{}`", workload.label, engine.name))
                .because(why)
        };
        let item = workload.first()?.map_err(|e| failed(&e))?;
        let built = point::recipe(self.plan, engine, self.run_id)
            .build(&mut engine.instance(self.printer)?, &item, 0, &mut Conversation::default(), 0)
            .map_err(|why| failed(&why).hint("another route may do: `--api chat|completions|native`"))?;
        let route = engine.plugin.info().route(engine.route);
        if built.asked.exact && !route.is_some_and(|r| r.exact_output) {
            self.note(format!(
                "`{}` cannot be made to produce an exact number of tokens on its {} route: answers may be shorter",
                engine.name, engine.route
            ));
        }
        let wanted = built.asked.input_tokens.unwrap_or(0).saturating_add(built.asked.max_tokens);
        if let Some(context) = engine.context.filter(|c| wanted > *c) {
            self.note(format!(
                "items of `{}` ask for {wanted} tokens; the model's context is {context}",
                workload.label
            ));
        }
        Ok(())
    }

    fn note(&self, text: String) {
        self.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }
}

/// The user's `tokenizer.json`.
pub(crate) fn load_tokenizer(plan: &Plan) -> CliResult<Option<TokenizerFile>> {
    let Some(path) = plan.tokenizer.as_ref().map(|t| &t.value) else { return Ok(None) };
    let loaded = TokenizerFile::load(path);
    loaded
        .map(Some)
        .map_err(|e| CliError::usage(format!("cannot use the tokenizer `{}`", path.display())).caused_by(&e))
}

/// The run's directory, and perhaps a CSV file that gets a copy of every row.
pub(crate) fn place(out: Option<&Path>, run_id: &str) -> (PathBuf, Option<PathBuf>) {
    let default = || Path::new("results").join("local").join(run_id);
    match out {
        None => (default(), None),
        Some(path) if path.extension().is_some_and(|e| e.eq_ignore_ascii_case("csv")) => {
            (default(), Some(path.into()))
        }
        Some(path) => (path.into(), None),
    }
}
