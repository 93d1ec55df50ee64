//! Answers to questions about a passage: a name or a number from the sentence that shares most words with the question.

use std::collections::BTreeSet;

/// Words that say nothing about the topic.
const COMMON: [&str; 24] = [
    "the", "and", "what", "which", "who", "when", "where", "how", "did", "does", "was", "were", "for",
    "with", "that", "from", "many", "much", "are", "his", "her", "this", "has", "had",
];

/// Shortest text before the question that counts as a passage, in bytes.
const SHORTEST_PASSAGE: usize = 120;

/// The span, or nothing if the prompt has no passage with a question.
pub(super) fn answer(prompt: &str) -> Option<String> {
    let (passage, question) = parts(prompt)?;
    let topic = words(question);
    let best = sentences(passage).max_by_key(|sentence| words(sentence).intersection(&topic).count())?;
    let wants_number =
        question.to_lowercase().contains("how many") || question.to_lowercase().contains("when ");
    let number = best.split(|c: char| !c.is_ascii_digit()).find(|run| !run.is_empty());
    let name = || names(best).into_iter().find(|name| words(name).is_disjoint(&topic));
    match (wants_number, number) {
        (true, Some(number)) => Some(number.to_owned()),
        _ => name().or_else(|| number.map(str::to_owned)),
    }
}

/// Splits into passage and question: the last sentence that ends with `?`, and the longer part around it.
fn parts(prompt: &str) -> Option<(&str, &str)> {
    let end = prompt.rfind('?')?;
    let begin = prompt[..end].rfind(['.', '\n', '!', '?']).map_or(0, |at| at + 1);
    let (before, after) = (&prompt[..begin], &prompt[end + 1..]);
    let passage = if before.len() >= after.len() { before } else { after };
    (passage.len() >= SHORTEST_PASSAGE).then_some((passage, &prompt[begin..end]))
}

fn sentences(text: &str) -> impl Iterator<Item = &str> {
    text.split(['.', '\n', '!', '?']).map(str::trim).filter(|sentence| !sentence.is_empty())
}

/// The words of three letters and more that are not common, in lower case.
fn words(text: &str) -> BTreeSet<String> {
    text.split(|c: char| !c.is_alphanumeric())
        .filter(|word| word.len() > 2)
        .map(str::to_lowercase)
        .filter(|word| !COMMON.contains(&word.as_str()))
        .collect()
}

/// Runs of capitalised words, the sentence's first word only as part of a longer run.
fn names(sentence: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut run: Vec<&str> = Vec::new();
    for (at, word) in sentence.split_whitespace().enumerate() {
        let bare = word.trim_matches(|c: char| !c.is_alphanumeric());
        if bare.starts_with(char::is_uppercase) {
            run.push(bare);
        }
        let ends = !bare.starts_with(char::is_uppercase) || word.ends_with([',', ';', ')', ':']);
        if ends && !run.is_empty() {
            names.push((at, run.join(" ")));
            run.clear();
        }
    }
    if !run.is_empty() {
        names.push((usize::MAX, run.join(" ")));
    }
    let first = sentence.split_whitespace().next().unwrap_or_default();
    names.into_iter().map(|(_, name)| name).filter(|name| name != first).collect()
}

#[cfg(test)]
mod tests {
    use super::answer;

    const PASSAGE: &str = "The bridge was opened in 1894 after eight years of work. It was designed by Horace Jones for the \
        city. The towers are 65 metres tall and stand in the river near the old fortress.";

    #[test]
    fn finds_a_name() {
        let prompt = format!("{PASSAGE}\n\nQuestion: Who designed the bridge for the city?\nAnswer:");
        assert_eq!(answer(&prompt).unwrap(), "Horace Jones");
    }

    #[test]
    fn finds_a_number() {
        let prompt = format!("Question: When was the bridge opened after years of work?\n{PASSAGE}");
        assert_eq!(answer(&prompt).unwrap(), "1894");
    }

    #[test]
    fn no_passage_no_span() {
        assert_eq!(answer("How are you today?"), None);
        assert_eq!(answer(PASSAGE), None);
    }
}
