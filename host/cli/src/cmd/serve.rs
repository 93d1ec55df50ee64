//! `benchhost serve`.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::Path;

use benchhost_report::TableStyle;
use benchhost_serve::{ServeError, Server, Site};
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
fn comparison(base: &Path, new: &Path) -> Result<String, String> {
    let words =
        ["benchhost".into(), "compare".into(), "--".into(), OsString::from(base), OsString::from(new)];
    let Ok(Cli { command: Command::Compare(args), .. }) = Cli::try_parse_from(words) else {
        return Err("`compare` does not take two directories".to_owned());
    };
    let outcome = compared(&args).map_err(|error| {
        let details = error.details().map(|(kind, text)| format!("\n{kind}: {text}"));
        format!("{error}{}", details.collect::<String>())
    })?;
    let tables: Vec<String> =
        outcome.tables.iter().map(|table| table.to_text(TableStyle::Markdown)).collect();
    Ok(tables.join("\n\n"))
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
