//! Measures what the plan asks for, point after point, and keeps account of it. The only place that knows the order.

use std::collections::HashMap;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;

use benchhost_model::{LoadPoint, PointKey};

use super::agenda::{Planned, Role, agenda};
use super::point::{self, Measured, Point, Run};
use super::resume::Kept;
use super::setup::Prepared;
use super::watch::{UntilWatch, Watch};
use super::{calibrate, save_json, search};
use crate::error::{CliError, CliResult};
use crate::plan::{Amount, Extent};
use crate::store::{CalibrationFacts, Layout, Manifest, RunWriter};

/// A run that is being measured.
pub(crate) struct Session<'a> {
    pub(super) run: &'a Run<'a>,
    pub(super) layout: &'a Layout,
    writer: &'a mut RunWriter,
    pub(super) prepared: &'a [Prepared<'a>],
    kept: &'a Kept,
    /// Tokens of the template, by engine and workload, once they are known.
    templates: HashMap<(usize, usize), Option<u32>>,
    account: Vec<(String, Measured)>,
    completed: u64,
}

impl<'a> Session<'a> {
    /// Nothing measured yet, except what is kept of an earlier part.
    pub(super) fn new(
        run: &'a Run<'a>,
        layout: &'a Layout,
        writer: &'a mut RunWriter,
        prepared: &'a [Prepared<'a>],
        kept: &'a Kept,
    ) -> Self {
        let templates = HashMap::new();
        Self { run, layout, writer, prepared, kept, templates, account: Vec::new(), completed: 0 }
    }

    /// What each point told, and how many measured requests were answered.
    pub(super) fn into_account(self) -> (Vec<(String, Measured)>, u64) {
        (self.account, self.completed)
    }

    /// Everything that the plan asks for, until a user stops it.
    pub(super) fn measure_all(&mut self, manifest: &mut Manifest) -> CliResult<()> {
        if self.run.plan.search.is_some() {
            return search::all(self, manifest);
        }
        let mut agenda = agenda(self.run.plan);
        agenda.retain(|planned| !self.kept.is_finished(&self.key(planned)));
        self.run.printer.expect_points(Some(agenda.len()));
        for planned in agenda {
            if self.stopped() {
                return Ok(());
            }
            self.planned(&planned, manifest)?;
        }
        Ok(())
    }

    pub(super) fn stopped(&self) -> bool {
        self.run.interrupt.requested()
    }

    fn planned(&mut self, planned: &Planned, manifest: &mut Manifest) -> CliResult<()> {
        let plan = self.run.plan;
        let decided = AtomicBool::new(false);
        let watch = match plan.amount.value {
            Amount::Until(until) => {
                let (choice, _) = &self.prepared[planned.engine].workloads[planned.workload];
                let longest = match plan.measured_at(choice, planned.load) {
                    Extent::For(span) => span.as_secs_f64(),
                    Extent::Items(_) | Extent::Whole => f64::INFINITY,
                };
                let watch = UntilWatch::new(until, longest);
                Watch::Until(watch.map_err(|e| CliError::usage("`until`").because(e))?, &decided)
            }
            _ => Watch::Nothing,
        };
        let (title, watch) = self.measure(planned, watch, &decided, manifest)?;
        if let (Watch::Until(watch, _), false) = (watch, self.stopped())
            && let Some(missed) = watch.missed()
        {
            self.note(format!("{title}: {missed}"));
        }
        Ok(())
    }

    /// One point; returns its title and what watched it.
    pub(super) fn measure<'w>(
        &mut self,
        planned: &Planned,
        watch: Watch<'w>,
        decided: &AtomicBool,
        manifest: &mut Manifest,
    ) -> CliResult<(String, Watch<'w>)> {
        let template_tokens = self.template(planned, manifest)?;
        let plan = self.run.plan;
        let Prepared { engine, workloads } = &self.prepared[planned.engine];
        let (choice, workload) = &workloads[planned.workload];
        let mut point = Point {
            run: self.run,
            engine,
            workload,
            load: planned.load,
            shape: plan.shape_of(choice),
            repeat: planned.repeat,
            role: planned.role,
            warmup: plan.warmup_at(choice, planned.load),
            measured: plan.measured_at(choice, planned.load),
            template_tokens,
            arrivals: String::new(),
        };
        let title = point.title();
        let (measured, watch) = point.measure(watch, decided, self.writer)?;
        if measured.whole {
            self.writer.finish_point(&measured.facts)?;
        } else {
            self.writer.flush()?;
        }
        self.completed += measured.completed;
        self.account.push((format!("{title} repeat {}", planned.repeat), measured));
        Ok((title, watch))
    }

    /// Tokens that the server's template adds, by one request before the first point of this engine and workload.
    fn template(&mut self, planned: &Planned, manifest: &mut Manifest) -> CliResult<Option<u32>> {
        let place = (planned.engine, planned.workload);
        if let Some(known) = self.templates.get(&place) {
            return Ok(*known);
        }
        let Prepared { engine, workloads } = &self.prepared[planned.engine];
        let (_, workload) = &workloads[planned.workload];
        let recipe = point::recipe(self.run.plan, engine, self.run.id);
        let calibration = calibrate::calibrate(engine, workload, &recipe, self.run.printer)?;
        let template = calibration.as_ref().and_then(template_tokens);
        if calibration.is_some() && template.is_none() {
            self.note(
                "the server counts fewer prompt tokens than the workload made: its tokenizer is another one"
                    .into(),
            );
        }
        if let Some(new) = calibration.filter(|c| !manifest.calibration.contains(c)) {
            manifest.calibration.push(new);
            save_json(&self.layout.manifest(), manifest)?;
        }
        self.templates.insert(place, template);
        Ok(template)
    }

    fn key(&self, planned: &Planned) -> PointKey {
        let Prepared { engine, workloads } = &self.prepared[planned.engine];
        let (_, workload) = &workloads[planned.workload];
        PointKey {
            run_id: self.run.id.to_owned(),
            engine: engine.name.clone(),
            variant: engine.variant.clone(),
            model: engine.model.clone(),
            workload: workload.label.clone(),
            load: planned.load,
            repeat: planned.repeat,
            role: planned.role.word().to_owned(),
        }
    }

    pub(super) fn note(&self, text: String) {
        self.run.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }

    /// A point that a search asks for.
    pub(super) fn asked(&self, (engine, workload): (usize, usize), rate: f64, role: Role) -> Planned {
        let load = LoadPoint::Rate(rate);
        let so_far = self.account.iter().filter(|(_, m)| {
            let key = &m.facts.key;
            key.load.key() == load.key()
                && key.engine == self.prepared[engine].engine.name
                && key.variant == self.prepared[engine].engine.variant
                && key.workload == self.prepared[engine].workloads[workload].1.label
        });
        let repeat = u32::try_from(so_far.count()).unwrap_or(u32::MAX - 1) + 1;
        Planned { engine, workload, load, repeat, role }
    }
}

fn template_tokens(facts: &CalibrationFacts) -> Option<u32> {
    facts.server_tokens.checked_sub(facts.made_tokens)
}
