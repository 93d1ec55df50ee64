//! A small page over a directory of results: lists runs, shows their reports and pictures, and compares two. It reads
//! what is in the files and writes nothing.
//!
//! Results may come from strangers, and so may requests: a page open in the same browser can ask for anything on this
//! machine's loopback. So only known runs and a fixed set of their files are served ([`Site`]), every name is escaped,
//! reports run in a sandbox without an origin, and a request must name this server as its host.
//!
//! It must not know how a comparison is computed (a function is passed in), nor what a run's rows mean.

#![forbid(unsafe_code)]

mod files;
mod hosts;
mod html;
mod io;
mod markdown;
mod pages;
mod route;
mod runs;
mod server;
mod site;

use std::path::PathBuf;

pub use route::Choices;
pub use server::Server;
pub use site::{Compare, Refused, Site};

/// Why nothing can be served.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The directory of results cannot be opened.
    #[error("cannot open the directory of results `{}`", path.display())]
    Root {
        /// As given.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// It is a file.
    #[error("`{}` is not a directory", path.display())]
    NotADirectory {
        /// As given.
        path: PathBuf,
    },
    /// The address cannot be listened on.
    #[error("cannot listen on `{address}`")]
    Listen {
        /// As asked.
        address: std::net::SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// The runtime failed.
    #[error("the server cannot run")]
    Runtime(#[source] std::io::Error),
}
