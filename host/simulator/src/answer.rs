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

/// What is particular about a server's answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    /// Tokens for the reasoning channel, first; they count towards the limits.
    pub(crate) reasoning: u32,
    /// Emoji and letters beyond ASCII in filler.
    pub(crate) unicode: bool,
    /// Share of prompts whose answer is filler of the same length.
    pub(crate) wrong: f64,
    /// Share of its tokens that an answer keeps, its end; 1 for all.
    pub(crate) length: f64,
}

impl Style {
    /// Answers as they come.
    #[cfg(test)]
    const PLAIN: Self = Self { reasoning: 0, unicode: false, wrong: 0.0, length: 1.0 };
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

    /// Keeps this share of the tokens, one at least: the last ones.
    fn keep_end(&mut self, share: f64) {
        let length = self.ends.len();
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "not negative, and cut to the length below"
        )]
        let keep = ((length as f64 * share.max(0.0)).round() as usize).max(1);
        let kept = self.slice(length.saturating_sub(keep)..length).to_owned();
        *self = Self::new(&kept);
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

/// Writes the answer.
pub(crate) fn write(asked: &Asked, length: &Length, seed: u64, style: Style) -> Script {
    let mut random = ChaCha8Rng::seed_from_u64(tokens::hash(asked.all.as_bytes()) ^ seed);
    let most = length.most as usize;
    let reasoning = filler_pieces(&mut random, (style.reasoning as usize).min(most), style.unicode);
    let room = most - reasoning.len();
    let mut answer = Pieces::new(&compose(asked, &mut random, style.unicode));
    // Drawn behind the text, so that right answers read the same whatever the share of wrong ones.
    if style.wrong > 0.0 && random.random::<f64>() < style.wrong {
        answer = filler_pieces(&mut random, answer.len(), style.unicode);
    }
    if style.length < 1.0 {
        answer.keep_end(style.length);
    }
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
    use super::{Asked, Finish, Length, Style, write};
    use crate::tokens;

    fn asked(text: &str) -> Asked {
        Asked { all: text.to_owned(), last: text.to_owned() }
    }

    fn free() -> Length {
        Length { most: 1000, ..Length::default() }
    }

    #[test]
    fn the_same_seed_gives_the_same_text_and_another_seed_another() {
        let text = |seed| {
            write(&asked("Tell me about the sea."), &free(), seed, Style::PLAIN).answer.text().to_owned()
        };
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
                let script =
                    write(&asked(prompt), &length, 3, Style { reasoning: 5, unicode: true, ..Style::PLAIN });
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
        let script = write(&asked("Hi"), &length, 3, Style::PLAIN);
        assert_eq!((script.len(), script.finish), (500, Finish::End));
    }

    #[test]
    fn a_stop_text_ends_the_answer_before_itself() {
        let length = Length { stops: vec!["####".to_owned()], ..free() };
        let script = write(&asked("What is 1 and 2? End with `#### <number>`."), &length, 0, Style::PLAIN);
        assert_eq!(script.finish, Finish::StopText("####".to_owned()));
        assert!(!script.answer.text().contains("####") && script.answer.len() > 3);
    }

    #[test]
    fn nothing_fits_into_no_room() {
        let script = write(&asked("Hi"), &Length::default(), 0, Style { reasoning: 9, ..Style::PLAIN });
        assert_eq!((script.len(), script.finish), (0, Finish::Length));
    }

    #[test]
    fn the_unicode_flavour_leaves_ascii() {
        let script = write(
            &asked("Hi"),
            &Length { most: 300, ignore_end: true, ..Length::default() },
            0,
            Style { reasoning: 40, unicode: true, ..Style::PLAIN },
        );
        assert!(!script.reasoning.text().is_ascii() || !script.answer.text().is_ascii());
    }

    const SUM: &str =
        "Solve it. End with a line of the form `#### number`.\n\nAnn has 31 apples and buys 4 more.";

    #[test]
    fn a_share_of_the_prompts_is_answered_wrongly_at_the_same_length() {
        let styled = |seed, wrong| write(&asked(SUM), &free(), seed, Style { wrong, ..Style::PLAIN });
        let right = styled(0, 0.0);
        assert!(right.answer.text().ends_with("#### 35"), "{}", right.answer.text());
        let wrong = (0..1000).filter(|seed| !styled(*seed, 0.2).answer.text().contains("####")).count();
        assert!((150..250).contains(&wrong), "{wrong}");
        assert!((0..50).all(|seed| styled(seed, 0.5).len() == right.len()));
        assert_eq!(styled(7, 0.2).answer.text(), styled(7, 0.2).answer.text());
    }

    #[test]
    fn a_shortened_answer_loses_its_beginning_and_keeps_its_result() {
        let styled = |length| write(&asked(SUM), &free(), 0, Style { length, ..Style::PLAIN });
        let (whole, short) = (styled(1.0), styled(0.9));
        assert!(
            whole.answer.text().ends_with(short.answer.text()) && short.answer.text().ends_with("#### 35")
        );
        let (whole, short) = (whole.len() as f64, short.len() as f64);
        assert!((short / whole - 0.9).abs() <= 0.5 / whole, "{short} of {whole}");
        assert_eq!(styled(0.001).len(), 1);
        let forced = Length { most: 40, ignore_end: true, ..Length::default() };
        assert_eq!(write(&asked(SUM), &forced, 0, Style { length: 0.5, ..Style::PLAIN }).len(), 40);
    }
}
