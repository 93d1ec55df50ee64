//! What every figure must hold, whatever the rows: nothing overlaps by construction is tested beside the layout; here are
//! the words, the marks, the simulated tag, the bitmap's size and hostile or empty data.

use benchhost_model::{LoadPoint, SummaryRow};

use super::{Caption, Picture, bars, parameter_sweep, pictures, render_png, sweep};
use crate::fixtures::{all_failed, row, simulated};

fn two_engines(loads: &[u32]) -> Vec<SummaryRow> {
    ["vllm", "sglang"].iter().flat_map(|e| loads.iter().map(|l| row(e, "fp16", *l))).collect()
}

fn only(pictures: &[Picture]) -> &str {
    assert_eq!(pictures.len(), 1, "{pictures:?}");
    pictures[0].svg.as_str()
}

/// How many texts of the figure are exactly `text`.
fn texts(svg: &str, text: &str) -> usize {
    svg.matches(&format!(">\n{text}\n</text>")).count()
}

#[test]
fn a_sweep_has_three_panels_with_directions_and_a_mark_for_each_point() {
    let pictures = sweep(&two_engines(&[1, 2, 4, 8]), &Caption::default());
    let svg = only(&pictures);
    assert_eq!(texts(svg, "Output throughput (tokens/s)"), 1);
    assert_eq!(texts(svg, "End-to-end latency, p50 (ms)"), 1);
    assert_eq!(texts(svg, "Time to first token, p50 (ms)"), 1);
    assert_eq!(texts(svg, "(higher is better ↑)"), 1);
    assert_eq!(texts(svg, "(lower is better ↓) · dashed: p90"), 2);
    assert_eq!(texts(svg, "Concurrent requests (log scale)"), 3);
    assert_eq!(texts(svg, "vllm · fp16") + texts(svg, "sglang · fp16"), 2);
    // Circles of the first series: four points in three panels and one in the legend, each with its ring.
    assert_eq!(svg.matches("<circle").count(), 2 * (4 * 3 + 1));
    assert!(!svg.contains("SIMULATED"));
}

#[test]
fn a_gap_in_the_data_is_a_gap_in_the_line() {
    let mut rows = two_engines(&[1, 2, 4, 8]);
    rows[2] = all_failed("vllm", "fp16", 4);
    let pictures = sweep(&rows, &Caption::default());
    assert_eq!(only(&pictures).matches("<circle").count(), 2 * (3 * 3 + 1));
}

#[test]
fn without_token_counts_throughput_is_in_requests() {
    let mut rows = two_engines(&[1, 8]);
    rows.iter_mut().filter(|r| r.engine == "sglang").for_each(|r| r.out_tok_s = None);
    let pictures = sweep(&rows, &Caption::default());
    assert_eq!(texts(only(&pictures), "Request throughput (requests/s)"), 1);
}

#[test]
fn simulated_figures_say_so_in_the_head_the_panels_and_the_title() {
    let rows: Vec<SummaryRow> = two_engines(&[1, 8]).into_iter().map(simulated).collect();
    let lengths = ["length-32", "length-64"]
        .map(|w| simulated(SummaryRow { workload: w.into(), ..row("vllm", "fp16", 8) }));
    let all: Vec<SummaryRow> = rows.into_iter().chain(lengths).collect();
    let made = pictures(&all, &Caption { title: "My own title".into(), ..Caption::default() });
    let names: Vec<&str> = made.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(names, ["sweep-empathetic", "bars-empathetic", "parameters-length"]);
    for picture in &made {
        let svg = picture.svg.as_str();
        let tag = "SIMULATED: the built-in simulator answered, no real server was measured";
        assert_eq!(texts(svg, tag), 1, "{}", picture.name);
        assert!(texts(svg, "SIMULATED") >= 2, "{}", picture.name);
        assert!(svg.contains("<title>My own title (simulated)</title>"));
    }
}

#[test]
fn one_simulated_series_among_real_ones_is_named() {
    let rows = [row("vllm", "fp16", 8), simulated(row("tgi", "fp16", 8))];
    for picture in pictures(&rows, &Caption::default()) {
        let svg = picture.svg.as_str();
        assert!(svg.contains("SIMULATED: tgi · fp16 (simulated); no real server was measured there"));
    }
}

#[test]
fn repeats_are_a_mean_and_a_band_and_the_subtitle_says_so() {
    let mut rows = two_engines(&[1, 8]);
    let again: Vec<SummaryRow> = rows
        .iter()
        .cloned()
        .map(|r| SummaryRow { repeat: 2, out_tok_s: r.out_tok_s.map(|t| t * 1.1), ..r })
        .collect();
    rows.extend(again);
    let made = sweep(&rows, &Caption::default());
    let svg = only(&made);
    assert!(svg.contains("mean of 2 repeats, band from lowest to highest"));
    assert_eq!(svg.matches("opacity=\"0.18\"").count(), 2);
    assert_eq!(svg.matches("<circle").count(), 2 * (2 * 3 + 1));
}

#[test]
fn wide_ranges_are_logarithmic_and_say_so() {
    let mut rows = two_engines(&[1, 8]);
    rows[0].ttft.p50 = Some(0.5);
    let made = sweep(&rows, &Caption::default());
    assert_eq!(texts(only(&made), "(lower is better ↓) · log scale · dashed: p90"), 1);
}

#[test]
fn bars_stand_at_the_highest_load_that_all_share() {
    let mut rows = two_engines(&[1, 8]);
    rows.push(row("vllm", "fp16", 64));
    rows[1].gpu_mem_peak_mib = Some(20_480.0);
    rows[1].scores.insert("f1".into(), 0.75);
    let made = bars(&rows, &Caption { machine: "1× L40".into(), ..Caption::default() });
    let svg = only(&made);
    assert_eq!(texts(svg, "Summary at concurrency 8"), 1);
    assert!(svg.contains("llama-3-8b · 1× L40 · empathetic · concurrency 8"));
    for title in ["Peak GPU memory (GiB)", "Score: f1", "Time to first token, p50 (ms)"] {
        assert_eq!(texts(svg, title), 1, "{title}");
    }
    // The configuration without GPU figures and without a score has a dash in both panels.
    assert_eq!(texts(svg, "–"), 2);
    assert_eq!(texts(svg, "20.0"), 1, "the value above the bar");
    assert!(!svg.contains("Cost of"), "a panel without data is left out");
}

#[test]
fn workloads_and_kinds_of_load_have_their_own_figures_with_distinct_names() {
    let mut rows = two_engines(&[1, 8]);
    for (workload, load) in [("QA / mixed", LoadPoint::Rate(2.0)), ("qa mixed", LoadPoint::Concurrency(2))] {
        rows.push(SummaryRow { workload: workload.into(), load, ..row("vllm", "fp16", 1) });
    }
    rows.push(SummaryRow { load: LoadPoint::Rate(0.5), ..row("vllm", "fp16", 1) });
    let names: Vec<String> = pictures(&rows, &Caption::default()).into_iter().map(|p| p.name).collect();
    assert_eq!(
        names,
        [
            "sweep-empathetic-concurrency",
            "sweep-empathetic-rate",
            "sweep-qa-mixed",
            "sweep-qa-mixed-2",
            "bars-empathetic",
            "bars-qa-mixed",
            "bars-qa-mixed-2",
        ]
    );
}

#[test]
fn a_parameter_study_is_ordered_by_its_number() {
    let rows: Vec<SummaryRow> = [512, 32, 128]
        .iter()
        .map(|n| SummaryRow { workload: format!("synthetic-len-{n}"), ..row("vllm", "fp16", 8) })
        .collect();
    let made = parameter_sweep(&rows, &Caption::default());
    let svg = only(&made);
    assert_eq!(texts(svg, "synthetic-len"), 2);
    let at = |label: &str| svg.find(&format!(">\n{label}\n</text>")).unwrap();
    assert!(at("32") < at("128") && at("128") < at("512"));
    assert!(parameter_sweep(&rows[..1], &Caption::default()).is_empty());
}

#[test]
fn no_rows_make_no_pictures_and_rows_without_figures_say_no_data() {
    assert!(pictures(&[], &Caption::default()).is_empty());
    let rows = [all_failed("vllm", "fp16", 1)];
    let made = pictures(&rows, &Caption::default());
    assert_eq!(texts(only(&made), "no data"), 3);
}

#[test]
fn hostile_names_and_numbers_draw_the_same_bytes_and_a_bitmap_of_the_right_size() {
    let mut rows = two_engines(&[1, 8, 4_000_000_000]);
    rows[0].engine = "<script>alert(1)</script>\u{0}\u{1b}[31m".into();
    rows[1].variant = "v".repeat(5000);
    rows[2].model = "模型 & \"quotes\"".into();
    rows[3].out_tok_s = Some(f64::INFINITY);
    rows[4].out_tok_s = Some(1e300);
    rows[4].ttft.p50 = Some(-3.0);
    rows[5].e2e.p50 = Some(5e-324);
    rows[5].e2e.p90 = Some(f64::NAN);
    let made = pictures(&rows, &Caption { title: "t".repeat(4000), ..Caption::default() });
    assert_eq!(made, pictures(&rows, &Caption { title: "t".repeat(4000), ..Caption::default() }));
    for picture in &made {
        assert!(!picture.svg.as_str().contains("<script"));
        let png = render_png(&picture.svg, 0.5).unwrap();
        assert_eq!(size(&png), (picture.svg.width().div_ceil(2), picture.svg.height().div_ceil(2)));
    }
}

#[test]
fn a_scale_that_makes_no_bitmap_is_refused() {
    let made = sweep(&two_engines(&[1]), &Caption::default());
    for scale in [0.0, -1.0, f32::NAN, 9.0, 0.0001] {
        let error = render_png(&made[0].svg, scale).unwrap_err().to_string();
        assert!(error.contains("use a scale above 0 and up to 8"), "{error}");
    }
}

#[test]
fn bitmaps_hold_ink() {
    let made = sweep(&two_engines(&[1, 2]), &Caption::default());
    let png = render_png(&made[0].svg, 1.0).unwrap();
    let pixels = resvg::tiny_skia::Pixmap::decode_png(&png).unwrap();
    assert_eq!((pixels.width(), pixels.height()), (made[0].svg.width(), made[0].svg.height()));
    let ink = pixels.pixels().iter().filter(|p| p.red() < 60 && p.green() < 60 && p.blue() < 60).count();
    // Titles and labels are in near-black; a figure without letters, as when the font is not found, has none.
    assert!(ink > 1000, "{ink}");
}

/// Width and height of a PNG (RFC 2083, section 11.2.2).
fn size(png: &[u8]) -> (u32, u32) {
    let pixels = resvg::tiny_skia::Pixmap::decode_png(png).unwrap();
    (pixels.width(), pixels.height())
}
