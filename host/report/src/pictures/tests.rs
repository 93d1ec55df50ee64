//! What every figure must hold, whatever the rows: nothing overlaps by construction is tested beside the layout; here are
//! the words, the marks, the simulated tag, the bitmap's size and hostile or empty data.

use benchhost_model::{LoadPoint, SummaryRow, Target};

use super::{
    Caption, Gallery, Material, Picture, Throughput, Timeline, bars, gallery, parameter_sweep, pictures,
    render_png, sweep,
};
use crate::fixtures::{all_failed, row, simulated};
use crate::series::{Lane, Lanes, Latencies, LatencyKind, Place, Scored};

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
    let made = bars(&rows, &Caption { machine: "1× L40".into(), ..Caption::default() });
    let svg = only(&made);
    assert_eq!(texts(svg, "How do vllm · fp16 and sglang · fp16 compare at concurrency 8?"), 1);
    assert!(svg.contains("llama-3-8b · 1× L40 · empathetic · concurrency 8"));
    for title in ["Peak GPU memory (GiB)", "Time to first token, p50 (ms)"] {
        assert_eq!(texts(svg, title), 1, "{title}");
    }
    // The configuration without GPU figures has a dash.
    assert_eq!(texts(svg, "–"), 1);
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
    assert_eq!(texts(svg, "How does throughput depend on len?"), 1);
    let at = |label: &str| svg.find(&format!(">\n{label}\n</text>")).unwrap();
    assert!(at("32") < at("128") && at("128") < at("512"));
    assert!(parameter_sweep(&rows[..1], &Caption::default()).is_empty());
}

#[test]
fn throughput_is_in_what_was_chosen() {
    let rows = two_engines(&[1, 8]);
    let chosen = Caption { throughput: Throughput::Requests, ..Caption::default() };
    for made in [sweep(&rows, &chosen), bars(&rows, &chosen)] {
        let svg = only(&made);
        assert_eq!(
            (texts(svg, "Request throughput (requests/s)"), texts(svg, "Output throughput (tokens/s)")),
            (1, 0)
        );
    }
}

#[test]
fn objectives_are_lines_where_they_are_near_and_words_where_they_are_far() {
    let objectives = vec![("ttft".to_owned(), 40.0), ("e2e".to_owned(), 90_000.0)];
    let made = sweep(&two_engines(&[1, 8]), &Caption { objectives, ..Caption::default() });
    let svg = only(&made);
    assert_eq!(texts(svg, "objective ttft ≤ 40 ms"), 1);
    assert_eq!(texts(svg, "objective e2e ≤ 90,000 ms ↑"), 1, "it would squeeze the lines to the bottom");
}

#[test]
fn doubted_points_are_hollow_and_the_subtitle_says_so() {
    let mut rows = two_engines(&[1, 8]);
    let whole = only(&sweep(&rows, &Caption::default())).matches("<circle").count();
    rows[0].verdict = Some(benchhost_model::Verdict::Suspect);
    let made = sweep(&rows, &Caption::default());
    assert!(only(&made).contains("hollow: verdict SUSPECT or INVALID"));
    assert_eq!(only(&made).matches("<circle").count(), whole + 3, "one more ring in each panel");
}

#[test]
fn every_figure_says_where_it_is_from() {
    let made = sweep(&two_engines(&[1]), &Caption { tool: "benchhost 0.1.0".into(), ..Caption::default() });
    assert_eq!(texts(only(&made), "Source: benchhost 0.1.0, run 20260101-000000-0001"), 1);
}

/// Everything that figures can be made of, for `rows`.
struct Whole {
    rows: Vec<SummaryRow>,
    latencies: Vec<Latencies>,
    lanes: Vec<Lanes>,
    scored: Vec<Scored>,
}

impl Whole {
    fn of(rows: Vec<SummaryRow>) -> Self {
        let place = |r: &SummaryRow| Place {
            engine: r.engine.clone(),
            variant: r.variant.clone(),
            model: r.model.clone(),
            simulated: r.target == Target::Simulated,
            workload: r.workload.clone(),
            load: r.load,
        };
        let values = |r: &SummaryRow| {
            (0..400).map(|i| r.ttft.p50.unwrap_or(1.0) * (0.8 + f64::from(i) / 900.0)).collect()
        };
        let kinds = [LatencyKind::Ttft, LatencyKind::Tpot, LatencyKind::E2e];
        let latencies =
            rows.iter().flat_map(|r| kinds.map(|k| Latencies::new(place(r), k, values(r)))).collect();
        let lane = |i: u32| Lane {
            due_s: f64::from(i) * 0.1,
            sent_s: Some(f64::from(i) * 0.1 + 0.05),
            first_s: (i != 3).then(|| f64::from(i) * 0.1 + 0.4),
            last_s: (i != 3).then(|| f64::from(i) * 0.1 + 2.0),
            wrong: if i == 3 { "timeout".into() } else { String::new() },
        };
        let lanes =
            rows.iter().map(|r| Lanes { place: place(r), lanes: (0..100).map(lane).collect() }).collect();
        let scored = rows.iter().flat_map(|r| {
            r.scores.iter().map(|(name, mean)| Scored {
                place: place(r),
                name: name.clone(),
                mean: *mean,
                interval: Some([mean - 0.1, mean + 0.1]),
                items: 40,
            })
        });
        let scored = scored.collect();
        Self { rows, latencies, lanes, scored }
    }

    fn gallery(&self) -> Gallery {
        let timeline = Timeline::default();
        let material = Material {
            rows: &self.rows,
            latencies: &self.latencies,
            lanes: &self.lanes,
            scored: &self.scored,
            timeline: &timeline,
        };
        gallery(&material, &Caption::default())
    }
}

fn named<'p>(gallery: &'p Gallery, name: &str) -> &'p str {
    let found = gallery.pictures.iter().find(|p| p.name == name);
    found
        .unwrap_or_else(|| {
            panic!("{name}: {:?}", gallery.pictures.iter().map(|p| &p.name).collect::<Vec<_>>())
        })
        .svg
        .as_str()
}

fn rich(loads: &[u32]) -> Vec<SummaryRow> {
    let mut rows = two_engines(loads);
    for row in &mut rows {
        row.tps_user_p50 = row.tpot.p50.map(|ms| 1000.0 / ms);
        row.usd_per_mtok_out = row.out_tok_s.map(|t| 700.0 / t);
        row.scores.insert("exact_match".into(), 0.6);
        row.scores.insert("answer_tokens".into(), 55.0);
    }
    rows
}

#[test]
fn every_kind_of_figure_is_drawn_where_its_data_are() {
    let whole = Whole::of(rich(&[1, 8, 64])).gallery();
    assert_eq!(whole.left_out.len(), 2, "{:?}", whole.left_out);
    let cdf = named(&whole, "cdf-empathetic");
    assert_eq!(texts(cdf, "How are latencies spread at concurrency 64?"), 1);
    for title in ["Time to first token (ms)", "Time per output token (ms)", "End-to-end latency (ms)"] {
        assert_eq!(texts(cdf, title), 1, "{title}");
    }
    assert!(cdf.contains("p50 ") && cdf.contains("p99 "));
    let trade = named(&whole, "tradeoff-empathetic");
    assert_eq!(texts(trade, "front: no measured point is better in both"), 1);
    assert!((1..=2).contains(&texts(trade, "64")), "marks are labelled by their load");
    assert!(named(&whole, "cost-empathetic").contains("A million output tokens: from US$ "));
    let quality = named(&whole, "quality-empathetic");
    assert!(quality.contains("whiskers: 95 % interval, items as the unit") && quality.contains("40 items"));
    assert_eq!((texts(quality, "exact_match"), texts(quality, "Mean score: answer_tokens")), (1, 1));
    let requests = named(&whole, "requests-empathetic");
    assert_eq!(texts(requests, "failed, cut off or never sent"), 1);
    assert!(requests.contains("the first 60 measured requests of one run"));
}

#[test]
fn lengths_crossed_with_loads_are_a_heat_map_with_a_cross_for_what_failed() {
    let mut rows: Vec<SummaryRow> = [64, 256]
        .iter()
        .flat_map(|n| {
            [1, 8].map(|l| SummaryRow { workload: format!("synthetic-in{n}"), ..row("vllm", "fp16", l) })
        })
        .collect();
    rows[3] = SummaryRow { workload: "synthetic-in256".into(), ..all_failed("vllm", "fp16", 8) };
    let whole = Whole::of(rows).gallery();
    let heat = named(&whole, "heat-synthetic-input-tokens");
    assert_eq!((texts(heat, "×"), texts(heat, "64"), texts(heat, "256")), (1, 1, 1));
    assert!(
        heat.contains("log colour scale")
            && heat.contains("How does throughput depend on input tokens and load?")
    );
    assert!(
        named(&whole, "heat-synthetic-input-tokens-ttft").contains("How does time to first token depend")
    );
}

#[test]
fn what_is_not_drawn_has_a_reason_and_nothing_has_all_of_them() {
    let nothing = Whole::of(Vec::new()).gallery();
    assert!(nothing.pictures.is_empty());
    assert_eq!(nothing.left_out.len(), 7, "{:?}", nothing.left_out);
    let plain =
        Whole { latencies: Vec::new(), lanes: Vec::new(), ..Whole::of(two_engines(&[1, 8])) }.gallery();
    for reason in ["no price was given", "no answer was scored", "do not cross", "no request was sent"] {
        assert!(plain.left_out.iter().any(|l| l.contains(reason)), "{reason}: {:?}", plain.left_out);
    }
}

#[test]
fn hostile_details_are_drawn_without_markup_or_numbers_that_are_none() {
    let mut rows = rich(&[1, 8]);
    for r in &mut rows {
        r.workload = "<script>\u{1b}[31m".into();
        r.scores.insert("<b>&".into(), f64::INFINITY);
        r.usd_per_mtok_out = Some(f64::NAN);
        r.tps_user_p50 = Some(1e300);
    }
    let mut whole = Whole::of(rows);
    whole.lanes[0].lanes[0] = Lane { due_s: f64::NAN, sent_s: Some(f64::INFINITY), ..Lane::default() };
    for picture in whole.gallery().pictures {
        let svg = picture.svg.as_str();
        assert!(!svg.contains("<script") && !svg.contains("<b>") && !svg.contains("NaN"), "{}", picture.name);
        assert!(render_png(&picture.svg, 0.5).is_ok());
    }
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
