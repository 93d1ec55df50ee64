//! From a timeline to a record: frames the body, asks the adapter what each event meant, and turns event indices into
//! times. Runs on a thread that does no network I/O, after the response ended; nothing here can move a stamp.

use benchhost_framing::{Framed, Framer};
use benchhost_http::{Shared, attribution};
use benchhost_model::{
    Answer, Closing, EndRule, Ending, Event, Failure, Finish, Framing, Meaning, Nanos, Outcome, StampSource,
    Timeline, TokensSource, Usage,
};
use benchhost_plugin::{CallError, DecodeInput, EngineInstance};

use crate::store::{EventBlock, Sharing, StampsFrom};

/// What decoding must know of the request.
#[derive(Debug, Clone)]
pub(crate) struct Expectation {
    pub(crate) framing: Framing,
    pub(crate) end: EndRule,
    pub(crate) ctx: String,
    pub(crate) turn: u32,
}

/// What one exchange came to.
#[derive(Debug)]
pub(crate) struct Decoded {
    pub(crate) outcome: Outcome,
    pub(crate) failure: Option<Failure>,
    pub(crate) detail: String,
    pub(crate) finish: Option<Finish>,
    pub(crate) usage: Usage,
    pub(crate) tokens_source: TokensSource,
    pub(crate) output: OutputTimes,
    pub(crate) answer: Answer,
    pub(crate) tool: String,
    pub(crate) server_timings: String,
}

/// Times of output events.
#[derive(Debug, Default, Clone, PartialEq)]
pub(crate) struct OutputTimes {
    /// One stamp an event, rising.
    pub(crate) at: Vec<Nanos>,
    /// Kind letters of [`EventBlock::kinds`].
    pub(crate) kinds: String,
    /// Tokens of each event, where all are known.
    pub(crate) tokens: Vec<u32>,
    /// How much later than the kernel the program saw each; `None`: the kernel did not stamp it.
    pub(crate) lags: Vec<Option<Nanos>>,
    /// Which shared a read with a later one.
    pub(crate) sharing: Vec<Sharing>,
}

impl OutputTimes {
    /// As it is stored.
    pub(crate) fn block(&self, row: u64) -> EventBlock {
        let mut before = Nanos::ZERO;
        let gap = |at: &Nanos| (*at - std::mem::replace(&mut before, *at)).get();
        let lag = |lag: Nanos| u32::try_from(lag.get()).unwrap_or(u32::MAX);
        let none_shared = self.sharing.iter().all(|s| *s == Sharing::Alone);
        let none_stamped = self.lags.iter().all(Option::is_none);
        EventBlock {
            row,
            gaps: self.at.iter().map(gap).collect(),
            kinds: self.kinds.clone(),
            tokens: self.tokens.clone(),
            lags: if none_stamped { Vec::new() } else { self.lags.iter().map(|l| l.map(lag)).collect() },
            sharing: if none_shared { Vec::new() } else { self.sharing.clone() },
            stamps: match self.stamps() {
                "kernel" => StampsFrom::Kernel,
                "mixed" => StampsFrom::Mixed,
                _ => StampsFrom::User,
            },
        }
    }

    /// The `stamps` column.
    pub(crate) fn stamps(&self) -> &'static str {
        let kernel = self.lags.iter().filter(|lag| lag.is_some()).count();
        match kernel {
            _ if self.at.is_empty() => "",
            0 => "user",
            n if n == self.at.len() => "kernel",
            _ => "mixed",
        }
    }

    /// The lag of the first event and the largest of all, in nanoseconds.
    pub(crate) fn lags(&self) -> (Option<u64>, Option<u64>) {
        let first = self.lags.first().copied().flatten();
        (first.map(Nanos::get), self.lags.iter().flatten().max().map(|lag| lag.get()))
    }

    /// Events whose own time is not known: because this program was late, because they were sent together.
    pub(crate) fn shared(&self) -> (u32, u32) {
        let count = |is: fn(&Sharing) -> bool| {
            u32::try_from(self.sharing.iter().filter(|s| is(s)).count()).unwrap_or(u32::MAX)
        };
        (count(|s| s.is_doubtful()), count(|s| *s == Sharing::Together))
    }
}

/// Decodes one finished exchange.
pub(crate) fn decode(engine: &mut EngineInstance, expect: &Expectation, timeline: &Timeline) -> Decoded {
    let Some(status) = timeline.status else { return Decoded::without_answer(expect, timeline) };
    if timeline.failure.as_ref().is_some_and(|f| f.failure == Failure::TooLarge) {
        // A body cut at the cap is not worth a plugin's memory.
        return Decoded::without_answer(expect, timeline);
    }
    let framing = framing_in_fact(expect.framing, status, &timeline.headers);
    let cut = frame(framing, &timeline.body);
    let events: Vec<Event> =
        cut.iter().map(|f| Event { name: f.name.clone(), data: f.data.clone() }).collect();
    let input = DecodeInput {
        ctx: &expect.ctx,
        status,
        headers: &timeline.headers,
        events: &events,
        ending: timeline.ending,
    };
    match engine.decode(&input) {
        Ok(decoded) => conclude(expect, timeline, status, &cut, &decoded.meanings, &decoded.closing),
        Err(error) => {
            let mut out = Decoded::without_answer(expect, timeline);
            out.fail(plugin_failure(&error), error.to_string());
            out
        }
    }
}

fn plugin_failure(error: &CallError) -> Failure {
    match error {
        CallError::Refused(_) => Failure::Decode,
        _ => Failure::Plugin,
    }
}

/// An error answer, or JSON where a stream was expected, is one whole document whatever was asked for.
fn framing_in_fact(asked: Framing, status: u16, headers: &[(String, String)]) -> Framing {
    let content_type =
        headers.iter().find(|(name, _)| name == "content-type").map(|(_, v)| v.to_ascii_lowercase());
    let json =
        content_type.is_some_and(|t| t.split(';').next().is_some_and(|t| t.trim() == "application/json"));
    if !(200..300).contains(&status) || (json && asked == Framing::Sse) { Framing::WholeBody } else { asked }
}

fn frame(framing: Framing, body: &[u8]) -> Vec<Framed> {
    let mut cutter = Framer::new(match framing {
        Framing::Sse => benchhost_framing::Framing::Sse,
        Framing::Ndjson => benchhost_framing::Framing::Ndjson,
        Framing::WholeBody => benchhost_framing::Framing::WholeBody,
    });
    let mut framed = Vec::new();
    cutter.push(body, &mut framed);
    let _tail = cutter.finish(&mut framed);
    framed
}

impl Decoded {
    /// No usable answer: what the transport says is all there is.
    fn without_answer(expect: &Expectation, timeline: &Timeline) -> Self {
        let mut out = Self {
            outcome: Outcome::Completed,
            failure: None,
            detail: String::new(),
            finish: None,
            usage: Usage::default(),
            tokens_source: TokensSource::None,
            output: OutputTimes::default(),
            answer: Answer {
                turn: expect.turn,
                text: String::new(),
                reasoning: String::new(),
                finish: Finish::Other,
            },
            tool: String::new(),
            server_timings: String::new(),
        };
        if timeline.sent.is_none() && timeline.failure.is_none() {
            out.outcome = Outcome::Shed;
        } else if let Some(failure) = &timeline.failure {
            out.fail(failure.failure, failure.detail.clone());
        } else if timeline.hung_up {
            out.outcome = Outcome::HungUp;
        } else if timeline.ending == Ending::Cancelled {
            out.outcome = Outcome::Cut;
        } else {
            out.fail(Failure::Closed, "the connection closed before a response".into());
        }
        out
    }

    /// Counts the answer's tokens where neither usage nor events told them.
    pub(crate) fn count_with(&mut self, encode: impl Fn(&str) -> Option<Vec<u32>>) {
        if self.tokens_source != TokensSource::None || self.outcome != Outcome::Completed {
            return;
        }
        let texts = [&self.answer.reasoning, &self.answer.text, &self.tool];
        let counts: Option<Vec<usize>> = texts.iter().map(|t| encode(t).map(|ids| ids.len())).collect();
        if let Some(total) = counts.and_then(|c| u32::try_from(c.iter().sum::<usize>()).ok()) {
            self.usage.completion_tokens = Some(total);
            self.tokens_source = TokensSource::Tokenizer;
        }
    }

    fn fail(&mut self, failure: Failure, detail: String) {
        self.outcome = Outcome::Failed;
        self.failure = Some(failure);
        self.detail = detail;
    }
}

/// Everything is known; the order of the questions is the order of causes.
fn conclude(
    expect: &Expectation,
    timeline: &Timeline,
    status: u16,
    framed: &[Framed],
    meanings: &[Meaning],
    closing: &Closing,
) -> Decoded {
    let mut out = Decoded::without_answer(expect, timeline);
    let transport = (out.outcome != Outcome::Completed && timeline.failure.is_some())
        || matches!(out.outcome, Outcome::Cut | Outcome::HungUp);
    let mut error = None;
    let mut finishes = Vec::new();
    for meaning in meanings.iter().chain(&closing.last) {
        out.answer.text.push_str(&meaning.text);
        out.answer.text.push_str(&meaning.refusal);
        out.answer.reasoning.push_str(&meaning.reasoning);
        out.tool.push_str(&meaning.tool);
        if let Some(usage) = &meaning.usage {
            add_usage(&mut out.usage, usage);
        }
        finishes.extend(meaning.finish);
        if error.is_none() {
            error.clone_from(&meaning.error);
        }
        if !meaning.timings.is_empty() {
            out.server_timings.clone_from(&meaning.timings);
        }
    }
    out.finish = finishes.last().copied();
    out.answer.finish = out.finish.unwrap_or(Finish::Other);
    out.output = output_times(timeline, framed, meanings, closing.last.as_ref());
    count_tokens(&mut out);
    if transport && !(ended_after_its_end(timeline) && is_whole(expect, framed, &finishes, closing)) {
        return out;
    }
    (out.outcome, out.failure, out.detail) = (Outcome::Completed, None, String::new());
    if !(200..300).contains(&status) {
        let said = error.map_or_else(|| excerpt(&timeline.body), |e| e.message);
        out.fail(Failure::Http(status), said);
    } else if let Some(error) = error {
        let failure = if error.kind == "decode" { Failure::Decode } else { Failure::InBandError };
        out.fail(failure, error.message);
    } else if !is_whole(expect, framed, &finishes, closing) {
        out.fail(Failure::Truncated, "the stream ended without its end marker".into());
    } else if out.output.at.is_empty() {
        out.fail(Failure::Empty, "a clean answer without any output".into());
    }
    out
}

/// The connection broke within the body: some servers send their end marker and then drop the last chunk.
fn ended_after_its_end(timeline: &Timeline) -> bool {
    timeline.failure.as_ref().is_some_and(|f| f.failure == Failure::Truncated)
}

/// The adapter's word, held against the rule it declared itself.
fn is_whole(expect: &Expectation, framed: &[Framed], finishes: &[Finish], closing: &Closing) -> bool {
    let by_rule = match &expect.end {
        _ if expect.framing == Framing::WholeBody => true,
        EndRule::DoneData(mark) => {
            framed.iter().any(|f| f.data.trim() == mark) || is_document(framed, finishes)
        }
        EndRule::DoneEvent(name) => framed.iter().any(|f| &f.name == name),
        EndRule::FinishReason => !finishes.is_empty(),
        EndRule::EndOfBody => true,
    };
    closing.whole && by_rule
}

/// A server that answers a streaming request with one JSON document sends no end marker.
fn is_document(framed: &[Framed], finishes: &[Finish]) -> bool {
    framed.len() == 1 && !finishes.is_empty()
}

fn add_usage(total: &mut Usage, stated: &Usage) {
    let merge = |total: &mut Option<u32>, value: Option<u32>| {
        if let Some(value) = value {
            *total = Some(if stated.cumulative { value } else { total.unwrap_or(0).saturating_add(value) });
        }
    };
    merge(&mut total.prompt_tokens, stated.prompt_tokens);
    merge(&mut total.completion_tokens, stated.completion_tokens);
    merge(&mut total.cached_tokens, stated.cached_tokens);
    merge(&mut total.reasoning_tokens, stated.reasoning_tokens);
}

fn output_times(
    timeline: &Timeline,
    framed: &[Framed],
    meanings: &[Meaning],
    last: Option<&Meaning>,
) -> OutputTimes {
    let mut out = OutputTimes::default();
    let mut all_known = true;
    let mut running: Option<u32> = None;
    let body_end = timeline.body.len() as u64;
    let ends = framed.iter().map(|f| f.end);
    let mut output_ends = Vec::new();
    for (meaning, end) in meanings.iter().zip(ends).chain(last.map(|m| (m, body_end))) {
        let counted = meaning.token_count().or_else(|| continuous(meaning, &mut running));
        if !meaning.is_output() && counted.is_none_or(|n| n == 0) {
            continue;
        }
        output_ends.push(end);
        out.kinds.push(kind(meaning));
        match counted {
            Some(n) => out.tokens.push(n),
            None => all_known = false,
        }
    }
    if !all_known {
        out.tokens.clear();
    }
    for stamp in attribution(timeline, &output_ends) {
        out.at.push(stamp.at);
        out.lags.push(stamp.lag.filter(|_| stamp.source == StampSource::Kernel));
        out.sharing.push(match stamp.shared {
            Shared::No => Sharing::Alone,
            Shared::Together => Sharing::Together,
            Shared::Censored => Sharing::Censored,
            Shared::Unknown => Sharing::Unknown,
        });
    }
    out
}

/// With continuous usage, the rise of the total is what this event carries.
fn continuous(meaning: &Meaning, running: &mut Option<u32>) -> Option<u32> {
    let usage = meaning.usage.filter(|u| u.cumulative && !meaning.done)?;
    let total = usage.completion_tokens?;
    // A lone statement at the end is a total, not a count for its event.
    if running.is_none() && meaning.text.is_empty() && meaning.reasoning.is_empty() && total > 0 {
        return None;
    }
    let before = running.replace(total).unwrap_or(0);
    Some(total.saturating_sub(before))
}

fn kind(meaning: &Meaning) -> char {
    if !meaning.text.is_empty() {
        'a'
    } else if !meaning.reasoning.is_empty() {
        'r'
    } else if !meaning.tool.is_empty() {
        't'
    } else if !meaning.refusal.is_empty() {
        'f'
    } else {
        'n'
    }
}

/// Usage first, then counts inside the events; never the number of events (`method.md` §1.2).
fn count_tokens(out: &mut Decoded) {
    if out.usage.completion_tokens.is_some() {
        out.tokens_source = TokensSource::Usage;
    } else if !out.output.tokens.is_empty() {
        out.usage.completion_tokens = Some(out.output.tokens.iter().sum());
        out.tokens_source = TokensSource::Events;
    }
}

/// The first 200 characters of a body that is not of the dialect.
pub(crate) fn excerpt(body: &[u8]) -> String {
    let text = String::from_utf8_lossy(&body[..body.len().min(800)]).replace(['\n', '\r'], " ");
    text.chars().take(200).collect()
}
