//! The page in a real browser: it draws under its own policy, its tooltip, legend, views and tables answer, and it can be
//! read in the dark, on a narrow screen, on paper, by keyboard, by a screen reader and without scripts. Needs `chromium` on
//! the path, so it runs only when asked for: `cargo test -p benchhost-report --test browser -- --ignored`.
//! It leaves the page, pictures of it and a PDF in `target/tmp/browser`, to be looked at.

mod devtools;
mod made;

use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value, json};

use devtools::{QUIET, Tab};
use made::made;

fn chromium(folder: &Path, more: &[&str], file: &Path) -> String {
    let output = Command::new("chromium")
        .args(QUIET)
        .args(["--enable-logging=stderr"])
        .args(["--virtual-time-budget=4000"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .args(more)
        .arg(format!("file://{}", file.display()))
        .output()
        .expect("chromium runs");
    let log = String::from_utf8_lossy(&output.stderr).into_owned();
    let complaints: Vec<&str> = log.lines().filter(|l| l.contains("CONSOLE")).collect();
    assert!(complaints.is_empty(), "{complaints:#?}");
    String::from_utf8_lossy(&output.stdout).into_owned()
}

fn folder() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("browser");
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

/// Uses the page as a person would, and says what happened in the title.
const USE: &str = r"<script>addEventListener('load', () => setTimeout(() => {
  const said = {}, key = (e, k) => e.dispatchEvent(new KeyboardEvent('keydown', { key: k, bubbles: true }));
  const plots = [...document.querySelectorAll('.plot')];
  said.plots = plots.length;
  said.drawn = plots.filter(p => p.querySelector('svg')).length;
  const svg = () => plots[0].querySelector('svg');
  svg().focus(); key(svg(), 'ArrowRight'); key(svg(), 'ArrowRight');
  said.tip = plots[0].querySelector('.tip').textContent;
  key(svg(), 'Escape'); said.gone = plots[0].querySelector('.tip').hidden;
  const box = svg().getBoundingClientRect();
  svg().dispatchEvent(new PointerEvent('pointermove', { clientX: box.right - 20, clientY: box.top + 50 }));
  said.hover = plots[0].querySelector('.tip').textContent;
  const button = document.querySelector('.legend button'), lines = () => svg().querySelectorAll('.line').length;
  said.before = lines(); button.click(); said.after = lines(); said.pressed = button.getAttribute('aria-pressed'); button.click();
  const pick = document.querySelector('select'); pick.value = '1'; pick.dispatchEvent(new Event('change'));
  said.view = pick.selectedOptions[0].textContent; said.drew = [...svg().querySelectorAll('text')].map(t => t.textContent).join(' ');
  const details = document.querySelector('.panel details'); details.open = true;
  const table = document.querySelectorAll('table.sort'), last = table[table.length - 1];
  const head = [...last.tHead.rows[0].cells].findIndex(c => c.textContent.startsWith('Output'));
  const column = () => [...last.tBodies[0].rows].map(r => +r.cells[head].dataset.v);
  const rising = a => a.every((v, i) => !i || a[i - 1] <= v);
  last.tHead.rows[0].cells[head].querySelector('button').click(); said.up = rising(column());
  last.tHead.rows[0].cells[head].querySelector('button').click(); said.down = rising(column().reverse());
  setTimeout(() => { said.rows = details.querySelectorAll('tbody tr').length;
    said.wide = document.documentElement.scrollWidth <= innerWidth;
    document.title = JSON.stringify(said); }, 300);
}, 500));</script>";

#[test]
#[ignore = "needs chromium"]
fn the_page_answers_pointer_keys_legend_views_and_sorting() {
    let folder = folder();
    let html = made(None);
    let file = folder.join("report.html");
    std::fs::write(&file, &html).unwrap();
    // As it is, under its own policy: every chart is drawn.
    let dom = chromium(&folder, &["--dump-dom", "--window-size=1240,1500"], &file);
    assert!(dom.matches("class=\"line").count() > 20, "charts are drawn");
    // The user's script needs a page without a policy.
    let (start, end) = {
        let start = html.find("<meta http-equiv=").unwrap();
        (start, start + html[start..].find('>').unwrap() + 1)
    };
    let used = folder.join("used.html");
    std::fs::write(&used, format!("{}{}{USE}", &html[..start], &html[end..])).unwrap();
    for size in ["--window-size=1240,1500", "--window-size=500,900"] {
        let dom = chromium(&folder, &["--dump-dom", size], &used);
        let title =
            dom.split("<title>").nth(1).unwrap().split("</title>").next().unwrap().replace("&amp;", "&");
        let said: serde_json::Value = serde_json::from_str(&title).unwrap_or_else(|e| panic!("{e}: {title}"));
        let text = |k: &str| said[k].as_str().unwrap_or_default().to_owned();
        assert_eq!(said["plots"], said["drawn"], "{said}");
        assert!(text("tip").contains("2 concurrent") && text("tip").contains("vllm · fp16"), "{said}");
        assert!(text("hover").contains("128 concurrent") && text("hover").contains("SUSPECT"), "{said}");
        assert_eq!(
            (&said["gone"], &said["before"], &said["after"]),
            (&true.into(), &2.into(), &1.into()),
            "{said}"
        );
        assert_eq!(
            (&said["up"], &said["down"], &said["wide"]),
            (&true.into(), &true.into(), &true.into()),
            "{said}"
        );
        assert_eq!(
            (text("pressed"), text("view")),
            ("false".into(), "Request throughput (requests/s)".into())
        );
        assert_eq!(said["rows"], 16, "{said}");
    }
    let shot = |name: &str, more: &[&str]| {
        let to = format!("--screenshot={}", folder.join(name).display());
        chromium(&folder, &[&[to.as_str()], more].concat(), &file);
    };
    shot("light.png", &["--window-size=1240,7600"]);
    shot("dark.png", &["--window-size=1240,7600", "--blink-settings=preferredColorScheme=0"]);
    shot("narrow.png", &["--window-size=500,9000"]);
    let paper = format!("--print-to-pdf={}", folder.join("report.pdf").display());
    chromium(&folder, &[&paper, "--no-pdf-header-footer"], &file);
}

/// A name as a server or a plan could choose it.
const HOSTILE: &str = "</script><script>window.pwned=1</script><img src=http://127.0.0.1:9/x onerror=window.pwned=2>\u{202e}\"'&";

/// A browser with the page in it.
fn tab(test: &str, html: &str) -> (Tab, PathBuf) {
    let folder = folder().join(test);
    let tab = Tab::start(&folder);
    let file = folder.join("report.html");
    std::fs::write(&file, html).unwrap();
    (tab, file)
}

#[test]
#[ignore = "needs chromium"]
fn the_page_asks_the_network_for_nothing_and_runs_nothing_but_its_own() {
    for name in [None, Some(HOSTILE)] {
        let (mut tab, file) = tab("closed", &made(name));
        tab.reader("screen", "light");
        tab.size(1240, 900);
        tab.open(&file);
        let drawn = tab.eval("document.querySelectorAll('.plot svg').length").as_u64().unwrap();
        assert!(drawn > 12, "{drawn} charts");
        // Every view and every table is made from the same names.
        tab.eval(
            "document.querySelectorAll('select').forEach(s => { s.value = s.options.length - 1; s.dispatchEvent(new Event('change')); });
             document.querySelectorAll('details').forEach(d => { d.open = true; });
             new Promise(done => setTimeout(done, 200))",
        );
        let own = format!("file://{}", file.display());
        for asked in tab.asked_for() {
            assert!(asked == own || asked.starts_with("data:font/"), "{asked}");
        }
        assert_eq!(tab.complaints(), [] as [&Value; 0]);
        assert_eq!(
            tab.eval("[window.pwned ?? 0, document.images.length, document.scripts.length]"),
            json!([0, 0, 2])
        );
        let turned = tab.eval(
            "[...document.body.innerText].filter(c => '\\u202e\\u202d\\u2066\\u200f'.includes(c)).length",
        );
        assert_eq!(turned, 0, "marks that turn text around");
        // What got in all the same could do nothing.
        let refused = tab.eval(
            "(async () => {
               const seen = []; addEventListener('securitypolicyviolation', e => seen.push(e.effectiveDirective));
               const script = document.createElement('script'); script.textContent = 'window.pwned = 3'; document.body.append(script);
               document.body.append(Object.assign(new Image(), { src: 'http://127.0.0.1:9/x' }));
               const sent = await fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'refused');
               await new Promise(done => setTimeout(done, 100));
               return [sent, window.pwned ?? 0, seen.sort()];
             })()",
        );
        assert_eq!(refused, json!(["refused", 0, ["connect-src", "img-src", "script-src-elem"]]));
    }
}

/// Contrast of every text that is shown, as WCAG 2.2 computes it; the lowest with its text.
const CONTRAST: &str = r"(() => {
  const parse = (c) => { const m = c.match(/[\d.]+/g).map(Number); return [m[0], m[1], m[2], m[3] ?? 1]; };
  const linear = (v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
  const light = (c) => 0.2126 * linear(c[0] / 255) + 0.7152 * linear(c[1] / 255) + 0.0722 * linear(c[2] / 255);
  const ratio = (a, b) => { const [x, y] = [light(a), light(b)].sort((p, q) => q - p); return (x + 0.05) / (y + 0.05); };
  const behind = (e) => {
    const cell = e.tagName === 'text' && !e.classList.length && e.previousElementSibling?.tagName === 'rect' && e.parentNode.tagName === 'g' && e.previousElementSibling;
    if (cell) return parse(getComputedStyle(cell).fill);
    for (let p = e; p; p = p.parentElement) { const c = parse(getComputedStyle(p).backgroundColor); if (c[3] === 1) return c; }
    return [255, 255, 255, 1];
  };
  const span = document.querySelector('.span'), found = [];
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) {
    const e = walk.currentNode.parentElement;
    if (!walk.currentNode.data.trim() || e.closest('script,[aria-hidden=true],.unseen') || !e.checkVisibility()) continue;
    const style = getComputedStyle(e), ink = parse(e.namespaceURI.endsWith('svg') ? style.fill : style.color);
    found.push([ratio(ink, behind(e)), e.textContent.slice(0, 40)]);
    if (e.tagName === 'text' && span && e.closest('svg').contains(span)) found.push([ratio(ink, parse(getComputedStyle(span).fill)), 'shaded: ' + e.textContent]);
  }
  const worst = found.reduce((a, b) => (b[0] < a[0] ? b : a));
  return [found.length, worst[0], worst[1]];
})()";

#[test]
#[ignore = "needs chromium"]
fn every_text_stands_out_by_light_and_in_the_dark_and_nothing_moves() {
    let (mut tab, file) = tab("contrast", &made(None));
    for scheme in ["light", "dark"] {
        tab.reader("screen", scheme);
        tab.size(1240, 900);
        tab.open(&file);
        tab.eval("document.querySelectorAll('details').forEach(d => { d.open = true; }); document.querySelector('.legend button').click()");
        tab.eval("new Promise(done => setTimeout(done, 200))");
        let [texts, worst, of] = [0, 1, 2].map({
            let found = tab.eval(CONTRAST);
            move |i: usize| found[i].clone()
        });
        assert!(texts.as_u64().unwrap() > 500, "{texts} texts");
        assert!(worst.as_f64().unwrap() >= 4.5, "{scheme}: {worst} for {of}");
        let moving = "document.getAnimations().length
            + [...document.querySelectorAll('*')].filter(e => getComputedStyle(e).transitionDuration !== '0s').length";
        assert_eq!(tab.eval(moving), 0);
    }
}

/// What reaches beyond the window, except where one can scroll to it.
const TOO_WIDE: &str = "[...document.querySelectorAll('body *')].filter(e => !e.closest('.scroll,pre,.unseen')
        && e.checkVisibility() && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120))";

#[test]
#[ignore = "needs chromium"]
fn the_page_fits_every_width_and_paper() {
    let (mut tab, file) = tab("widths", &made(None));
    for width in [320, 380, 768, 1240, 2000] {
        tab.reader("screen", "light");
        tab.size(width, 900);
        tab.open(&file);
        assert_eq!(tab.eval(TOO_WIDE), json!([]), "at {width}");
        assert_eq!(tab.eval("document.documentElement.scrollWidth <= innerWidth"), true, "at {width}");
    }
    // A4 less its margins, upright and, for the table of points, lying.
    tab.size(1240, 900);
    tab.open(&file);
    tab.eval("dispatchEvent(new Event('beforeprint'))");
    for (medium_width, what) in [(703, "main :not(.points, .points *)"), (1062, ".points *")] {
        tab.reader("print", "light");
        tab.size(medium_width, 900);
        let cut = tab.eval(&format!(
            "[...document.querySelectorAll('{what}')].filter(e => !e.closest('.unseen') && e.checkVisibility()
                && e.getBoundingClientRect().right > innerWidth + 1).map(e => e.outerHTML.slice(0, 120))"
        ));
        assert_eq!(cut, json!([]), "on paper of {medium_width}");
    }
    let controls =
        "[...document.querySelectorAll('select, summary, .tip')].filter(e => e.checkVisibility()).length";
    assert_eq!(tab.eval(controls), 0, "nothing can be pressed on paper");
    assert_eq!(
        tab.eval("document.querySelector('details.words').checkVisibility()"),
        true,
        "findings are told on paper"
    );
    assert_eq!(tab.eval("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
}

#[test]
#[ignore = "needs chromium"]
fn every_control_is_reached_by_key_in_the_order_of_the_page_and_shows_it() {
    let (mut tab, file) = tab("keys", &made(None));
    tab.reader("screen", "light");
    tab.size(1240, 900);
    tab.open(&file);
    let all = "const all = [...document.querySelectorAll('button, select, summary, svg[tabindex], [tabindex=\"0\"]')]
        .filter((e, i, a) => e.checkVisibility() && a.indexOf(e) === i)";
    let controls = tab.eval(&format!("{all}; all.length")).as_u64().unwrap();
    let mut reached = Vec::new();
    for _ in 0..controls {
        tab.press("Tab", 9);
        let at = tab.eval(&format!(
            "(() => {{ {all}; const e = document.activeElement, s = getComputedStyle(e);
               return [all.indexOf(e), s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 1, e.outerHTML.slice(0, 100)]; }})()"
        ));
        assert_eq!(at[1], true, "focus is seen on {}", at[2]);
        reached.push(at[0].as_i64().unwrap());
    }
    assert_eq!(reached, (0..i64::try_from(controls).unwrap()).collect::<Vec<_>>(), "in order, none left out");
    // Keys read a chart, and leave it again.
    tab.eval("document.querySelector('.plot svg').focus()");
    tab.press("ArrowRight", 39);
    assert!(
        tab.eval("document.querySelector('.tip').textContent").as_str().unwrap().contains("1 concurrent")
    );
    assert_eq!(tab.eval("document.querySelector('.tip').getAttribute('role')"), "status", "it is read out");
    tab.press("Escape", 27);
    assert_eq!(tab.eval("document.querySelector('.tip').hidden"), true);
}

#[test]
#[ignore = "needs chromium"]
fn a_screen_reader_finds_names_tables_and_headings() {
    let (mut tab, file) = tab("reader", &made(None));
    tab.reader("screen", "light");
    tab.size(1240, 900);
    tab.open(&file);
    tab.eval("document.querySelectorAll('.panel details').forEach(d => { d.open = true; })");
    tab.eval("new Promise(done => setTimeout(done, 200))");
    let tree = tab.call("Accessibility.getFullAXTree", &json!({}));
    let nodes: Vec<&Value> =
        tree["nodes"].as_array().unwrap().iter().filter(|n| n["ignored"] != true).collect();
    let named = |role: &str| -> Vec<(String, String)> {
        let text = |n: &Value, key: &str| n[key]["value"].as_str().unwrap_or_default().to_owned();
        let own = nodes.iter().filter(|n| n["role"]["value"] == role);
        own.map(|n| (text(n, "name"), text(n, "description"))).collect()
    };
    for (role, least) in
        [("application", 10), ("table", 10), ("button", 20), ("combobox", 5), ("heading", 15), ("region", 10)]
    {
        let found = named(role);
        assert!(found.len() >= least, "{} of {role}", found.len());
        let nameless = found.iter().filter(|(name, _)| name.trim().is_empty()).count();
        assert_eq!(nameless, 0, "{role} without a name");
    }
    for (name, about) in named("application") {
        assert!(about.contains("table below") && about.contains("Arrow keys"), "{name}: {about}");
    }
    assert!(
        named("application")[0].1.contains("vllm · fp16: 1"),
        "the range of a line: {:?}",
        named("application")[0]
    );
    assert_eq!(named("main").len(), 1);
    let heads = "[...document.querySelectorAll('thead th')].filter(h => h.scope !== 'col').length";
    assert_eq!(tab.eval(heads), 0, "heads say what they are heads of");
    let levels: Vec<u64> = {
        let found = tab.eval("[...document.querySelectorAll('h1,h2,h3,h4,h5')].map(h => +h.tagName[1])");
        found.as_array().unwrap().iter().map(|l| l.as_u64().unwrap()).collect()
    };
    assert_eq!(levels[0], 1);
    assert!(levels.windows(2).all(|w| w[1] <= w[0] + 1), "no level is skipped: {levels:?}");
    assert_eq!(tab.eval("document.documentElement.lang"), "en");
}

#[test]
#[ignore = "needs chromium"]
fn without_scripts_there_are_figures_and_tables() {
    let (mut tab, file) = tab("still", &made(None));
    tab.call("Emulation.setScriptExecutionDisabled", &json!({ "value": true }));
    tab.reader("screen", "light");
    tab.size(1240, 900);
    tab.open(&file);
    let document = tab.call("DOM.getDocument", &json!({ "depth": 0 }));
    let mut count = |selector: &str| {
        let asked = json!({ "nodeId": document["root"]["nodeId"], "selector": selector });
        let found = tab.call("DOM.querySelectorAll", &asked);
        found["nodeIds"].as_array().unwrap().len()
    };
    assert!(count("noscript figure svg") >= 1, "static figures are part of the page");
    assert_eq!(count("section:not([hidden]):not(.points)"), 0, "no heading stands over nothing");
    assert!(count(".points tbody tr") > 40 && count("details.words") == 1);
}
