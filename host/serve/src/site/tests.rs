//! Requests and their answers, on directories made for the purpose.

use super::*;

struct Place {
    folder: tempfile::TempDir,
    site: Site,
}

fn put(root: &Path, file: &str, text: &str) {
    let path = root.join(file);
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    std::fs::write(path, text).unwrap();
}

/// Two runs, one of them two levels deep, beside a secret outside.
fn place() -> Place {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("results");
    put(folder.path(), "secret.json", "SECRET");
    put(&root, "one/manifest.json", r#"{"run_id":"r1","target":"simulated","ended":"complete"}"#);
    put(&root, "one/summary.csv", "engine,load,verdict,req_s\nvllm,c=1,valid,1.5\nvllm,c=2,invalid,\n");
    put(&root, "one/plots/sweep.svg", "<svg/>");
    put(&root, "one/outputs.jsonl", "SECRET");
    put(&root, "deep/two & more/manifest.json", r#"{"run_id":"r2","target":"real"}"#);
    put(&root, "deep/two & more/report.html", "<script>1</script>");
    put(&root, "loose.json", "SECRET");
    let compare: Compare = Box::new(|base, new, choices| {
        let last = |path: &Path| path.file_name().unwrap().to_string_lossy().into_owned();
        match (last(base), last(new)) {
            (base, new) if base == new => Err(Refused {
                why: "a run is not compared <with> itself".into(),
                allow: vec!["slo".into(), "load".into()],
            }),
            (base, new) if !choices.allow.is_empty() || !choices.base_engine.is_empty() => {
                Ok(format!("{base}, {new}, {}, {}", choices.base_engine, choices.allow.join(" ")))
            }
            (base, new) => Ok(format!("**{base}** against {new}\n\n| metric |\n|---|\n| ttft |\n")),
        }
    });
    let site = Site::open(&root, compare).unwrap();
    Place { folder, site }
}

fn hosts() -> Hosts {
    Hosts::of("127.0.0.1".parse().unwrap())
}

fn body(answer: Answer) -> String {
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let bytes = runtime.block_on(http_body_util::BodyExt::collect(answer.into_body())).unwrap().to_bytes();
    String::from_utf8(bytes.to_vec()).unwrap()
}

impl Place {
    fn get(&self, target: &str) -> (u16, String) {
        let request = Request::builder().uri(target).header("host", "localhost:1").body(()).unwrap();
        let answer = self.site.answer(&request, hosts());
        (answer.status().as_u16(), body(answer))
    }

    fn status(
        &self,
        build: impl FnOnce(hyper::http::request::Builder) -> hyper::http::request::Builder,
    ) -> u16 {
        let request = build(Request::builder().uri("/")).body(()).unwrap();
        self.site.answer(&request, hosts()).status().as_u16()
    }
}

#[test]
fn the_list_names_every_run_and_what_its_manifest_says() {
    let (status, html) = place().get("/");
    assert_eq!(status, 200);
    assert!(
        html.contains("href=\"/runs/one/\"") && html.contains("href=\"/runs/deep/two%20%26%20more/\""),
        "{html}"
    );
    assert!(html.contains("deep/two &amp; more") && !html.contains("two & more"));
    assert!(html.contains("2: <span class=\"bad\">1 INVALID</span>, 1 VALID"), "{html}");
    assert!(html.contains("<span class=\"bad\">simulated</span>"));
    assert!(html.contains("killed, or still running"), "a run without an end says so");
}

#[test]
fn a_run_without_a_report_shows_its_table_and_pictures() {
    let (status, html) = place().get("/runs/one/");
    assert_eq!(status, 200);
    assert!(html.contains("No report has been written"));
    assert!(html.contains("<td class=\"bad\">INVALID</td><td class=\"number\">–</td>"), "{html}");
    assert!(html.contains("src=\"plots/sweep.svg\""));
    let (_, html) = place().get("/runs/deep/two%20&%20more/");
    assert!(html.contains("href=\"report.html\"") && html.contains("No summary"), "{html}");
}

#[test]
fn files_of_a_run_come_with_their_type_and_locked_up() {
    let place = place();
    let headers = |target: &str| {
        let request = Request::builder().uri(target).header("host", "localhost").body(()).unwrap();
        let answer = place.site.answer(&request, hosts());
        assert_eq!(answer.status(), 200, "{target}");
        let text = |name: &str| answer.headers()[name].to_str().unwrap().to_owned();
        assert_eq!(text("x-content-type-options"), "nosniff");
        (text("content-type"), text("content-security-policy"))
    };
    let (kind, policy) = headers("/runs/deep/two%20%26%20more/report.html");
    assert_eq!(kind, "text/html; charset=utf-8");
    assert!(policy.starts_with("default-src 'none';") && policy.contains("sandbox allow-scripts"));
    assert!(!policy.contains("allow-same-origin"), "a report has no origin");
    let (kind, policy) = headers("/runs/one/plots/sweep.svg");
    assert!(kind == "image/svg+xml" && policy.ends_with("sandbox"), "{policy}");
    for own in ["/", "/runs/one/", "/style.css"] {
        let (_, policy) = headers(own);
        assert!(
            policy.contains("default-src 'none'")
                && !policy.contains("script-src")
                && !policy.contains("unsafe")
        );
    }
}

#[test]
fn what_is_not_a_run_or_not_one_of_its_known_files_is_not_found() {
    let place = place();
    for target in [
        "/runs/unknown/",
        "/runs/",
        "/runs/deep/",
        "/runs/one/outputs.jsonl",
        "/runs/one/plots/",
        "/runs/one/plots/missing.png",
        "/runs/one/report.html",
        "/runs/one/plots/sweep.svg/",
        "/runs/loose.json",
        "/loose.json",
        "/runs/../secret.json",
        "/runs/one/../../secret.json",
        "/runs/one/%2e%2e/%2e%2e/secret.json",
        "/runs/one/..%2f..%2fsecret.json",
        "/runs/one/%252e%252e/%252e%252e/secret.json",
        "/runs/one/..%5c..%5csecret.json",
        "/runs/one/..\\..\\secret.json",
        "/runs/one/manifest.json%00.png",
        "/runs//etc/passwd",
        "/runs/%2fetc%2fpasswd",
        "/compare?base=../secret&new=one",
        "/compare?base=%2e%2e&new=one",
        "/compare?base=one",
    ] {
        let (status, html) = place.get(target);
        assert_eq!(status, 404, "{target}");
        assert!(!html.contains("SECRET") && !html.contains("root:"), "{target}");
    }
    let absolute = place.folder.path().join("secret.json");
    assert_eq!(place.get(&format!("/runs/{}", absolute.display())).0, 404);
}

#[cfg(unix)]
#[test]
fn links_out_of_the_directory_are_refused() {
    let place = place();
    let (outside, root) = (place.folder.path(), place.folder.path().join("results"));
    put(outside, "elsewhere/manifest.json", "SECRET");
    std::os::unix::fs::symlink(outside.join("secret.json"), root.join("one/report.html")).unwrap();
    std::os::unix::fs::symlink(outside.join("elsewhere"), root.join("linked")).unwrap();
    std::fs::create_dir(root.join("half")).unwrap();
    std::os::unix::fs::symlink(outside.join("secret.json"), root.join("half/manifest.json")).unwrap();
    for target in ["/runs/one/report.html", "/runs/linked/", "/runs/linked/manifest.json", "/runs/half/"] {
        assert_eq!(place.get(target).0, 404, "{target}");
    }
    assert!(!place.get("/").1.contains("linked"));
}

#[test]
fn only_reading_methods_are_answered() {
    let place = place();
    for method in ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get"] {
        assert_eq!(place.status(|r| r.method(method).header("host", "localhost")), 405, "{method}");
    }
    assert_eq!(place.status(|r| r.method("HEAD").header("host", "localhost")), 200);
}

#[test]
fn a_request_that_calls_the_server_by_another_name_is_refused() {
    let place = place();
    assert_eq!(place.status(|r| r), 400);
    assert_eq!(place.status(|r| r.header("host", "localhost").header("host", "localhost")), 400);
    for host in ["evil.example", "evil.example:8090", "localhost.evil.example", "", "10.0.0.1"] {
        assert_eq!(place.status(|r| r.header("host", host)), 421, "{host}");
    }
    assert_eq!(place.status(|r| r.uri("http://evil.example/").header("host", "localhost")), 421);
    assert_eq!(place.status(|r| r.header("host", "[::1]:8090")), 200);
}

#[test]
fn two_runs_are_compared_and_a_refusal_is_told() {
    let place = place();
    let (status, html) = place.get("/compare?base=one&new=deep%2Ftwo+%26+more");
    assert_eq!(status, 200);
    assert!(
        html.contains("<strong>one</strong> against two &amp; more") && html.contains("<td>ttft</td>"),
        "{html}"
    );
    let (_, html) = place.get("/compare?base=one&new=deep/two+%26+more&base_engine=vllm/%3Cfp8%3E&allow=slo");
    assert!(html.contains("one, two &amp; more, vllm/&lt;fp8&gt;, slo"), "{html}");
    let (status, html) = place.get("/compare?base=one&new=one");
    assert_eq!(status, 422);
    for word in ["slo", "load"] {
        assert!(html.contains(&format!("name=\"allow\" value=\"{word}\" checked")), "{html}");
    }
    assert!(html.contains("a run is not compared &lt;with&gt; itself"), "{html}");
    let strange = |site: &str| {
        place.status(|r| {
            r.uri("/compare?base=one&new=one").header("host", "localhost").header("sec-fetch-site", site)
        })
    };
    assert_eq!((strange("cross-site"), strange("same-origin")), (403, 422));
}

#[test]
fn names_and_files_cannot_write_markup() {
    let place = place();
    let root = place.folder.path().join("results");
    let evil = "<img src=x onerror=1>'\"";
    let manifest = serde_json::json!({"run_id": evil, "target": evil, "ended": evil, "tool": evil, "notes": [evil],
        "engines": [{"plugin": {"name": evil}, "variant": evil, "model": evil}],
        "workloads": [{"label": evil}], "gpus": [evil]});
    let name = "a<b>\"'c";
    put(&root, &format!("{name}/manifest.json"), &manifest.to_string());
    put(&root, &format!("{name}/summary.csv"), "engine,verdict,load\n<img a>,<img b>,<img c>\n");
    put(&root, &format!("{name}/plots/<img>.svg"), "");
    for target in ["/", "/runs/a%3Cb%3E%22'c/", "/compare?base=a%3Cb%3E%22'c&new=one"] {
        let (status, html) = place.get(target);
        assert_eq!(status, 200, "{target}");
        assert!(
            !html.contains("<img src=x") && !html.contains("<img>") && !html.contains("<img a"),
            "{html}"
        );
        assert!(!html.contains("<IMG") && !html.contains("a<b>"), "{html}");
    }
}

#[test]
fn a_page_without_its_last_slash_is_moved_there() {
    let place = place();
    let request = Request::builder().uri("/runs/one").header("host", "localhost").body(()).unwrap();
    let answer = place.site.answer(&request, hosts());
    assert_eq!(
        (answer.status().as_u16(), answer.headers()["location"].to_str().unwrap()),
        (308, "/runs/one/")
    );
}

#[test]
fn a_directory_of_results_must_be_one() {
    let place = place();
    let open = |path: PathBuf| Site::open(&path, Box::new(|_, _, _| Err(Refused::default())));
    assert!(matches!(open(place.folder.path().join("none")), Err(ServeError::Root { .. })));
    assert!(matches!(open(place.folder.path().join("secret.json")), Err(ServeError::NotADirectory { .. })));
}
