//! What the values of a plan say together: limits, and keys that mean nothing beside others.

use benchhost_analysis::Objective;
use benchhost_model::LoadPoint;

use super::slo::Requirement;
use super::{Amount, Origin, Plan};
use crate::error::{CliError, CliResult};

/// More threads than this would only wait for one another.
const MOST_IO_THREADS: u32 = 64;

/// Judges the whole.
pub(super) fn check(plan: &Plan) -> CliResult<()> {
    limits(plan)?;
    simulator(plan)?;
    load(plan)?;
    aims(plan)?;
    study(plan)
}

fn demand(ok: bool, what: &str) -> CliResult<()> {
    if ok { Ok(()) } else { Err(CliError::usage(what.to_owned())) }
}

fn limits(plan: &Plan) -> CliResult<()> {
    demand(plan.repeats.value >= 1, "`repeats` must be 1 or more")?;
    demand(plan.max_tokens.value != Some(0), "`max-tokens` must be 1 or more")?;
    demand(
        plan.temperature.value.is_finite() && (0.0..=10.0).contains(&plan.temperature.value),
        "`temperature` must be between 0 and 10",
    )?;
    demand(plan.top_p.value.is_none_or(|p| p > 0.0 && p <= 1.0), "`top-p` must be above 0 and at most 1")?;
    demand(
        plan.gpu_price.as_ref().is_none_or(|p| p.value.is_finite() && p.value >= 0.0),
        "`gpu-price` must be a number of US dollars an hour, 0 or more",
    )?;
    demand(plan.amount.value != Amount::Requests(0), "`requests` must be 1 or more")?;
    demand(
        (1..=MOST_IO_THREADS).contains(&plan.io_threads.value),
        &format!("`io-threads` must be between 1 and {MOST_IO_THREADS}"),
    )?;
    demand(
        plan.trace_thin.as_ref().is_none_or(|p| p.value > 0.0 && p.value <= 1.0),
        "`trace-thin` must be above 0 and at most 1",
    )?;
    demand(plan.max_concurrency.as_ref().is_none_or(|c| c.value >= 1), "`max-concurrency` must be 1 or more")
}

fn simulator(plan: &Plan) -> CliResult<()> {
    let told = plan.engines.iter().find(|engine| !engine.simulator.is_empty());
    match told {
        Some(engine) if plan.simulate.is_none() => Err(CliError::usage(format!(
            "`simulator` says how a simulator in the place of `{}` behaves, and this plan measures a server",
            engine.plugin
        ))
        .hint("add `--simulate`, or leave `simulator` out")),
        _ => Ok(()),
    }
}

/// Keys that belong to one kind of load.
fn load(plan: &Plan) -> CliResult<()> {
    let any = |is: fn(&LoadPoint) -> bool| plan.all_points().any(|p| is(&p));
    let open = any(|p| matches!(p, LoadPoint::Rate(_) | LoadPoint::Trace(_)));
    let closed = any(|p| matches!(p, LoadPoint::Concurrency(_)));
    let trace = any(|p| matches!(p, LoadPoint::Trace(_)));
    let belongs = |key: &str, set: bool, there: bool, to: &str, hint: &str| {
        if set && !there {
            return Err(
                CliError::usage(format!("`{key}` belongs to {to}, and this plan has none")).hint(hint)
            );
        }
        Ok(())
    };
    let rate = "name one with `--rate` or `--trace-scale`; a closed loop is limited by its concurrency";
    belongs("max-concurrency", plan.max_concurrency.is_some(), open, "an open loop", rate)?;
    let users = "name one with `--concurrency`; an open loop does not wait for answers";
    belongs("think", plan.think.is_some(), closed, "a closed loop", users)?;
    let scale = "name one with `--trace-scale`";
    belongs("trace-window", plan.trace_window.is_some(), trace, "a trace", scale)?;
    belongs("trace-thin", plan.trace_thin.is_some(), trace, "a trace", scale)
}

fn aims(plan: &Plan) -> CliResult<()> {
    let slo = &plan.slo.value;
    let twice = |(i, o): &(usize, &Objective)| slo[..*i].iter().any(|other| other.metric == o.metric);
    if let Some((_, again)) = slo.iter().enumerate().find(twice) {
        return Err(CliError::usage(format!("`slo` has a second bound on a latency: {again}")));
    }
    if let Some(needs) = plan.require.value.iter().find(|r| r.needs_objectives() && slo.is_empty()) {
        return Err(CliError::usage(format!("`require` `{needs}` says nothing without `slo`"))
            .hint("say what a good request is, such as `--slo ttft=500ms,tpot=50ms`"));
    }
    let kinds = |r: &Requirement| std::mem::discriminant(r);
    let simple = || plan.require.value.iter().filter(|r| r.needs_objectives());
    if simple().enumerate().any(|(i, r)| simple().take(i).any(|o| kinds(o) == kinds(r))) {
        return Err(CliError::usage("`require` asks for the same twice"));
    }
    Ok(())
}

/// Keys that exclude each other.
fn study(plan: &Plan) -> CliResult<()> {
    let until = matches!(plan.amount.value, Amount::Until(_));
    if plan.max_duration.is_some() && !until && plan.search.is_none() {
        return Err(CliError::usage("`max-duration` limits `until` or `search`, and this plan has neither")
            .hint("`duration` is the time of a load point"));
    }
    if plan.interleave.value && plan.engines.len() < 2 {
        return Err(CliError::usage("`interleave` takes turns between engines, and this plan has one")
            .hint("name two, such as `--engine vllm=URL1 --engine vllm=URL2 --label a --label b`"));
    }
    if plan.search.is_none() {
        return Ok(());
    }
    if until {
        return Err(CliError::usage("`search` and `until` exclude each other")
            .hint("a search ends each of its rates when it is decided; `max-duration` limits it"));
    }
    if matches!(plan.amount.value, Amount::Requests(_)) {
        return Err(CliError::usage("`search` and `requests` exclude each other")
            .because("a rate is measured until it is decided, and how many requests that takes is not known before")
            .hint("`max-duration` limits the time of each rate"));
    }
    if plan.interleave.value {
        return Err(CliError::usage("`search` and `interleave` exclude each other")
            .because("each engine's next rate depends on its own last one"));
    }
    let steady = plan.shape.is_none() && plan.workloads.iter().all(|w| w.ladder.is_none());
    if !(steady && matches!(plan.ladder.value[..], [LoadPoint::Rate(_)])) {
        return Err(CliError::usage("`search` chooses the rates itself; it takes one rate to begin with, or none")
            .hint("leave `concurrency`, `batch`, `ramp`, `steps` and `trace-scale` out; `--rate 4` begins at 4 a second"));
    }
    demand(
        plan.repeats.value == 1 || plan.repeats.origin == Origin::Default,
        "`search` and `repeats` exclude each other: a search confirms its result itself",
    )
}
