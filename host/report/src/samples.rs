use crate::fixtures::*;
use crate::*;
use benchhost_model::*;
fn save(dir: &str, ps: &[Picture]) {
    std::fs::create_dir_all(format!("/tmp/samples/{dir}")).unwrap();
    for p in ps {
        std::fs::write(format!("/tmp/samples/{dir}/{}.png", p.name), render_png(&p.svg, 1.2).unwrap())
            .unwrap();
        std::fs::write(format!("/tmp/samples/{dir}/{}.svg", p.name), p.svg.as_str()).unwrap();
    }
}
#[test]
fn samples() {
    let cap = Caption {
        title: String::new(),
        model: "Llama-3.1-8B-Instruct, FP16".into(),
        machine: "1× H100 80 GB".into(),
        workload: "128 in / 64 out tokens".into(),
    };
    let loads = [1u32, 2, 4, 8, 16, 32];
    let mut rows = vec![];
    for (i, (e, v)) in [("vllm", "fp16"), ("sglang", "fp16")].iter().enumerate() {
        for l in loads {
            for rep in 1..=3u32 {
                let mut r = simulated(row(e, v, l));
                r.repeat = rep;
                let k = 1.0 + (f64::from(rep) - 2.0) * 0.05 * (1.0 + i as f64);
                for f in [&mut r.out_tok_s, &mut r.ttft.p50, &mut r.ttft.p90, &mut r.e2e.p50, &mut r.e2e.p90]
                {
                    *f = f.map(|x| x * k);
                }
                rows.push(r);
            }
        }
    }
    save("two", &pictures(&rows, &cap));
    let one: Vec<_> = loads.iter().map(|l| row("vllm", "vllm", *l)).collect();
    save("one", &pictures(&one, &cap));
    save(
        "point",
        &pictures(&[row("vllm", "fp16", 8), row("sglang", "fp16", 8), row("tgi", "fp16", 8)], &cap),
    );
    let mut seven = vec![];
    for (i, (e, v)) in [
        ("vllm", "fp16"),
        ("vllm", "fp8-dynamic-per-token"),
        ("sglang", "fp16"),
        ("sglang", "torch-compile"),
        ("tgi", "awq-int4"),
        ("llamacpp", "q4_k_m"),
        ("transformers", "fp16 torch.compile nf4 flash-attention-2"),
    ]
    .iter()
    .enumerate()
    {
        for l in [1u32, 2, 4, 8, 16, 32, 64, 128, 256] {
            let mut r = row(e, v, l);
            for f in [&mut r.out_tok_s, &mut r.ttft.p50, &mut r.e2e.p50] {
                *f = f.map(|x| x * (1.0 + 0.12 * i as f64));
            }
            r.gpu_mem_peak_mib = (i != 4).then_some(16000.0 + f64::from(l) * 100.0 * (i as f64 + 1.0));
            r.usd_per_mtok_out = r.out_tok_s.map(|t| 2.93 / 3600.0 / t * 1e6);
            r.scores.insert("bertscore_f1".into(), 0.70 + 0.01 * i as f64);
            r.scores.insert("exact_match".into(), 0.5);
            if i == 2 && l == 16 {
                r = all_failed(e, v, l);
            }
            if i == 3 && l > 64 {
                continue;
            }
            seven.push(r);
        }
    }
    save("seven", &pictures(&seven, &cap));
    let mut three = vec![];
    for e in ["vllm", "sglang", "tgi"] {
        for r0 in [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 12.0] {
            let mut r = row(e, "fp16", (r0 * 4.0) as u32);
            r.load = LoadPoint::Rate(r0);
            if e == "sglang" {
                r.out_tok_s = None;
                r = simulated(r);
            }
            if e == "tgi" && r0 == 2.0 {
                r.ttft = Distribution::default();
            }
            three.push(r);
        }
    }
    save("three", &pictures(&three, &cap));
    let mut odd = vec![];
    for (i, l) in loads.iter().enumerate() {
        let mut a = row("vllm", "fp16", *l);
        a.out_tok_s = Some(10f64.powi(i as i32 * 3));
        a.ttft.p50 = Some(1e-5 * (i as f64 + 1.0));
        a.ttft.p90 = None;
        a.e2e.p50 = Some(4.0e9 * (i as f64 + 1.0));
        a.e2e.p90 = None;
        odd.push(a);
    }
    save("odd", &pictures(&odd, &cap));
    save("zero", &pictures(&[all_failed("vllm", "fp16", 1), all_failed("vllm", "fp16", 2)], &cap));
    let mut par = vec![];
    for e in ["vllm"] {
        for (n, t) in [(32, 800.0), (64, 1100.0), (128, 1413.0), (256, 1200.0), (512, 900.0)] {
            let mut r = row(e, "fp16", 8);
            r.workload = format!("synthetic-len-{n}");
            r.out_tok_s = Some(t);
            r.total_tok_s = Some(t * 2.0);
            par.push(simulated(r));
        }
    }
    save("par", &parameter_sweep(&par, &cap));
    println!("{}", summary_table(&seven, TableStyle::Plain));
}
