//! From an item's turn to a request that is ready to be sent. Used by the feeding thread for first turns and by the
//! decoding thread for later ones.

use benchhost_http::Outgoing;
use benchhost_model::{BuildInput, Item, Route, Sampling, Setting, Turn};
use benchhost_plugin::EngineInstance;

use super::conversation::Conversation;
use super::decode::Expectation;

/// Longest answer when neither the user nor the workload says.
const DEFAULT_MAX_TOKENS: u32 = 128;

/// What is the same for every request of a load point.
#[derive(Debug, Clone)]
pub(crate) struct Recipe {
    pub(crate) route: Route,
    pub(crate) model: String,
    pub(crate) settings: Vec<Setting>,
    pub(crate) max_tokens: Option<u32>,
    pub(crate) temperature: f64,
    pub(crate) top_p: Option<f64>,
    pub(crate) seed: u64,
    /// Salts of the prefix cache begin with this, so that no run finds another's prefixes.
    pub(crate) salt: String,
    /// The engine can keep a request out of its prefix cache.
    pub(crate) bypass_cache: bool,
}

/// A request and what must be kept until its answer is there.
#[derive(Debug)]
pub(crate) struct Built {
    pub(crate) outgoing: Outgoing,
    pub(crate) expect: Expectation,
    pub(crate) asked: Asked,
    pub(crate) notes: Vec<String>,
}

/// What the request asked for, for the record.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Asked {
    pub(crate) max_tokens: u32,
    pub(crate) exact: bool,
    pub(crate) input_tokens: Option<u32>,
}

impl Recipe {
    /// What a turn asks for: the user's limit wins over the workload's hint, except where the length is the point.
    pub(crate) fn asked(&self, turn: &Turn) -> Asked {
        let hint = turn.max_tokens;
        let max_tokens = if turn.exact { hint.or(self.max_tokens) } else { self.max_tokens.or(hint) };
        Asked {
            max_tokens: max_tokens.unwrap_or(DEFAULT_MAX_TOKENS),
            exact: turn.exact,
            input_tokens: turn.input_tokens,
        }
    }

    /// Builds turn `index` of `item`; `request` numbers the requests of the run. The error is for people.
    pub(crate) fn build(
        &self,
        engine: &mut EngineInstance,
        item: &Item,
        index: u32,
        talk: &mut Conversation,
        request: u64,
    ) -> Result<Built, String> {
        let turn = item
            .turns
            .get(index as usize)
            .ok_or_else(|| format!("item `{}` has no turn {index}", item.id))?;
        let asked = self.asked(turn);
        let input = BuildInput {
            prompt: talk.ask(&turn.input, self.route),
            sampling: Sampling {
                max_tokens: asked.max_tokens,
                exact: asked.exact,
                temperature: self.temperature,
                top_p: self.top_p,
                seed: Some(self.seed),
                stop: turn.stop.clone(),
                cache_salt: self.bypass_cache.then(|| format!("{}-{request}", self.salt)),
            },
            route: self.route,
            model: self.model.clone(),
            settings: self.settings.clone(),
        };
        let wire = engine.build(&input).map_err(|e| e.to_string())?;
        let expect =
            Expectation { framing: wire.framing, end: wire.end.clone(), ctx: wire.ctx.clone(), turn: index };
        let notes = wire.notes.clone();
        let outgoing = Outgoing::try_from(wire).map_err(|e| e.to_string())?;
        Ok(Built { outgoing, expect, asked, notes })
    }
}
