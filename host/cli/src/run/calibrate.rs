//! One untimed request that tells how many tokens the server's template adds to a prompt of known length.

use benchhost_http::{Cancel, Client, RunClock};
use benchhost_model::{Nanos, Outcome};

use super::builder::Recipe;
use super::conversation::Conversation;
use super::decode;
use super::engines::ReadyEngine;
use super::workloads::ReadyWorkload;
use crate::error::{CliError, CliResult};
use crate::store::CalibrationFacts;
use crate::ui::Printer;

/// Sends the first item with an answer of one token. `None`: the workload does not count tokens, or the server does not.
pub(crate) fn calibrate(
    engine: &ReadyEngine,
    workload: &ReadyWorkload,
    recipe: &Recipe,
    printer: &Printer,
) -> CliResult<Option<CalibrationFacts>> {
    if workload.tokens_by.is_empty() {
        return Ok(None);
    }
    let mut instance = engine.instance(printer)?;
    let mut item = workload.first()?.map_err(|e| {
        CliError::setup(format!("the workload `{}` cannot make its first item", workload.label)).because(e)
    })?;
    let Some(turn) = item.turns.first_mut() else { return Ok(None) };
    (turn.max_tokens, turn.exact) = (Some(1), false);
    let Some(made) = turn.input_tokens else { return Ok(None) };
    let single = Recipe { max_tokens: Some(1), ..recipe.clone() };
    let built = single.build(&mut instance, &item, 0, &mut Conversation::default(), 0).map_err(|why| {
        CliError::setup(format!("the first item of `{}` cannot be sent to `{}`", workload.label, engine.name))
            .because(why)
    })?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|e| CliError::internal("cannot start the network runtime").because(e))?;
    let client = Client::new(engine.target.clone(), RunClock::start());
    let timeline = runtime.block_on(client.exchange(&built.outgoing, Nanos::ZERO, &Cancel::new()));
    let decoded = decode::decode(&mut instance, &built.expect, &timeline);
    if decoded.outcome == Outcome::Failed && decoded.failure != Some(benchhost_model::Failure::Empty) {
        printer.warning(&format!(
            "the calibration request failed ({}); template tokens stay unknown",
            decoded.detail
        ));
        return Ok(None);
    }
    Ok(decoded.usage.prompt_tokens.map(|server| CalibrationFacts {
        engine: engine.name.clone(),
        variant: engine.variant.clone(),
        workload: workload.label.clone(),
        server_tokens: server,
        made_tokens: made,
    }))
}
