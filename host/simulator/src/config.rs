//! What a simulated server is told before it starts.
//!
//! Plain settings; nothing here opens a socket or knows a dialect's wire format.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddr};
use std::str::FromStr;
use std::time::Duration;

use anyhow::bail;

use crate::delay::Delay;
use crate::fault::FaultPlan;
use crate::stall::Stall;

/// The server whose manners are simulated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Dialect {
    /// The plain `OpenAI` interface.
    Openai,
    /// vLLM 0.33.
    Vllm,
    /// `SGLang` 0.5.
    Sglang,
    /// Hugging Face Text Generation Inference 3.3.
    Tgi,
    /// The server of llama.cpp, builds of 2026.
    Llamacpp,
    /// Friendli's container.
    Friendli,
    /// `transformers serve` 5.
    Transformers,
}

impl Dialect {
    /// All dialects, in the order of the documentation.
    pub const ALL: [Self; 7] = [
        Self::Openai,
        Self::Vllm,
        Self::Sglang,
        Self::Tgi,
        Self::Llamacpp,
        Self::Friendli,
        Self::Transformers,
    ];

    /// The name as written on the command line.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Openai => "openai",
            Self::Vllm => "vllm",
            Self::Sglang => "sglang",
            Self::Tgi => "tgi",
            Self::Llamacpp => "llamacpp",
            Self::Friendli => "friendli",
            Self::Transformers => "transformers",
        }
    }

    /// The port the real server listens on by default (inside its container where that is the usual way).
    pub const fn default_port(self) -> u16 {
        match self {
            Self::Sglang => 30_000,
            Self::Tgi => 3000,
            Self::Llamacpp => 8080,
            Self::Openai | Self::Vllm | Self::Friendli | Self::Transformers => 8000,
        }
    }
}

impl fmt::Display for Dialect {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.name())
    }
}

impl FromStr for Dialect {
    type Err = anyhow::Error;

    fn from_str(text: &str) -> anyhow::Result<Self> {
        let plain: String =
            text.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
        if let Some(dialect) = Self::ALL.into_iter().find(|dialect| dialect.name() == plain) {
            return Ok(dialect);
        }
        let names: Vec<&str> = Self::ALL.iter().map(|dialect| dialect.name()).collect();
        bail!("unknown dialect `{text}`; use one of {}", names.join(", "))
    }
}

/// Settings of a simulated server.
#[derive(Debug, Clone, PartialEq)]
pub struct SimulatorConfig {
    /// Whose manners.
    pub dialect: Dialect,
    /// Where to listen; port 0 picks a free one.
    pub bind: SocketAddr,
    /// The model's name in lists and answers.
    pub model: String,
    /// Source of every random choice. Texts depend on seed and prompt only; delays also on the request's number.
    pub seed: u64,
    /// Time from admission to the first event with a token.
    pub ttft: Delay,
    /// Time between two tokens.
    pub itl: Delay,
    /// Share by which each further running stream stretches all delays; 0 for none.
    pub batch_slowdown: f64,
    /// Tokens that become ready together, 1 or more. Engines that merge put them into one event, the others write that
    /// many events at once; the delay before them is the sum of as many draws of `itl`.
    pub tokens_per_event: u32,
    /// Put `sim_write_ns` (`CLOCK_MONOTONIC`, read when the event is handed to the socket) into every JSON event, and
    /// `sim_arrival_ns` (when the request arrived: the kernel's stamp where there is one) into an answer's first.
    pub stamp_writes: bool,
    /// Spend as little as possible on an event, so that one core serves many streams: chat answers only, one prepared
    /// event for all tokens, always stamped; no faults, no queue, no slow-down, and no manners of a dialect.
    pub lean: bool,
    /// When everything stands still.
    pub stalls: Vec<Stall>,
    /// Requests that run at once; those beyond wait. None: no limit.
    pub max_running: Option<u32>,
    /// Context size, prompt and answer together, in tokens.
    pub context_tokens: u32,
    /// Tokens that go first on the reasoning channel of chat answers; part of the length limits.
    pub reasoning_tokens: u32,
    /// Mix emoji and letters beyond ASCII into filler text.
    pub unicode: bool,
    /// Share of prompts, chosen by seed and prompt, whose answer is filler of the same length instead.
    pub wrong: f64,
    /// Share of its tokens that an answer keeps, above 0 and at most 1: its end, where results stand. Lengths that a
    /// request asks for are kept all the same.
    pub answer_length: f64,
    /// Key that requests must bring where the real server asks for one. None: open.
    pub api_key: Option<String>,
    /// What goes wrong, and for whom.
    pub fault: FaultPlan,
}

impl SimulatorConfig {
    /// The defaults: a free port on the loopback address, model `simulated`, seed 0, TTFT log-normal around 25 ms, ITL
    /// log-normal around 6 ms, 3 % slow-down for each further stream, 8192 tokens of context, no faults.
    pub fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            bind: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            model: "simulated".to_owned(),
            seed: 0,
            ttft: Delay::LogNormal { median: Duration::from_millis(25), sigma: 0.25 },
            itl: Delay::LogNormal { median: Duration::from_millis(6), sigma: 0.15 },
            batch_slowdown: 0.03,
            tokens_per_event: 1,
            stamp_writes: false,
            lean: false,
            stalls: Vec::new(),
            max_running: None,
            context_tokens: 8192,
            reasoning_tokens: 0,
            unicode: false,
            wrong: 0.0,
            answer_length: 1.0,
            api_key: None,
            fault: FaultPlan::none(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Dialect;

    #[test]
    fn names_come_back() {
        for dialect in Dialect::ALL {
            assert_eq!(dialect.to_string().parse::<Dialect>().unwrap(), dialect);
        }
        assert_eq!("llama.cpp".parse::<Dialect>().unwrap(), Dialect::Llamacpp);
        assert_eq!("vLLM".parse::<Dialect>().unwrap(), Dialect::Vllm);
    }

    #[test]
    fn an_unknown_name_is_told_the_known_ones() {
        let message = "vlm".parse::<Dialect>().unwrap_err().to_string();
        assert!(
            message.contains("`vlm`") && message.contains("vllm") && message.contains("tgi"),
            "{message}"
        );
    }
}
