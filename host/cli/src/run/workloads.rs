//! Makes one workload ready for one engine: loads the component, opens its data files, gives it the target's tokenizer,
//! and hands out items. Prompts of the user's own are a workload too.

use std::sync::{Arc, Mutex, OnceLock};

use benchhost_model::{Item, Refusal, ScoreSpec, Setting, Turn, TurnInput};
use benchhost_plugin::{CallError, Imports, NoTokens, Tokens, TokensBy, WorkloadInstance, WorkloadPlugin};
use benchhost_quality::TokenizerFile;

use super::components::{self, Components};
use super::data::DataFiles;
use super::prober::Prober;
use super::tokens::{ApproximateTokens, FileTokens, ServerTokens, Watched};
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
    /// Item 0: to open a workload again for it may mean to read a large file again.
    first: OnceLock<Item>,
    moments: OnceLock<Arc<Vec<Option<u64>>>>,
}

/// The option by which a workload makes other texts of the same form; a trace has it.
const RESEED: &str = "reseed";

/// Items made one by one before a workload is believed to count no tokens for them.
const TRIED: u32 = 16;

/// Where items and scores come from. Items that the tokenizer is asked about, and the user's prompts, are made before
/// anything is measured: the server under test must not be asked to count tokens meanwhile.
struct Source {
    plugin: Option<OpenPlugin>,
    made: Option<Arc<Vec<Item>>>,
}

struct OpenPlugin {
    plugin: WorkloadPlugin,
    imports: Imports,
    settings: Vec<Setting>,
    seed: u64,
    /// Has [`RESEED`], and the user leaves it to the run.
    reseeds: bool,
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
        let watched = Arc::new(Watched::new(tokens));
        let imports = Imports {
            data: Arc::new(data),
            tokens: Arc::clone(&watched) as _,
            log: components::log(printer),
        };
        let reseeds = info.options.iter().any(|o| o.name == RESEED)
            && choice.options.iter().all(|(name, _)| name != RESEED);
        let opened = OpenPlugin {
            plugin: plugin.clone(),
            imports,
            settings: settings.clone(),
            seed: plan.seed.value,
            reseeds,
        };
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
            first: OnceLock::new(),
            moments: OnceLock::new(),
        };
        printer.status(&format!("{}: making items", ready.label));
        let (mut instance, count) = ready.open(None)?;
        if info.needs_tokens {
            let made = made_ahead(&mut instance, count, &watched).map_err(|e| ready.not_opened(&e))?;
            ready.source.made = made.map(Arc::new);
        }
        if let Ok(first) = instance.item(0) {
            ready.first = OnceLock::from(first);
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
            first: OnceLock::new(),
            moments: OnceLock::new(),
        }
    }

    /// Items for one thread.
    pub(crate) fn items(&self) -> CliResult<Items> {
        Ok(match &self.source.made {
            Some(made) => Items::Made(Arc::clone(made)),
            None => Items::Plugin(Box::new(self.open(None)?.0)),
        })
    }

    /// Items for one thread, with texts of their own for `seed` where the workload can: a load point that sends what an
    /// earlier one sent would find it in the server's prefix cache.
    pub(crate) fn items_anew(&self, seed: u64) -> CliResult<Items> {
        match &self.source {
            Source { made: None, plugin: Some(OpenPlugin { reseeds: true, .. }) } => {
                Ok(Items::Plugin(Box::new(self.open(Some(seed))?.0)))
            }
            _ => self.items(),
        }
    }

    /// Item 0; the error is for people.
    pub(crate) fn first(&self) -> CliResult<Result<Item, String>> {
        match self.first.get() {
            Some(first) => Ok(Ok(first.clone())),
            None => Ok(self.items()?.item(0)),
        }
    }

    /// When each item arrives in its trace, in microseconds; asked of the component once.
    pub(crate) fn moments(&self) -> CliResult<Arc<Vec<Option<u64>>>> {
        if let Some(moments) = self.moments.get() {
            return Ok(Arc::clone(moments));
        }
        let mut items = self.items()?;
        let moment = |index| items.item(index).map(|item| item.arrival_us);
        let moments: Result<Vec<_>, String> = (0..self.count).map(moment).collect();
        let moments = moments.map_err(|why| {
            CliError::setup(format!("the workload `{}` cannot make its items", self.label)).because(why)
        })?;
        Ok(Arc::clone(self.moments.get_or_init(|| Arc::new(moments))))
    }

    /// A scorer for one thread; `None` when there is nothing to score.
    pub(crate) fn scorer(&self) -> CliResult<Option<WorkloadInstance>> {
        if self.scores.is_empty() { Ok(None) } else { self.open(None).map(|(instance, _)| Some(instance)) }
    }

    fn open(&self, reseed: Option<u64>) -> CliResult<(WorkloadInstance, u32)> {
        let Some(OpenPlugin { plugin, imports, settings, seed, .. }) = &self.source.plugin else {
            return Err(CliError::internal(format!("`{}` has no component", self.label)));
        };
        let mut instance = plugin.instance(imports.clone()).map_err(|e| {
            CliError::setup(format!("the workload `{}` does not start", self.label)).caused_by(&e)
        })?;
        let mut settings = settings.clone();
        for setting in settings.iter_mut().filter(|s| s.name == RESEED) {
            if let Some(reseed) = reseed {
                setting.value = reseed.to_string();
            }
        }
        let count = instance.open(&settings, *seed).map_err(|e| self.not_opened(&e))?;
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

/// All items, if the tokenizer was asked about the first of them; otherwise none: a trace of long prompts would fill the
/// memory, and its items can be made when they are about to be sent.
fn made_ahead(
    instance: &mut WorkloadInstance,
    count: u32,
    tokens: &Watched,
) -> Result<Option<Vec<Item>>, CallError> {
    let asked_to_open = tokens.asked();
    let mut made = Vec::new();
    for index in 0..count {
        made.push(instance.item(index)?);
        if index + 1 == TRIED && tokens.asked() == asked_to_open {
            return Ok(None);
        }
    }
    Ok(Some(made))
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
