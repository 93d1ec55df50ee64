//! The decoding side of a load point: takes ended exchanges in turn, decodes, scores and records them, builds the next
//! turns of dialogues, and shows the rows to the rule that may end the measuring.

use std::io;
use std::sync::PoisonError;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::RecvTimeoutError;
use std::time::{Duration, Instant};

use benchhost_load::{Control, Finished, FollowUp, Job};
use benchhost_model::{Outcome, Phase, Score, Timeline};
use benchhost_plugin::{EngineInstance, WorkloadInstance};
use tokio::sync::mpsc::UnboundedSender;

use super::backlog::Backlog;
use super::builder::Recipe;
use super::decode::{self, Decoded};
use super::feed::{NotSent, Pending, PendingTable, turns_of};
use super::point::{Point, Run};
use super::record::record;
use super::watch::Watch;
use crate::error::{CliError, CliResult};
use crate::plan::History;
use crate::store::{OutputRow, RunWriter, TelemetryRow};
use crate::ui::Progress;

/// How often samples of the GPUs are written while nothing ends.
const PATIENCE: Duration = Duration::from_millis(200);

/// The decoding side.
pub(super) struct Desk<'a, 'w> {
    pub(super) point: &'a Point<'a>,
    /// Time decides how many are sent, so a request that was only built ahead was never due. `Some(true)`: in an open
    /// loop, where the due time tells; `None`: a count decides.
    pub(super) timed: Option<bool>,
    pub(super) decided: &'a AtomicBool,
    pub(super) recipe: &'a Recipe,
    pub(super) engine: EngineInstance,
    pub(super) scorer: Option<WorkloadInstance>,
    pub(super) pending: &'a PendingTable,
    pub(super) follow: UnboundedSender<FollowUp>,
    pub(super) control: &'a Control,
    pub(super) watch: Watch<'w>,
    pub(super) progress: Progress,
    pub(super) decode_wait_max_ns: u64,
    /// Measured requests that were answered.
    pub(super) completed: u64,
}

impl Desk<'_, '_> {
    /// Decodes and records until the load generator is done.
    pub(super) fn work(&mut self, backlog: &Backlog, writer: &mut RunWriter) -> CliResult<()> {
        let mut drained = Instant::now();
        loop {
            match backlog.next(PATIENCE) {
                Ok(finished) => self.one(&finished.map_err(|e| unreadable(&e))?, writer)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.progress.tick();
            if drained.elapsed() > PATIENCE {
                drain_telemetry(self.point.run, writer)?;
                drained = Instant::now();
            }
        }
    }

    fn one(&mut self, finished: &Finished, writer: &mut RunWriter) -> CliResult<()> {
        let Finished { id, phase, timeline } = finished;
        let phase = *phase;
        let Some(pending) = self.pending.take(*id) else {
            return Err(CliError::internal(format!("an answer came for request {id}, which was not sent")));
        };
        if timeline.sent.is_none() && timeline.failure.is_none() && !self.was_due(phase, timeline) {
            return Ok(());
        }
        let now = self.point.run.clock.now();
        self.decode_wait_max_ns = self.decode_wait_max_ns.max((now - timeline.ended).get());
        let mut decoded = decode::decode(&mut self.engine, &pending.expect, timeline);
        if let Some(tokenizer) = self.point.run.tokenizer {
            decoded.count_with(|text| tokenizer.encode(text).ok());
        }
        self.note_missing_key(timeline.status);
        let scores = if phase == Phase::Measured { self.score(&pending, &decoded) } else { Vec::new() };
        let row = writer.next_row();
        let mut record = record(&self.point.labels(row, phase), &pending, &decoded, timeline);
        record.scores = scores.iter().map(|s| (s.name.clone(), s.value)).collect();
        writer.request(&record)?;
        self.next_turn(phase, &pending, &decoded, writer)?;
        if !decoded.output.at.is_empty() {
            writer.events(&decoded.output.block(row))?;
        }
        if phase != Phase::Measured {
            return Ok(());
        }
        if !scores.is_empty() {
            writer.scores(row, &record.item, &scores)?;
        }
        writer.output(&output_row(row, &pending, &decoded, &timeline.body))?;
        self.progress.saw(&record, &decoded.output.lags);
        let completed = decoded.outcome == Outcome::Completed;
        self.completed += u64::from(completed);
        if !completed || pending.expect.turn + 1 == turns_of(&pending.item) {
            self.progress.step(completed || decoded.outcome == Outcome::HungUp);
        }
        self.watch.see(&record, self.control);
        Ok(())
    }

    /// Whether a request that was not sent should have been.
    fn was_due(&self, phase: Phase, timeline: &Timeline) -> bool {
        let due = match self.timed {
            None => true,
            Some(open) => open && timeline.scheduled <= timeline.ended,
        };
        due && phase != Phase::Drain && !self.decided.load(Ordering::Acquire)
    }

    /// 401 and 403 have one usual cause, and the user can mend it.
    fn note_missing_key(&self, status: Option<u16>) {
        if let Some(status @ (401 | 403)) = status {
            let engine = self.point.engine;
            let variable = &engine.plugin.info().key_variable;
            let from = match engine.facts.api_key_from.as_str() {
                "" if variable.is_empty() => {
                    "name the variable that holds it with `--api-key-env`".to_owned()
                }
                "" => format!("put it into `{variable}`, or name another variable with `--api-key-env`"),
                from => format!("the one in `{from}` was sent"),
            };
            self.note(format!("`{}` answered {status}: it wants another API key; {from}", engine.name));
        }
    }

    fn note(&self, text: String) {
        self.point.run.notes.lock().unwrap_or_else(PoisonError::into_inner).insert(text);
    }

    fn score(&mut self, pending: &Pending, decoded: &Decoded) -> Vec<Score> {
        let (Some(scorer), Outcome::Completed) = (&mut self.scorer, decoded.outcome) else {
            return Vec::new();
        };
        scorer.score(pending.index, &decoded.answer).unwrap_or_else(|error| {
            self.note(format!("answers that could not be scored: {error}"));
            Vec::new()
        })
    }

    /// A dialogue goes on with its next turn, or ends; turns that will not be sent are recorded as shed. A user who hung
    /// up has no next turn.
    fn next_turn(
        &mut self,
        phase: Phase,
        pending: &Pending,
        decoded: &Decoded,
        writer: &mut RunWriter,
    ) -> CliResult<()> {
        let next = pending.expect.turn + 1;
        if next >= turns_of(&pending.item) {
            return Ok(());
        }
        let why = match self.build_turn(next, pending, decoded) {
            Ok((job, delay)) => {
                let id = job.id;
                if self.follow.send(FollowUp::Job(job, delay)).is_ok() {
                    return Ok(());
                }
                self.pending.take(id);
                "the run stopped before this request was sent".to_owned()
            }
            Err(why) => {
                // If the load generator is gone, it has already counted the session as ended.
                let _gone = self.follow.send(FollowUp::EndSession(pending.session));
                why
            }
        };
        if decoded.outcome == Outcome::HungUp || phase == Phase::Drain {
            return Ok(());
        }
        let lost = NotSent::of(&pending.item, next, None, Outcome::Shed, why, phase);
        self.point.write_not_sent(&lost, self.point.run.clock.now(), writer)
    }

    /// The request of turn `next`, put among those on their way; the error is for people.
    fn build_turn(
        &mut self,
        next: u32,
        pending: &Pending,
        decoded: &Decoded,
    ) -> Result<(Job, Duration), String> {
        if decoded.outcome != Outcome::Completed {
            return Err("an earlier turn of the dialogue was not answered".into());
        }
        let run = self.point.run;
        let turn = |index: u32| pending.item.turns.get(index as usize);
        let mut talk = pending.talk.clone();
        let recorded = turn(pending.expect.turn).and_then(|t| t.recorded_answer.as_deref());
        match (run.plan.history.value, recorded) {
            (History::Recorded, Some(recorded)) => talk.answered(recorded),
            _ => talk.answered(&decoded.answer.text),
        }
        let id = run.next_id.fetch_add(1, Ordering::Relaxed);
        let built = self.recipe.build(&mut self.engine, &pending.item, next, &mut talk, id)?;
        let job = Job {
            id,
            session: pending.session,
            last_in_session: next + 1 == turns_of(&pending.item),
            due: None,
            request: built.outgoing,
        };
        let delay = Duration::from_millis(u64::from(turn(next).map_or(0, |t| t.delay_ms)));
        let on_its_way = Pending {
            index: pending.index,
            item: pending.item.clone(),
            talk,
            expect: built.expect,
            asked: built.asked,
            session: pending.session,
        };
        self.pending.put(id, on_its_way);
        Ok((job, delay))
    }
}

fn unreadable(error: &io::Error) -> CliError {
    CliError::internal("an answer that waited on disk cannot be read back")
        .because(error)
        .hint("rows written before this are kept; `benchhost report` reads them")
}

/// Writes the samples that have come so far.
pub(crate) fn drain_telemetry(run: &Run<'_>, writer: &mut RunWriter) -> CliResult<()> {
    for sample in run.gpu.try_iter() {
        writer.telemetry(&TelemetryRow {
            t_ns: sample.t_ns,
            source: format!("gpu{}", sample.gpu),
            memory_used_bytes: sample.memory_used_bytes,
            utilization_percent: sample.utilization_percent,
            power_milliwatts: sample.power_milliwatts,
            energy_millijoules: sample.energy_millijoules,
            temperature_celsius: sample.temperature_celsius,
            ..TelemetryRow::default()
        })?;
    }
    for row in run.gauges.try_iter() {
        writer.telemetry(&row)?;
    }
    Ok(())
}

fn output_row(row: u64, pending: &Pending, decoded: &Decoded, body: &[u8]) -> OutputRow {
    OutputRow {
        row,
        item: pending.item.id.clone(),
        turn: pending.expect.turn,
        text: decoded.answer.text.clone(),
        reasoning: decoded.answer.reasoning.clone(),
        tool: decoded.tool.clone(),
        reference: pending.item.reference.clone(),
        server_timings: decoded.server_timings.clone(),
        raw: if decoded.outcome == Outcome::Failed { decode::excerpt(body) } else { String::new() },
    }
}
