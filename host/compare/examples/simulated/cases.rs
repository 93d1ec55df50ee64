//! The servers that are measured and the comparisons that are made of them. Knows flags of `benchhost`; runs nothing.

/// A simulated server.
pub(crate) struct Server {
    /// Name of its runs.
    pub(crate) name: &'static str,
    /// Flags of `benchhost simulate` in which it differs from the base.
    pub(crate) flags: &'static [(&'static str, &'static str)],
}

/// The base: what a changed server leaves as it is.
pub(crate) const BASE: &[(&str, &str)] = &[
    ("--ttft", "tailed:40ms,0.1,0.05,3"),
    ("--itl", "lognormal:8ms,0.15"),
    ("--batch-slowdown", "0.002"),
    ("--wrong", "0.2"),
];

/// The base first.
pub(crate) const SERVERS: &[Server] = &[
    Server { name: "base", flags: &[] },
    Server { name: "tpot", flags: &[("--itl", "lognormal:8.24ms,0.15")] },
    Server { name: "tail", flags: &[("--ttft", "tailed:40ms,0.1,0.05,3.3")] },
    Server { name: "errors", flags: &[("--fault", "http-error:status=500,share=0.01")] },
    Server { name: "shorter", flags: &[("--answer-length", "0.9")] },
    Server { name: "quality", flags: &[("--wrong", "0.3")] },
];

/// Load and workload of every run.
pub(crate) const LOAD: &[&str] = &[
    "--workload=mixed",
    "--workload-option=categories=reasoning,chat",
    "--concurrency=64",
    "--no-selfcheck",
    "--no-plots",
    "--gpu=off",
    "--gauges=off",
    "--quiet",
];

/// A line of the table.
pub(crate) struct Case {
    /// What is true.
    pub(crate) truth: &'static str,
    /// The server on the new side.
    pub(crate) server: &'static str,
    /// Figures that should be called worse; empty: none.
    pub(crate) worse: &'static [&'static str],
    /// Flags of `benchhost compare`.
    pub(crate) flags: &'static [&'static str],
}

impl Case {
    /// Nothing differs.
    pub(crate) fn same(&self) -> bool {
        self.server == SERVERS[0].name
    }
}

/// The lines.
pub(crate) const CASES: &[Case] = &[
    Case { truth: "same system", server: "base", worse: &[], flags: &[] },
    Case {
        truth: "same system, margins of 0.01 %",
        server: "base",
        worse: &[],

        flags: &["--margin=0.01%", "--margin=error_rate=0.001pt"],
    },
    Case { truth: "TPOT +3 %", server: "tpot", worse: &["tpot_p50"], flags: &[] },
    Case { truth: "TTFT p99 +10 %, margin 10 %", server: "tail", worse: &["ttft_p99"], flags: &[] },
    Case {
        truth: "TTFT p99 +10 %, margin 5 %",
        server: "tail",
        worse: &["ttft_p99"],

        flags: &["--margin=ttft_p99=5%"],
    },
    Case { truth: "1 % errors", server: "errors", worse: &["error_rate"], flags: &[] },
    Case { truth: "answers 10 % shorter", server: "shorter", worse: &[], flags: &[] },
    Case {
        truth: "right answers 80 % → 70 %",
        server: "quality",
        worse: &["score_reasoning_correct"],

        flags: &[],
    },
];

/// Word problems that the simulator solves, in the format of GSM8K.
pub(crate) fn problems(count: u32) -> String {
    let line = |n: u32| {
        let (a, b) = (10 + n * 7 % 83, 2 + n * 11 % 61);
        let goods = ["apples", "boxes", "letters", "coins"][n as usize % 4];
        format!(
            "{{\"question\": \"Number {n}: Ann has {a} {goods} and buys {b}. How many {goods} has she now?\", \
             \"answer\": \"{a} + {b} = {sum}\\n#### {sum}\"}}\n",
            sum = a + b
        )
    };
    (1..=count).map(line).collect()
}

/// Requests for talk, in the format of hh-rlhf.
pub(crate) fn talk(count: u32) -> String {
    let line = |n: u32| {
        let topic = ["rivers", "lighthouses", "old maps", "bread", "winter"][n as usize % 5];
        format!(
            "{{\"chosen\": \"\\n\\nHuman: Tell me something about {topic}, part {n}.\\n\\nAssistant: Gladly.\", \
             \"rejected\": \"\\n\\nHuman: Tell me something about {topic}, part {n}.\\n\\nAssistant: No.\"}}\n"
        )
    };
    (1..=count).map(line).collect()
}
