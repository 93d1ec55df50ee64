//! `benchhost serve`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use benchhost_report::TableStyle;
use benchhost_serve::{Choices, Refused, ServeError, Server, Site};
use clap::Parser;
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::iterator::Signals;
use tokio::sync::oneshot;

use crate::args::{Cli, Command, ServeArgs};
use crate::compare::compared;
use crate::error::{CliError, CliResult};
use crate::exit::Exit;
use crate::ui::{Printer, plural};

/// Serves until Ctrl-C, which is its proper end.
pub(crate) fn run(args: &ServeArgs, printer: &Printer) -> CliResult<Exit> {
    let site = Site::open(&args.results, Box::new(comparison)).map_err(|e| told(&e))?;
    let found = site.runs();
    let stop = stop_signal()?;
    let server = Server::bind(site, SocketAddr::new(args.bind, args.port)).map_err(|e| told(&e))?;
    if !args.bind.is_loopback() {
        printer.warning(&format!(
            "everyone who reaches {} can read these results; without `--bind` only this machine can",
            args.bind
        ));
    }
    printer.status(&format!("{} at http://{} (Ctrl-C ends)", plural(found as u64, "run"), server.address()));
    server.run(async { drop(stop.await) }).map_err(|e| told(&e))?;
    Ok(Exit::Done)
}

/// What `benchhost compare BASE NEW` decides, in Markdown; else why not, as it would be printed.
fn comparison(base: &Path, new: &Path, choices: &Choices) -> Result<String, Refused> {
    let mut words: Vec<OsString> = vec!["benchhost".into(), "compare".into()];
    for (flag, value) in [("--select-base", &choices.base_engine), ("--select-new", &choices.new_engine)] {
        if !value.is_empty() {
            words.push(format!("{flag}={value}").into());
        }
    }
    words.extend(choices.allow.iter().map(|word| format!("--allow={word}").into()));
    words.extend(["--".into(), OsString::from(base), OsString::from(new)]);
    let parsed = Cli::try_parse_from(words);
    let Ok(Cli { command: Command::Compare(args), .. }) = parsed else {
        return Err(Refused { why: "`compare` does not take these choices".to_owned(), allow: Vec::new() });
    };
    let outcome = compared(&args).map_err(|error| Refused {
        why: error.details().fold(error.to_string(), |why, (kind, text)| why + "\n" + kind + ": " + text),
        allow: error.details().flat_map(|(_, text)| wanted(text)).map(str::to_owned).collect(),
    })?;
    let tables: Vec<String> =
        outcome.tables.iter().map(|table| table.to_text(TableStyle::Markdown)).collect();
    Ok(tables.join("\n\n"))
}

/// The words of the `--allow` that a hint tells of.
fn wanted(hint: &str) -> impl Iterator<Item = &str> {
    let words = hint.split_once("--allow ").map_or("", |(_, rest)| rest.split('`').next().unwrap_or(rest));
    words.split(',').filter(|word| !word.is_empty())
}

/// Resolves at the first Ctrl-C or SIGTERM.
fn stop_signal() -> CliResult<oneshot::Receiver<()>> {
    let mut signals = Signals::new([SIGINT, SIGTERM])
        .map_err(|e| CliError::internal("cannot listen for Ctrl-C").because(e))?;
    let (stop, stopped) = oneshot::channel();
    std::thread::Builder::new()
        .name("interrupt".into())
        .spawn(move || {
            signals.forever().next();
            // Nobody waits any more if the server has failed.
            let _gone = stop.send(());
        })
        .map_err(|e| CliError::internal("cannot start a thread").because(e))?;
    Ok(stopped)
}

fn told(error: &ServeError) -> CliError {
    let told = match error {
        ServeError::Root { .. } | ServeError::NotADirectory { .. } => CliError::usage(error.to_string())
            .hint("name the directory under which `benchhost run` put its results"),
        ServeError::Listen { .. } => CliError::setup(error.to_string())
            .hint("another program may use the port: `--port 0` picks a free one"),
        ServeError::Runtime(_) => CliError::internal(error.to_string()),
    };
    match std::error::Error::source(error) {
        Some(cause) => told.caused_by(cause),
        None => told,
    }
}

#[cfg(test)]
mod tests {
    use super::wanted;

    #[test]
    fn a_hint_tells_what_would_have_to_be_allowed() {
        let of = |hint| wanted(hint).collect::<Vec<_>>();
        assert_eq!(of("if that is what you mean, add `--allow load,slo`"), ["load", "slo"]);
        assert_eq!(of("nothing of the kind"), [] as [&str; 0]);
    }
}
