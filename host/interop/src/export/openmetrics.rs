//! Summary rows in the text form of `OpenMetrics` 1.0: gauges whose names end in their unit, base units (seconds, tokens,
//! requests a second), a label for each thing that tells rows apart, `# EOF` at the end. A figure that is missing has no
//! line.

use std::fmt::Write as _;
use std::io::{self, Write};

use benchhost_model::{Distribution, SummaryRow, Target};

use super::Origin;

/// A family: name without the prefix, unit, help.
struct Family {
    name: &'static str,
    unit: &'static str,
    help: &'static str,
}

type Single = (Family, fn(&SummaryRow) -> Option<f64>);
type Spread = (Family, fn(&SummaryRow) -> &Distribution);

const fn family(name: &'static str, unit: &'static str, help: &'static str) -> Family {
    Family { name, unit, help }
}

const SINGLES: [Single; 20] = [
    (family("window_seconds", "seconds", "Length of what the rates are over"), |r| r.duration_s),
    (family("completed_requests", "requests", "Whole answers"), |r| Some(r.counts.completed as f64)),
    (family("failed_requests", "requests", "Requests that went wrong"), |r| Some(r.counts.failed as f64)),
    (family("hung_up_requests", "requests", "Requests that the plan's users left"), |r| {
        Some(r.counts.hung_up as f64)
    }),
    (family("shed_requests", "requests", "Scheduled requests that were never sent"), |r| {
        Some(r.counts.shed as f64)
    }),
    (family("throughput_requests_per_second", "requests_per_second", "Completed requests a second"), |r| {
        r.req_s
    }),
    (
        family(
            "output_tokens_per_second",
            "tokens_per_second",
            "Output tokens of completed requests a second",
        ),
        |r| r.out_tok_s,
    ),
    (
        family(
            "input_tokens_per_second",
            "tokens_per_second",
            "Prompt tokens of completed requests a second",
        ),
        |r| r.in_tok_s,
    ),
    (
        family("offered_requests_per_second", "requests_per_second", "Requests due in the window a second"),
        |r| r.offered_req_s,
    ),
    (
        family(
            "goodput_requests_per_second",
            "requests_per_second",
            "Requests a second that met all objectives",
        ),
        |r| r.goodput_req_s,
    ),
    (family("goodput_tokens_per_second", "tokens_per_second", "Output tokens a second of those"), |r| {
        r.goodput_tok_s
    }),
    (family("slo_attainment_ratio", "ratio", "Share of requests that met all objectives"), |r| {
        r.slo_attainment
    }),
    (family("in_flight_requests", "requests", "Mean number of requests in flight"), |r| r.in_flight_mean),
    (family("input_tokens", "tokens", "Prompt tokens of completed requests"), |r| {
        r.input_tokens.map(|n| n as f64)
    }),
    (family("output_tokens", "tokens", "Output tokens of completed requests"), |r| {
        r.output_tokens.map(|n| n as f64)
    }),
    (family("gpu_memory_peak_bytes", "bytes", "Peak GPU memory, summed over GPUs"), |r| {
        r.gpu_mem_peak_mib.map(|mib| mib * 1_048_576.0)
    }),
    (family("gpu_power_watts", "watts", "Mean GPU power, summed over GPUs"), |r| r.gpu_power_mean_w),
    (family("gpu_energy_joules", "joules", "GPU energy of the point"), |r| r.gpu_energy_j),
    (family("kv_cache_peak_ratio", "ratio", "Largest share of the KV cache in use"), |r| r.kv_cache_peak),
    (
        family(
            "cost_usd_per_million_output_tokens",
            "usd_per_million_output_tokens",
            "At the GPU price given",
        ),
        |r| r.usd_per_mtok_out,
    ),
];

const SPREADS: [Spread; 9] = [
    (family("ttft_seconds", "seconds", "Time to first token from the send"), |r| &r.ttft),
    (family("ttft_sched_seconds", "seconds", "Time to first token from the scheduled time"), |r| {
        &r.ttft_sched
    }),
    (family("ttfat_seconds", "seconds", "Time to first answer token from the send"), |r| &r.ttfat),
    (family("tpot_seconds", "seconds", "Time per output token after the first event"), |r| &r.tpot),
    (family("tpot_n1_seconds", "seconds", "Time per output token by tokens - 1"), |r| &r.tpot_n1),
    (family("itl_seconds", "seconds", "Inter-token latency over tokens"), |r| &r.itl),
    (family("icl_seconds", "seconds", "Gaps between output events"), |r| &r.icl),
    (family("e2e_seconds", "seconds", "End-to-end latency from the send"), |r| &r.e2e),
    (family("e2e_sched_seconds", "seconds", "End-to-end latency from the scheduled time"), |r| &r.e2e_sched),
];

/// Writes the rows as one exposition.
///
/// # Errors
/// When `out` cannot be written.
pub fn openmetrics(rows: &[SummaryRow], origin: &Origin, mut out: impl Write) -> io::Result<()> {
    let labels: Vec<String> = rows.iter().map(labels).collect();
    writeln!(out, "# TYPE benchhost_export info\n# HELP benchhost_export Who wrote this text")?;
    writeln!(out, "benchhost_export_info{{exported_by=\"{}\"}} 1", escaped(&origin.exported_by))?;
    for (family, value) in &SINGLES {
        let samples = rows.iter().zip(&labels).filter_map(|(r, l)| Some((l.clone(), value(r)?)));
        write_family(&mut out, family, samples)?;
    }
    for (family, of) in &SPREADS {
        let samples = rows.iter().zip(&labels).flat_map(|(r, l)| {
            statistics(of(r)).map(move |(word, ms)| (format!("{l},statistic=\"{word}\""), ms / 1e3))
        });
        write_family(&mut out, family, samples)?;
    }
    let scores = family("score", "", "Mean of each score over scored requests");
    let samples = rows.iter().zip(&labels).flat_map(|(r, l)| {
        r.scores.iter().map(move |(name, mean)| (format!("{l},score=\"{}\"", escaped(name)), *mean))
    });
    write_family(&mut out, &scores, samples)?;
    writeln!(out, "# EOF")
}

/// The statistics that are there, in milliseconds.
fn statistics(of: &Distribution) -> impl Iterator<Item = (&'static str, f64)> {
    let named = [
        ("mean", of.mean),
        ("min", of.min),
        ("p50", of.p50),
        ("p90", of.p90),
        ("p95", of.p95),
        ("p99", of.p99),
        ("p999", of.p999),
        ("max", of.max),
    ];
    named.into_iter().filter_map(|(word, value)| Some((word, value?)))
}

fn write_family(
    out: &mut impl Write,
    family: &Family,
    samples: impl Iterator<Item = (String, f64)>,
) -> io::Result<()> {
    let mut samples = samples.filter(|(_, value)| value.is_finite()).peekable();
    if samples.peek().is_none() {
        return Ok(());
    }
    let name = family.name;
    writeln!(out, "# TYPE benchhost_{name} gauge")?;
    if !family.unit.is_empty() {
        writeln!(out, "# UNIT benchhost_{name} {}", family.unit)?;
    }
    writeln!(out, "# HELP benchhost_{name} {}", family.help)?;
    samples.try_for_each(|(labels, value)| writeln!(out, "benchhost_{name}{{{labels}}} {value:?}"))
}

/// What tells rows apart, and whether the server was simulated.
fn labels(row: &SummaryRow) -> String {
    let target = match row.target {
        Target::Real => "real",
        Target::Simulated => "simulated",
    };
    let load = row.load.to_string();
    let repeat = row.repeat.to_string();
    let verdict = row.verdict.map(|v| v.to_string()).unwrap_or_default();
    let pairs = [
        ("run_id", row.run_id.as_str()),
        ("engine", &row.engine),
        ("variant", &row.variant),
        ("model", &row.model),
        ("target", target),
        ("workload", &row.workload),
        ("load", &load),
        ("repeat", &repeat),
        ("role", &row.role),
        ("verdict", &verdict),
    ];
    let mut text = String::new();
    for (name, value) in pairs.iter().filter(|(_, value)| !value.is_empty()) {
        let comma = if text.is_empty() { "" } else { "," };
        // Writing to a string cannot fail.
        let _infallible = write!(text, "{comma}{name}=\"{}\"", escaped(value));
    }
    text
}

fn escaped(text: &str) -> String {
    text.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}
