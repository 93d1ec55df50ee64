//! One row of `requests.csv` from what was labelled, asked, observed and decoded.

use benchhost_model::{Nanos, Phase, Record, Timeline};

use super::decode::Decoded;
use super::feed::{NotSent, Pending};
use super::figures::figures;
use super::point::Point;

/// What a row says about where it belongs.
pub(crate) struct Labels<'a> {
    pub(crate) row: u64,
    pub(crate) point: &'a Point<'a>,
    pub(crate) phase: Phase,
}

/// Failure messages are cut at this many characters.
const DETAIL_CHARS: usize = 200;

/// The row of a request that reached the load generator.
pub(crate) fn record(
    labels: &Labels<'_>,
    pending: &Pending,
    decoded: &Decoded,
    timeline: &Timeline,
) -> Record {
    let mut row = blank(labels, timeline.scheduled);
    row.category.clone_from(&pending.item.category);
    row.item.clone_from(&pending.item.id);
    row.turn = pending.expect.turn;
    row.session = Some(pending.session);
    row.outcome = decoded.outcome;
    row.failure = decoded.failure;
    row.failure_detail = one_line(&decoded.detail);
    row.status = timeline.status;
    row.finish = decoded.finish.map_or(String::new(), |f| f.to_string());
    row.attempts = timeline.attempts;
    row.conn_reused = timeline.connection_reused;
    (row.t_slot_ns, row.t_conn_ns) = (timeline.slot, timeline.connected);
    row.t_send_ns = timeline.sent;
    row.t_headers_ns = timeline.headers_at;
    row.t_end_ns = timeline.sent.map(|_| timeline.ended);
    row.events = u32::try_from(decoded.output.at.len()).unwrap_or(u32::MAX);
    decoded.output.stamps().clone_into(&mut row.stamps);
    (row.lag_first_ns, row.lag_max_ns) = decoded.output.lags();
    (row.censored, row.together) = decoded.output.shared();
    row.input_tokens = decoded.usage.prompt_tokens;
    row.output_tokens = decoded.usage.completion_tokens;
    row.reasoning_tokens = decoded.usage.reasoning_tokens;
    row.cached_tokens = decoded.usage.cached_tokens;
    row.tokens_source = decoded.tokens_source;
    row.input_tokens_asked = pending.asked.input_tokens;
    row.output_tokens_asked = Some(pending.asked.max_tokens);
    row.output_exact = pending.asked.exact;
    if let Some(sent) = timeline.sent {
        let f = figures(timeline.scheduled, sent, &decoded.output, decoded.usage.completion_tokens);
        (row.t_first_ns, row.t_last_ns, row.n_first_tokens) = (f.first, f.last, f.n_first_tokens);
        (row.ttft_ms, row.ttft_sched_ms, row.tpot_ms) = (f.ttft_ms, f.ttft_sched_ms, f.tpot_ms);
        (row.t_answer_ns, row.ttfat_ms, row.tpot_n1_ms) = (f.answer, f.ttfat_ms, f.tpot_n1_ms);
        (row.itl_mean_ms, row.icl_max_ms) = (f.itl_mean_ms, f.icl_max_ms);
        (row.e2e_ms, row.e2e_sched_ms) = (f.e2e_ms, f.e2e_sched_ms);
    }
    row
}

/// The row of a request that never reached it.
pub(crate) fn not_sent_record(labels: &Labels<'_>, lost: &NotSent, at: Nanos) -> Record {
    let mut row = blank(labels, at);
    row.item.clone_from(&lost.item);
    row.category.clone_from(&lost.category);
    row.outcome = lost.outcome;
    row.failure_detail = one_line(&lost.detail);
    row
}

fn blank(labels: &Labels<'_>, scheduled: Nanos) -> Record {
    let point = labels.point;
    Record {
        row: labels.row,
        run_id: point.run.id.to_owned(),
        engine: point.engine.name.clone(),
        variant: point.engine.variant.clone(),
        model: point.engine.model.clone(),
        target: point.run.target,
        workload: point.workload.label.clone(),
        load: point.load,
        arrivals: point.arrivals.clone(),
        repeat: point.repeat,
        role: point.role.word().to_owned(),
        phase: labels.phase,
        plan_digest: point.run.plan_digest.to_owned(),
        t_sched_ns: scheduled,
        template_tokens: point.template_tokens,
        tokens_by: point.workload.tokens_by.to_owned(),
        ..Record::blank()
    }
}

fn one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ").chars().take(DETAIL_CHARS).collect()
}
