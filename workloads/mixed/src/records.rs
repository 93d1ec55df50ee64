//! Where the records of a category come from: the file in its slot, or the starter set. Must not know their fields.

use benchhost_sdk::{Host, Refusal};
use serde_json::Value;

use crate::category::Category;

/// Records of one category, read one at a time so that a large file need not fit into memory.
pub(crate) struct Records<'h> {
    source: Source<'h>,
    /// How item ids begin.
    pub(crate) label: String,
    /// For messages.
    place: String,
}

enum Source<'h> {
    File { host: &'h dyn Host, slot: &'static str },
    Starter(Vec<Value>),
}

impl<'h> Records<'h> {
    /// The file when the user named one, else the starter set.
    pub(crate) fn of(category: Category, host: &'h dyn Host) -> Result<Self, Refusal> {
        let slot = category.slot();
        Ok(match host.slot(slot) {
            Some(file) => Self {
                source: Source::File { host, slot },
                label: slot.to_owned(),
                place: format!("slot `{slot}`, file `{}`", file.name),
            },
            None => Self {
                source: Source::Starter(starter(category).map_err(|e| {
                    Refusal::Internal(format!("the starter set of `{}` is damaged: {e}", category.name()))
                })?),
                label: format!("starter-{}", category.name()),
                place: format!("starter set of `{}`", category.name()),
            },
        })
    }

    pub(crate) fn len(&self) -> Result<u32, Refusal> {
        match &self.source {
            Source::File { host, slot } => host.records(slot).map_err(|e| self.wrong(&e)),
            Source::Starter(records) => Ok(u32::try_from(records.len()).unwrap_or(u32::MAX)),
        }
    }

    pub(crate) fn get(&self, index: u32) -> Result<Value, Refusal> {
        match &self.source {
            Source::File { host, slot } => {
                let text = host.record(slot, index).map_err(|e| self.wrong(&e))?;
                serde_json::from_str(&text)
                    .map_err(|e| self.wrong(&format!("record {index} is not JSON: {e}")))
            }
            Source::Starter(records) => records
                .get(index as usize)
                .cloned()
                .ok_or_else(|| self.wrong(&format!("there is no record {index}"))),
        }
    }

    /// What is wrong, with the place.
    pub(crate) fn wrong(&self, what: &str) -> Refusal {
        Refusal::Invalid(format!("{}: {what}", self.place))
    }

    /// Whether a file was named.
    pub(crate) const fn is_file(&self) -> bool {
        matches!(self.source, Source::File { .. })
    }
}

/// Written for this project, in the native form of each data set, so that one parser reads both.
fn starter(category: Category) -> serde_json::Result<Vec<Value>> {
    let lines = |text: &str| text.lines().map(serde_json::from_str).collect();
    match category {
        Category::Qa => {
            let document: Value = serde_json::from_str(include_str!("../data/starter-qa.json"))?;
            Ok(document["data"].as_array().cloned().unwrap_or_default())
        }
        Category::Reasoning => lines(include_str!("../data/starter-reasoning.jsonl")),
        Category::Chat => lines(include_str!("../data/starter-chat.jsonl")),
        Category::Code => lines(include_str!("../data/starter-code.jsonl")),
    }
}
