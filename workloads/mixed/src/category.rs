//! The four categories and what is fixed about each. Must not know examples.

/// A kind of task.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Category {
    /// A question on a passage, sometimes without an answer.
    Qa,
    /// A word problem whose answer is a number.
    Reasoning,
    /// A conversation whose next answer is asked for.
    Chat,
    /// A Python function to complete.
    Code,
}

impl Category {
    /// In the order of the declared proportions.
    pub const ALL: [Self; 4] = [Self::Qa, Self::Reasoning, Self::Chat, Self::Code];

    /// As in the column `category`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Qa => "qa",
            Self::Reasoning => "reasoning",
            Self::Chat => "chat",
            Self::Code => "code",
        }
    }

    /// Examples of this category in a mix of 520.
    pub const fn weight(self) -> u32 {
        match self {
            Self::Qa => 200,
            Self::Reasoning | Self::Chat => 120,
            Self::Code => 80,
        }
    }

    /// The slot of its file.
    pub const fn slot(self) -> &'static str {
        match self {
            Self::Qa => "squad",
            Self::Reasoning => "gsm8k",
            Self::Chat => "hh",
            Self::Code => "humaneval",
        }
    }

    /// The option that changes its token limit.
    pub const fn max_tokens_option(self) -> &'static str {
        match self {
            Self::Qa => "qa-max-tokens",
            Self::Reasoning => "reasoning-max-tokens",
            Self::Chat => "chat-max-tokens",
            Self::Code => "code-max-tokens",
        }
    }

    /// Tokens that hold nearly every good answer of this category.
    pub const fn max_tokens(self) -> u32 {
        match self {
            Self::Qa => 48,
            Self::Reasoning => 320,
            Self::Chat => 256,
            Self::Code => 400,
        }
    }

    /// Texts that end an answer in completion style. Those of code are the ones of the HumanEval paper.
    pub const fn stops(self) -> &'static [&'static str] {
        match self {
            Self::Qa => &["\n"],
            Self::Reasoning => &["\nQuestion:"],
            Self::Chat => &["\n\nHuman:", "\n\n---"],
            Self::Code => &["\nclass", "\ndef", "\n#", "\nif", "\nprint"],
        }
    }

    /// Reads a list such as `qa,code`; names may repeat and have spaces around them.
    pub(crate) fn list(text: &str) -> Result<Vec<Self>, String> {
        let mut chosen = Vec::new();
        for name in text.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let Some(category) = Self::ALL.into_iter().find(|c| c.name() == name) else {
                return Err(format!(
                    "`{name}` is not a category; there are `qa`, `reasoning`, `chat` and `code`"
                ));
            };
            chosen.push(category);
        }
        if chosen.is_empty() {
            return Ok(Self::ALL.to_vec());
        }
        chosen.sort_unstable();
        chosen.dedup();
        Ok(chosen)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_put_into_the_declared_order_without_doubles() {
        assert_eq!(Category::list("code, qa,code"), Ok(vec![Category::Qa, Category::Code]));
        assert_eq!(Category::list(""), Ok(Category::ALL.to_vec()));
        assert!(Category::list("qa,maths").unwrap_err().contains("`maths`"));
    }

    #[test]
    fn the_weights_are_those_of_a_mix_of_520() {
        assert_eq!(Category::ALL.iter().map(|c| c.weight()).sum::<u32>(), 520);
    }
}
