//! Makes one workload ready for one engine: loads the component, opens its data files, gives it the target's tokenizer,
//! and hands out items. Prompts of the user's own are a workload too.

use std::sync::{Arc, Mutex};

use benchhost_model::{Item, Refusal, ScoreSpec, Setting, Turn, TurnInput};
use benchhost_plugin::{CallError, Imports, NoTokens, Tokens, TokensBy, WorkloadInstance, WorkloadPlugin};
use benchhost_quality::TokenizerFile;

use super::components::{self, Components};
use super::data::DataFiles;
use super::prober::Prober;
use super::tokens::{ApproximateTokens, FileTokens, ServerTokens};
use crate::error::{CliError, CliResult};
use crate::plan::{ItemSource, Plan, WorkloadChoice};
use crate::store::{WorkloadFacts, digest_hex};
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

/// Where items and scores come from. Items that need the tokenizer, and the user's prompts, are made before anything is
/// measured: the server under test must not be asked to count tokens meanwhile.
struct Source {
    plugin: Option<OpenPlugin>,
    made: Option<Arc<Vec<Item>>>,
}

struct OpenPlugin {
    plugin: WorkloadPlugin,
    imports: Imports,
    settings: Vec<Setting>,
    seed: u64,
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
        let (tokens, tokens_by) =
            if info.needs_tokens { server.choose(printer) } else { (Arc::new(NoTokens) as _, "") };
        let imports = Imports { data: Arc::new(data), tokens, log: components::log(printer) };
        let opened =
            OpenPlugin { plugin: plugin.clone(), imports, settings: settings.clone(), seed: plan.seed.value };
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
            source: Source { plugin: Some(opened), made: None },
        };
        printer.status(&format!("{}: making items", ready.label));
        let (mut instance, count) = ready.open()?;
        if info.needs_tokens {
            let made: Result<Vec<Item>, CallError> = (0..count).map(|index| instance.item(index)).collect();
            ready.source.made = Some(Arc::new(made.map_err(|e| ready.not_opened(&e))?));
        }
        (ready.count, ready.facts.items) = (count, count);
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
            source: Source {
                plugin: None,
                made: Some(Arc::new(prompts.iter().enumerate().map(|(i, p)| prompt_item(i, p)).collect())),
            },
        }
    }

    /// Items for one thread.
    pub(crate) fn items(&self) -> CliResult<Items> {
        Ok(match &self.source.made {
            Some(made) => Items::Made(Arc::clone(made)),
            None => Items::Plugin(Box::new(self.open()?.0)),
        })
    }

    /// A scorer for one thread; `None` when there is nothing to score.
    pub(crate) fn scorer(&self) -> CliResult<Option<WorkloadInstance>> {
        if self.scores.is_empty() { Ok(None) } else { self.open().map(|(instance, _)| Some(instance)) }
    }

    fn open(&self) -> CliResult<(WorkloadInstance, u32)> {
        let Some(OpenPlugin { plugin, imports, settings, seed }) = &self.source.plugin else {
            return Err(CliError::internal(format!("`{}` has no component", self.label)));
        };
        let mut instance = plugin.instance(imports.clone()).map_err(|e| {
            CliError::setup(format!("the workload `{}` does not start", self.label)).caused_by(&e)
        })?;
        let count = instance.open(settings, *seed).map_err(|e| self.not_opened(&e))?;
        Ok((instance, count))
    }

    fn not_opened(&self, error: &CallError) -> CliError {
        let message = format!("the workload `{}` cannot make its items", self.label);
        match error {
            CallError::Refused(Refusal::Invalid(_) | Refusal::Unsupported(_)) => {
                CliError::usage(message).because(error)
            }
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
pub(crate) enum Items {
    /// Asked of a component one by one.
    Plugin(Box<WorkloadInstance>),
    /// Made beforehand.
    Made(Arc<Vec<Item>>),
}

impl Items {
    /// Item `index`; the error is for people.
    pub(crate) fn item(&mut self, index: u32) -> Result<Item, String> {
        match self {
            Self::Plugin(instance) => instance.item(index).map_err(|e| e.to_string()),
            Self::Made(made) => {
                made.get(index as usize).cloned().ok_or_else(|| format!("there is no item {index}"))
            }
        }
    }
}

/// The id holds a digest of the text, so that results with other prompts are not taken for the same.
fn prompt_item(index: usize, prompt: &str) -> Item {
    Item {
        id: format!("prompt-{:04}-{}", index + 1, &digest_hex(prompt.as_bytes())[..8]),
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
