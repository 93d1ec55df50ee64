//! Makes one workload ready for one engine: loads the component, opens its data files, gives it the target's tokenizer,
//! and hands out items. Prompts of the user's own are a workload too.

use std::sync::{Arc, Mutex};

use benchhost_model::{Answer, Item, Refusal, Score, ScoreSpec, Setting, Turn, TurnInput};
use benchhost_plugin::{CallError, Imports, NoTokens, Tokens, TokensBy, WorkloadInstance, WorkloadPlugin};
use benchhost_quality::TokenizerFile;

use super::components::{self, Components};
use super::data::DataFiles;
use super::prober::Prober;
use super::tokens::{ApproximateTokens, FileTokens, ServerTokens};
use crate::error::{CliError, CliResult};
use crate::plan::{ItemSource, Plan, WorkloadChoice};
use crate::store::WorkloadFacts;
use crate::ui::Printer;

/// A workload whose items can be drawn.
pub(crate) struct ReadyWorkload {
    pub(crate) label: String,
    pub(crate) count: u32,
    pub(crate) scores: Vec<ScoreSpec>,
    pub(crate) facts: WorkloadFacts,
    /// How its tokens are counted; empty: they are not.
    pub(crate) tokens_by: &'static str,
    source: Source,
}

enum Source {
    Plugin { plugin: WorkloadPlugin, imports: Imports, settings: Vec<Setting>, seed: u64 },
    Prompts(Arc<Vec<String>>),
}

impl ReadyWorkload {
    /// Loads and opens the workload of `choice` with the tokens of `server`.
    pub(crate) fn prepare(
        choice: &WorkloadChoice,
        plan: &Plan,
        components: &Components,
        server: &TokenSources<'_>,
        printer: &Printer,
    ) -> CliResult<Self> {
        let name = match &choice.source {
            ItemSource::Prompts(prompts) => return Ok(Self::prompts(prompts)),
            ItemSource::Plugin(name) => name,
        };
        let plugin = components.workload(name)?;
        let info = plugin.info().clone();
        let settings = components::settings(&info.name, &info.options, &choice.options)?;
        let data = DataFiles::open(&info.slots, &choice.data)?;
        let data_facts = data.facts().map(|(s, f)| (s.clone(), (f.name.clone(), f.digest.clone()))).collect();
        let (tokens, tokens_by) = if info.needs_tokens { server.choose(printer) } else { (Arc::new(NoTokens) as _, "") };
        let imports = Imports { data: Arc::new(data), tokens, log: components::log(printer) };
        let source = Source::Plugin { plugin: plugin.clone(), imports, settings: settings.clone(), seed: plan.seed.value };
        let label = choice.label.clone().unwrap_or_else(|| info.name.clone());
        let mut ready = Self {
            count: 0,
            scores: info.scores.clone(),
            facts: WorkloadFacts {
                plugin: Some(components::facts(plugin.identity())),
                label: label.clone(),
                items: 0,
                options: settings.iter().map(|s| (s.name.clone(), s.value.clone())).collect(),
                data: data_facts,
                scores: info.scores.iter().map(|s| (s.name.clone(), s.higher_is_better)).collect(),
            },
            label,
            tokens_by,
            source,
        };
        printer.status(&format!("{}: making items", ready.label));
        ready.count = ready.items()?.count;
        ready.facts.items = ready.count;
        Ok(ready)
    }

    fn prompts(prompts: &[String]) -> Self {
        let count = u32::try_from(prompts.len()).unwrap_or(u32::MAX);
        let facts = WorkloadFacts {
            plugin: None,
            label: "prompts".into(),
            items: count,
            options: std::collections::BTreeMap::new(),
            data: std::collections::BTreeMap::new(),
            scores: std::collections::BTreeMap::new(),
        };
        Self {
            label: "prompts".into(),
            count,
            scores: Vec::new(),
            facts,
            tokens_by: "",
            source: Source::Prompts(Arc::new(prompts.to_vec())),
        }
    }

    /// A source of items for one thread.
    pub(crate) fn items(&self) -> CliResult<Items> {
        let (instance, count) = match &self.source {
            Source::Prompts(prompts) => (Instance::Prompts(Arc::clone(prompts)), self.count),
            Source::Plugin { plugin, imports, settings, seed } => {
                let mut instance = plugin
                    .instance(imports.clone())
                    .map_err(|e| CliError::setup(format!("the workload `{}` does not start", self.label)).caused_by(&e))?;
                let count = instance.open(settings, *seed).map_err(|e| self.not_opened(&e))?;
                (Instance::Plugin(Box::new(instance)), count)
            }
        };
        Ok(Items { instance, count })
    }

    fn not_opened(&self, error: &CallError) -> CliError {
        let message = format!("the workload `{}` cannot make its items", self.label);
        match error {
            CallError::Refused(Refusal::Invalid(_) | Refusal::Unsupported(_)) => CliError::usage(message).because(error),
            _ => CliError::setup(message).because(error),
        }
    }
}

/// Where a workload's token counts can come from.
pub(crate) struct TokenSources<'a> {
    /// The user's `tokenizer.json`.
    pub(crate) file: Option<&'a TokenizerFile>,
    /// The server, for its own endpoint.
    pub(crate) prober: &'a Arc<Mutex<Prober>>,
}

impl TokenSources<'_> {
    /// The file; else the server's endpoint; else an estimate, with a word about it.
    fn choose(&self, printer: &Printer) -> (Arc<dyn Tokens>, &'static str) {
        if let Some(file) = self.file {
            return (Arc::new(FileTokens(file.clone())), word(TokensBy::File));
        }
        if let Some(server) = ServerTokens::probe(Arc::clone(self.prober)) {
            return (Arc::new(server), word(TokensBy::Server));
        }
        printer.warning(
            "token counts of this workload are estimates: the server has no tokenize endpoint; name the model's \
             `tokenizer.json` with `--tokenizer` for exact lengths",
        );
        (Arc::new(ApproximateTokens), word(TokensBy::Approximate))
    }
}

/// As the column `tokens_by` spells it.
const fn word(by: TokensBy) -> &'static str {
    match by {
        TokensBy::File => "file",
        TokensBy::Server => "server",
        TokensBy::Approximate => "approximate",
    }
}

/// Items for one thread.
pub(crate) struct Items {
    instance: Instance,
    count: u32,
}

enum Instance {
    Plugin(Box<WorkloadInstance>),
    Prompts(Arc<Vec<String>>),
}

impl Items {
    /// Item `index`.
    pub(crate) fn item(&mut self, index: u32) -> Result<Item, CallError> {
        match &mut self.instance {
            Instance::Plugin(instance) => instance.item(index),
            Instance::Prompts(prompts) => Ok(prompt_item(index, prompts.get(index as usize).map_or("", String::as_str))),
        }
    }

    /// Scores one answer to item `index`.
    pub(crate) fn score(&mut self, index: u32, answer: &Answer) -> Result<Vec<Score>, CallError> {
        match &mut self.instance {
            Instance::Plugin(instance) => instance.score(index, answer),
            Instance::Prompts(_) => Ok(Vec::new()),
        }
    }
}

fn prompt_item(index: u32, prompt: &str) -> Item {
    Item {
        id: format!("prompt-{:04}", index + 1),
        category: String::new(),
        turns: vec![Turn {
            input: TurnInput::Text(prompt.to_owned()),
            recorded_answer: None,
            delay_ms: 0,
            max_tokens: None,
            exact: false,
            stop: Vec::new(),
            input_tokens: None,
        }],
        reference: String::new(),
        arrival_us: None,
    }
}
