//! What is said: the text of an answer, cut into tokens, of the length that was asked for.
//!
//! A pure function of prompt, seed and limits: no clock, no dialect, no sockets.

mod code;
mod passage;
mod sums;
mod words;

use std::ops::Range;

use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::tokens;

/// The text an answer responds to.
#[derive(Debug, Clone, Default)]
pub(crate) struct Asked {
    /// Everything that was sent, system message and history included.
    pub(crate) all: String,
    /// The last message of the user, or the whole prompt.
    pub(crate) last: String,
}

/// How long the answer has to be.
#[derive(Debug, Clone, Default)]
pub(crate) struct Length {
    /// At most this many tokens.
    pub(crate) most: u32,
    /// At least this many tokens; the limit above wins.
    pub(crate) least: u32,
    /// Never end before the limit.
    pub(crate) ignore_end: bool,
    /// The answer ends before the first of these texts.
    pub(crate) stops: Vec<String>,
}

/// Why the answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Finish {
    /// The model was done.
    End,
    /// The limit was reached.
    Length,
    /// This stop text came up.
    StopText(String),
}

/// A text with the ends of its tokens.
#[derive(Debug, Clone, Default)]
pub(crate) struct Pieces {
    text: String,
    ends: Vec<usize>,
}

impl Pieces {
    fn new(text: &str) -> Self {
        let mut pieces = Self::default();
        pieces.append(tokens::split(text));
        pieces
    }

    fn append<'a>(&mut self, parts: impl IntoIterator<Item = &'a str>) {
        for part in parts {
            self.text.push_str(part);
            self.ends.push(self.text.len());
        }
    }

    fn truncate(&mut self, length: usize) {
        self.ends.truncate(length);
        self.text.truncate(self.ends.last().copied().unwrap_or(0));
    }

    /// Number of tokens.
    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The text of a range of tokens; ranges beyond the end are cut.
    pub(crate) fn slice(&self, range: Range<usize>) -> &str {
        let offset = |index: usize| match index.min(self.ends.len()) {
            0 => 0,
            n => self.ends[n - 1],
        };
        &self.text[offset(range.start)..offset(range.end)]
    }

    /// The whole text.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }
}

/// A whole answer.
#[derive(Debug, Clone)]
pub(crate) struct Script {
    /// What goes on the reasoning channel, first.
    pub(crate) reasoning: Pieces,
    /// The answer proper.
    pub(crate) answer: Pieces,
    /// How it ends.
    pub(crate) finish: Finish,
}

impl Script {
    /// Tokens on both channels.
    pub(crate) fn len(&self) -> usize {
        self.reasoning.len() + self.answer.len()
    }

    /// No tokens, as the fault `empty` wants it.
    pub(crate) fn empty() -> Self {
        Self { reasoning: Pieces::default(), answer: Pieces::default(), finish: Finish::End }
    }
}

/// Writes the answer. `reasoning` is the number of tokens for the reasoning channel; they count towards the limits.
pub(crate) fn write(asked: &Asked, length: &Length, seed: u64, reasoning: u32, unicode: bool) -> Script {
    let mut random = ChaCha8Rng::seed_from_u64(tokens::hash(asked.all.as_bytes()) ^ seed);
    let most = length.most as usize;
    let reasoning = filler_pieces(&mut random, (reasoning as usize).min(most), unicode);
    let room = most - reasoning.len();
    let mut answer = Pieces::new(&compose(asked, &mut random, unicode));
    let least = if length.ignore_end {
        room
    } else {
        (length.least as usize).saturating_sub(reasoning.len()).min(room)
    };
    if answer.len() < least {
        lengthen(&mut answer, least, &mut random);
    }
    let mut finish = if answer.len() >= room { Finish::Length } else { Finish::End };
    answer.truncate(room);
    if let Some(stop) = cut_at_stop(&mut answer, &length.stops) {
        finish = Finish::StopText(stop);
    }
    Script { reasoning, answer, finish }
}

/// Chooses the kind of answer from what the prompt asks for.
fn compose(asked: &Asked, random: &mut ChaCha8Rng, unicode: bool) -> String {
    if asked.all.contains("####") {
        return sums::answer(&asked.last);
    }
    if let Some(block) = code::answer(&asked.last) {
        return block;
    }
    if let Some(span) = passage::answer(&asked.last) {
        return span;
    }
    let sentences = random.random_range(2..=12);
    let filler = words::sentences(random, sentences, unicode);
    if words::wants_sympathy(&asked.all) { words::sympathy(random) } else { filler }
}

/// Appends filler words until the text has `least` tokens.
fn lengthen(answer: &mut Pieces, least: usize, random: &mut ChaCha8Rng) {
    while answer.len() < least {
        answer.append([words::spaced_word(random)]);
    }
}

/// Exactly `length` tokens of filler.
fn filler_pieces(random: &mut ChaCha8Rng, length: usize, unicode: bool) -> Pieces {
    let mut pieces = Pieces::new(&words::sentences(random, length / 8 + 1, unicode));
    lengthen(&mut pieces, length, random);
    pieces.truncate(length);
    pieces
}

/// Ends the answer with the last whole token before the earliest stop text; returns that text.
fn cut_at_stop(answer: &mut Pieces, stops: &[String]) -> Option<String> {
    let (at, stop) = stops
        .iter()
        .filter(|stop| !stop.is_empty())
        .filter_map(|stop| answer.text.find(stop.as_str()).map(|at| (at, stop)))
        .min_by_key(|(at, _)| *at)?;
    let keep = answer.ends.partition_point(|end| *end <= at);
    answer.truncate(keep);
    Some(stop.clone())
}

#[cfg(test)]
mod tests {
    use super::{Asked, Finish, Length, write};
    use crate::tokens;

    fn asked(text: &str) -> Asked {
        Asked { all: text.to_owned(), last: text.to_owned() }
    }

    fn free() -> Length {
        Length { most: 1000, ..Length::default() }
    }

    #[test]
    fn the_same_seed_gives_the_same_text_and_another_seed_another() {
        let text =
            |seed| write(&asked("Tell me about the sea."), &free(), seed, 0, false).answer.text().to_owned();
        assert_eq!(text(1), text(1));
        assert_ne!(text(1), text(2));
    }

    #[test]
    fn forced_lengths_are_exact_and_whole_tokens() {
        for most in [1u32, 2, 17, 400] {
            for prompt in
                ["Hello", "End with #### <number>. 3 apples and 4 pears?", "def add(a, b):\n    pass"]
            {
                let length = Length { most, ignore_end: true, ..Length::default() };
                let script = write(&asked(prompt), &length, 3, 5, true);
                assert_eq!(script.len(), most as usize);
                assert_eq!(script.finish, Finish::Length);
                assert_eq!(tokens::count(script.answer.text()) as usize, script.answer.len());
                assert_eq!(script.answer.slice(0..usize::MAX), script.answer.text());
            }
        }
    }

    #[test]
    fn at_least_is_honoured_and_ends_by_itself() {
        let length = Length { most: 900, least: 500, ..Length::default() };
        let script = write(&asked("Hi"), &length, 3, 0, false);
        assert_eq!((script.len(), script.finish), (500, Finish::End));
    }

    #[test]
    fn a_stop_text_ends_the_answer_before_itself() {
        let length = Length { stops: vec!["####".to_owned()], ..free() };
        let script = write(&asked("What is 1 and 2? End with `#### <number>`."), &length, 0, 0, false);
        assert_eq!(script.finish, Finish::StopText("####".to_owned()));
        assert!(!script.answer.text().contains("####") && script.answer.len() > 3);
    }

    #[test]
    fn nothing_fits_into_no_room() {
        let script = write(&asked("Hi"), &Length::default(), 0, 9, false);
        assert_eq!((script.len(), script.finish), (0, Finish::Length));
    }

    #[test]
    fn the_unicode_flavour_leaves_ascii() {
        let script =
            write(&asked("Hi"), &Length { most: 300, ignore_end: true, ..Length::default() }, 0, 40, true);
        assert!(!script.reasoning.text().is_ascii() || !script.answer.text().is_ascii());
    }
}
