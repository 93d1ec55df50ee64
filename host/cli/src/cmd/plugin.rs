//! `benchhost plugin list|info|new|build|check`.

use std::fmt::Write as _;
use std::path::Path;

use benchhost_author::build::{BuildError, BuildRequest, build};
use benchhost_author::check::{CheckRequest, Outcome, check};
use benchhost_author::new::{NewRequest, new};
use benchhost_author::{Progress, Toolbox};
use benchhost_model::{EngineInfo, OptionSpec, WorkloadInfo};
use benchhost_plugin::{Plugin, PluginKind, embedded};

use crate::args::{self, Format, PluginArgs, PluginCommand};
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::run::Components;
use crate::ui::Printer;

/// Dispatches.
pub(crate) fn run(args: PluginArgs, printer: &Printer) -> CliResult<Exit> {
    match args.command {
        PluginCommand::List { format } => list(format, printer),
        PluginCommand::Info { plugin, format } => info(&plugin, format, printer),
        PluginCommand::New { kind, name, parent } => create(kind, name, &parent, printer),
        PluginCommand::Build { crates, check, out } => compile(crates, check, out, printer),
        PluginCommand::Check { plugin, fixtures } => examine(&plugin, fixtures, printer),
    }
}

/// Embedded components, then those on the plugin path and in `plugins/` and `workloads/` below this directory.
fn list(format: Format, printer: &Printer) -> CliResult<Exit> {
    table_or_json(format)?;
    let components = Components::new()?;
    let mut found: Vec<Plugin> = Vec::new();
    for component in embedded() {
        found.push(components.load(component.name)?);
    }
    let mut folders = crate::env::plugin_path();
    folders.extend(["plugins".into(), "workloads".into()]);
    for file in folders.iter().flat_map(|f| wasm_files(f)) {
        match components.load(&file) {
            Ok(plugin) => {
                let known = |p: &Plugin| p.identity().digest_sha256 == plugin.identity().digest_sha256;
                if !found.iter().any(known) {
                    found.push(plugin);
                }
            }
            Err(error) => printer.error(&error),
        }
    }
    let text = match format {
        Format::Json => {
            let all: Vec<_> = found.iter().map(describe_json).collect();
            serde_json::to_string_pretty(&serde_json::json!({ "schema_version": 1, "plugins": all }))
                .map_err(|e| CliError::internal("cannot write JSON").because(e))?
                + "\n"
        }
        _ => found.iter().fold(heading(), |text, plugin| text + &line(plugin)),
    };
    printer.result(&text)?;
    Ok(Exit::Done)
}

fn table_or_json(format: Format) -> CliResult<()> {
    if matches!(format, Format::Table | Format::Json) {
        return Ok(());
    }
    Err(CliError::usage("this has no such form").hint("use `--format table` or `--format json`"))
}

fn wasm_files(folder: &Path) -> Vec<String> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Vec::new() };
    let mut files: Vec<String> = entries
        .filter_map(Result::ok)
        .map(|e| e.path())
        .filter(|p| p.extension().is_some_and(|e| e == "wasm"))
        .map(|p| p.display().to_string())
        .collect();
    files.sort();
    files
}

fn heading() -> String {
    row(["NAME", "KIND", "VERSION", "SHA-256", "IMPORTS", "CAN"])
}

/// Eighty columns; `plugin info` has the rest.
fn row([name, kind, version, digest, imports, can]: [&str; 6]) -> String {
    let text = format!("{name:<13} {kind:<8} {version:<7} {digest:<8} {imports:<15} {can}");
    let fits = text.chars().count() <= 80;
    let cut: String = if fits { text } else { text.chars().take(79).chain(['…']).collect() };
    cut.trim_end().to_owned() + "\n"
}

fn line(plugin: &Plugin) -> String {
    let identity = plugin.identity();
    let (kind, can) = match plugin {
        Plugin::Engine(e) => {
            ("engine", e.info().routes.iter().map(|r| r.route.as_str()).collect::<Vec<_>>().join(" "))
        }
        Plugin::Workload(w) if w.info().categories.len() > 8 => {
            ("workload", format!("{} categories", w.info().categories.len()))
        }
        Plugin::Workload(w) => ("workload", w.info().categories.join(" ")),
    };
    let imports: Vec<&str> = identity.imports.iter().filter_map(|i| short_import(i)).collect();
    let imports = if imports.is_empty() { "nothing".to_owned() } else { imports.join(" ") };
    let digest = identity.digest_sha256.get(..8).unwrap_or_default();
    let mut text = row([&identity.name, kind, &identity.version, digest, &imports, &can]);
    if identity.origin != "embedded" {
        let _ = writeln!(text, "  from {}", identity.origin);
    }
    text
}

/// `log` of `benchhost:plugin/log@0.1.0`; `types` holds no function and is left out.
fn short_import(import: &str) -> Option<&str> {
    let name = import.rsplit('/').next()?.split('@').next()?;
    (name != "types").then_some(name)
}

fn describe_json(plugin: &Plugin) -> serde_json::Value {
    match plugin {
        Plugin::Engine(e) => {
            serde_json::json!({ "kind": "engine", "identity": e.identity(), "info": e.info() })
        }
        Plugin::Workload(w) => {
            serde_json::json!({ "kind": "workload", "identity": w.identity(), "info": w.info() })
        }
    }
}

fn info(name: &str, format: Format, printer: &Printer) -> CliResult<Exit> {
    table_or_json(format)?;
    let plugin = Components::new()?.load(name)?;
    let text = if format == Format::Json {
        serde_json::to_string_pretty(&describe_json(&plugin))
            .map_err(|e| CliError::internal("cannot write JSON").because(e))?
            + "\n"
    } else {
        let identity = plugin.identity();
        let mut text = format!("{} {} ({})\n", identity.name, identity.version, identity.origin);
        let body = match &plugin {
            Plugin::Engine(e) => engine_text(e.info()),
            Plugin::Workload(w) => workload_text(w.info()),
        };
        text.push_str(&body);
        let imports =
            if identity.imports.is_empty() { "nothing".into() } else { identity.imports.join(", ") };
        let _ = writeln!(
            text,
            "\nexports  {}\nimports  {imports}\nsize     {} bytes\nsha-256  {}",
            identity.world, identity.size, identity.digest_sha256
        );
        text
    };
    printer.result(&text)?;
    Ok(Exit::Done)
}

fn engine_text(info: &EngineInfo) -> String {
    let mut text = format!("{}\n\nchecked against {}\n", info.summary, info.tested_with);
    let key = if info.key_variable.is_empty() { "none" } else { &info.key_variable };
    let _ = writeln!(text, "default URL     {}\nAPI key from    {key}\n\nroutes", info.default_url);
    for route in &info.routes {
        let can: Vec<&str> = [
            (route.exact_output, "exact length"),
            (route.token_prompts, "token prompts"),
            (route.cache_bypass, "cache bypass"),
            (route.counts_per_event, "tokens per event"),
            (route.reports_usage, "usage"),
        ]
        .into_iter()
        .filter_map(|(has, word)| has.then_some(word))
        .collect();
        let _ = writeln!(text, "  {:<12} {:<24} {}", route.route.as_str(), route.path, can.join(", "));
    }
    let probes: Vec<String> = info.probes.iter().map(ToString::to_string).collect();
    let _ = writeln!(text, "\nprobes   {}", probes.join(", "));
    text + &options_text("--engine-option", &info.options)
}

fn workload_text(info: &WorkloadInfo) -> String {
    let mut text = format!("{}\n", info.summary);
    if !info.categories.is_empty() {
        let _ = writeln!(text, "\ncategories  {}", info.categories.join(", "));
    }
    if !info.slots.is_empty() {
        text.push_str("\ndata files (--data SLOT=PATH)\n");
        for slot in &info.slots {
            let _ = writeln!(
                text,
                "  {:<12} {}\n               {} · {}",
                slot.name, slot.help, slot.licence, slot.origin
            );
        }
    }
    if !info.scores.is_empty() {
        text.push_str("\nscores\n");
        for score in &info.scores {
            let direction = if score.higher_is_better { "higher is better" } else { "lower is better" };
            let _ = writeln!(text, "  {:<20} {} ({direction})", score.name, score.help);
        }
    }
    text + &options_text("--workload-option", &info.options)
}

fn options_text(flag: &str, options: &[OptionSpec]) -> String {
    if options.is_empty() {
        return String::new();
    }
    let mut text = format!("\noptions ({flag} NAME=VALUE)\n");
    for option in options {
        let default =
            if option.default.is_empty() { "unset".into() } else { format!("`{}`", option.default) };
        let _ = writeln!(
            text,
            "  {:<18} {}\n                     {}; default {default}",
            option.name,
            option.help,
            option.kind.accepts()
        );
    }
    text
}

fn create(kind: args::PluginKind, name: String, parent: &Path, printer: &Printer) -> CliResult<Exit> {
    let kind = match kind {
        args::PluginKind::Engine => PluginKind::Engine,
        args::PluginKind::Workload => PluginKind::Workload,
    };
    let made = new(&NewRequest { kind, name, parent: parent.to_path_buf() })
        .map_err(|e| CliError::usage("cannot start the plugin").caused_by(&e))?;
    let mut text = format!("created {}\n", made.dir.display());
    for file in &made.files {
        let _ = writeln!(text, "  {file}");
    }
    text.push_str("\nnext:\n");
    for (command, why) in &made.next {
        let _ = writeln!(text, "  {command:<48} # {why}");
    }
    printer.result(&text)?;
    Ok(Exit::Done)
}

fn compile(
    crates: Vec<std::path::PathBuf>,
    check: bool,
    out: Option<std::path::PathBuf>,
    printer: &Printer,
) -> CliResult<Exit> {
    let start = std::env::current_dir()
        .map_err(|e| CliError::usage("the current directory cannot be read").because(e))?;
    let request = BuildRequest { start, crates, check, out, target_dir: None };
    let mut say = |progress: Progress| match progress {
        Progress::Step(text) => printer.status(&text),
        Progress::Output(text) => printer.detail(&text),
    };
    let report =
        build(&request, &Toolbox::new(crate::env::toolchain()), &mut say).map_err(|e| build_error(&e))?;
    let mut text = String::new();
    for built in &report.built {
        let _ = writeln!(text, "{}  {} bytes", built.out.display(), built.size);
    }
    for verified in &report.verified {
        let bytes = if verified.same_bytes { "same bytes" } else { "other compiler, other bytes" };
        let _ = writeln!(
            text,
            "{:<13} fresh; {} fixtures give the same meanings ({bytes})",
            verified.label, verified.fixtures
        );
    }
    printer.result(&text)?;
    Ok(Exit::Done)
}

fn build_error(error: &BuildError) -> CliError {
    CliError::setup("the plugin cannot be built").caused_by(error)
}

fn examine(name: &str, fixtures: Option<std::path::PathBuf>, printer: &Printer) -> CliResult<Exit> {
    let components = Components::new()?;
    let request = CheckRequest { fixtures, ..CheckRequest::new(crate::run::locate(name)) };
    let report = check(&request, components.host());
    let mut text = if report.title.is_empty() { String::new() } else { format!("{}\n", report.title) };
    for item in &report.items {
        let _ = match &item.outcome {
            Outcome::Pass => writeln!(text, "pass  {}", item.name),
            Outcome::Fail(why) => writeln!(text, "FAIL  {}\n      {why}", item.name),
            Outcome::Skip(why) => writeln!(text, "skip  {} ({why})", item.name),
        };
    }
    printer.result(&text)?;
    Ok(if report.passed() { Exit::Done } else { Exit::Setup })
}
