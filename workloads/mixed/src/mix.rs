//! Options to items: how many of each category, which, in which order. Must not know the formats of files or prompts.

use std::collections::BTreeMap;

use benchhost_sdk::{Host, LogLevel, Refusal, Rng, Settings};

use crate::category::Category;
use crate::example::{Example, Style};
use crate::pick::{Picked, from_articles, from_lines};
use crate::records::Records;
use crate::share::{largest_fitting, largest_remainder};
use crate::{chat, code, reasoning};

/// Examples shown before each item with `few-shot`.
const SHOTS: usize = 2;

/// One item: its category and its example.
pub(crate) type Entry = (Category, Box<dyn Example>);

/// The settings, parsed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Options {
    categories: Vec<Category>,
    /// None: as many as the data allow.
    total: Option<u32>,
    few_shot: bool,
    style: Style,
    max_tokens: BTreeMap<Category, u32>,
}

impl Options {
    pub(crate) fn from_settings(settings: &Settings) -> Result<Self, Refusal> {
        let count = |name: &str| match settings.count(name)?.map(u32::try_from) {
            Some(Err(_)) => Err(Refusal::Invalid(format!("option `{name}` is above {}", u32::MAX))),
            Some(Ok(n)) => Ok(Some(n).filter(|n| *n > 0)),
            None => Ok(None),
        };
        let style = match settings.text("style") {
            "" | "chat" => Style::Chat,
            "completion" => Style::Completion,
            other => {
                return Err(Refusal::Invalid(format!(
                    "option `style` is `{other}`, not `chat` or `completion`"
                )));
            }
        };
        let mut max_tokens = BTreeMap::new();
        for category in Category::ALL {
            let limit = count(category.max_tokens_option())?.unwrap_or(category.max_tokens());
            max_tokens.insert(category, limit);
        }
        Ok(Self {
            categories: Category::list(settings.text("categories"))
                .map_err(|e| Refusal::Invalid(format!("option `categories`: {e}")))?,
            total: count("total")?,
            few_shot: settings.toggle("few-shot")?,
            style,
            max_tokens,
        })
    }
}

/// The items in the order in which they are sent.
#[derive(Debug)]
pub(crate) struct Mix {
    pub(crate) entries: Vec<Entry>,
    pub(crate) shots: BTreeMap<Category, Vec<Box<dyn Example>>>,
    pub(crate) style: Style,
    pub(crate) max_tokens: BTreeMap<Category, u32>,
}

impl Mix {
    pub(crate) fn new(options: &Options, seed: u64, host: &dyn Host) -> Result<Self, Refusal> {
        let weights: Vec<u32> = options.categories.iter().map(|c| c.weight()).collect();
        let wanted = options.total.unwrap_or(weights.iter().sum());
        let wanted_shares = largest_remainder(wanted, &weights);
        let mut picked = Vec::new();
        for (category, share) in options.categories.iter().zip(&wanted_shares) {
            let found = pick(*category, *share, options.few_shot, seed, host)?;
            picked.push((*category, found));
        }
        let total = fitting_total(options, wanted, &weights, &picked, host)?;
        let shares = largest_remainder(total, &weights);
        let mut entries: Vec<Entry> = Vec::new();
        let mut shots = BTreeMap::new();
        for ((category, found), share) in picked.into_iter().zip(shares) {
            entries
                .extend(found.examples.into_iter().take(share as usize).map(|example| (category, example)));
            shots.insert(category, found.shots);
        }
        // A stream of its own, so that the order does not depend on how the examples were drawn.
        Rng::for_index(seed, u64::MAX).shuffle(&mut entries);
        Ok(Self { entries, shots, style: options.style, max_tokens: options.max_tokens.clone() })
    }
}

/// `share` examples of a category, or as many as there are.
fn pick(
    category: Category,
    share: u32,
    few_shot: bool,
    seed: u64,
    host: &dyn Host,
) -> Result<Picked, Refusal> {
    let records = Records::of(category, host)?;
    let shots = if few_shot { SHOTS } else { 0 };
    let share = share as usize;
    // A stream for each category: leaving one out does not change the others.
    let mut rng = Rng::for_index(seed, category as u64);
    let picked = match category {
        Category::Qa => from_articles(&records, shots, share, &mut rng),
        Category::Reasoning => from_lines(&records, shots, share, &mut rng, |label, i, r| {
            reasoning::problem(label, i, r).map(Some)
        }),
        Category::Chat => from_lines(&records, shots, share, &mut rng, chat::pair),
        Category::Code => {
            from_lines(&records, shots, share, &mut rng, |label, i, r| code::task(label, i, r).map(Some))
        }
    }?;
    if picked.shots.len() < shots {
        return Err(records.wrong(&format!("`few-shot` needs {SHOTS} examples that are not sent")));
    }
    let (name, found) = (category.name(), picked.examples.len());
    let origin = if records.is_file() { "its file" } else { "the starter set" };
    let passed_over = match picked.unusable {
        0 => String::new(),
        n => format!("; {n} records passed over that do not alternate, do not agree or have an empty turn"),
    };
    host.log(LogLevel::Info, &format!("`{name}`: {found} of {share} examples from {origin}{passed_over}"));
    Ok(picked)
}

/// The total asked for, or the largest that keeps the proportions.
fn fitting_total(
    options: &Options,
    wanted: u32,
    weights: &[u32],
    picked: &[(Category, Picked)],
    host: &dyn Host,
) -> Result<u32, Refusal> {
    let available: Vec<u32> =
        picked.iter().map(|(_, p)| u32::try_from(p.examples.len()).unwrap_or(u32::MAX)).collect();
    let shares = largest_remainder(wanted, weights);
    let short = picked.iter().zip(available.iter().zip(&shares)).find(|(_, (there, share))| there < share);
    let Some(((category, _), (there, share))) = short else { return Ok(wanted) };
    let fitting = largest_fitting(wanted, weights, &available);
    let lack = format!(
        "{wanted} items need {share} of `{}` and there are {there}: name its file with `--data {}=PATH`, or leave it out of \
         `categories`",
        category.name(),
        category.slot()
    );
    if options.total.is_some() {
        return Err(Refusal::Invalid(format!("option `total`: {lack}, or ask for at most {fitting}")));
    }
    if fitting == 0 {
        return Err(Refusal::Invalid(lack));
    }
    host.log(LogLevel::Info, &format!("{fitting} items keep the proportions; {lack}"));
    Ok(fitting)
}
