//! What is answered to a request. A function of the request and of the files; knows no sockets.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use http_body_util::Full;
use hyper::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Method, Request, Response, StatusCode};

use crate::ServeError;
use crate::files::{Kind, read_below};
use crate::hosts::Hosts;
use crate::pages;
use crate::route::{Choices, Route};
use crate::runs::{self, Run};

/// Compares the run in the first directory with the one in the second: Markdown, or why not.
pub type Compare = Box<dyn Fn(&Path, &Path, &Choices) -> Result<String, Refused> + Send + Sync>;

/// Why two runs were not compared.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Refused {
    /// In words, several lines.
    pub why: String,
    /// Differences that would have to be allowed.
    pub allow: Vec<String>,
}

/// The site's own pages: no script at all, and nothing from elsewhere.
const OWN_POLICY: &str = "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";
const HTML: &str = "text/html; charset=utf-8";
const STYLE: &str = include_str!("style.css");
/// Three bars.
const ICON: &str = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 16 16\"><path fill=\"#0072b2\" d=\"M1 9h4v6H1z\"/><path fill=\"#d55e00\" d=\"M6 5h4v10H6z\"/><path fill=\"#009e73\" d=\"M11 1h4v14h-4z\"/></svg>";

/// A directory of results and what is shown of it.
pub struct Site {
    root: PathBuf,
    compare: Compare,
    /// Held while comparing: one at a time, since each may hold a million rows.
    comparing: Mutex<()>,
}

impl fmt::Debug for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Site").field("root", &self.root).finish_non_exhaustive()
    }
}

pub(crate) type Answer = Response<Full<Bytes>>;

impl Site {
    /// Of the runs below `root`.
    pub fn open(root: &Path, compare: Compare) -> Result<Self, ServeError> {
        let path = root.to_path_buf();
        let root = root.canonicalize().map_err(|source| ServeError::Root { path: path.clone(), source })?;
        if root.is_dir() {
            Ok(Self { root, compare, comparing: Mutex::new(()) })
        } else {
            Err(ServeError::NotADirectory { path })
        }
    }

    /// How many runs there are now.
    pub fn runs(&self) -> usize {
        runs::find(&self.root).len()
    }

    /// The answer to `request` at a server with these names.
    pub(crate) fn answer(&self, request: &Request<()>, hosts: Hosts) -> Answer {
        if let Err((status, why)) = check(request, hosts) {
            return refusal(status, why);
        }
        let uri = request.uri();
        match Route::parse(uri.path(), uri.query()) {
            Some(Route::Index) => page(StatusCode::OK, pages::index(&self.root, &runs::find(&self.root))),
            Some(Route::Style) => answer(StatusCode::OK, "text/css; charset=utf-8", OWN_POLICY, STYLE.into()),
            Some(Route::Icon) => answer(StatusCode::OK, "image/svg+xml", Kind::Svg.policy(), ICON.into()),
            Some(Route::Compare { base, new, choices }) => self.comparison(request, &base, &new, &choices),
            Some(Route::Run(names)) => self.run(&names, uri.path()),
            None => missing(),
        }
    }

    /// The answer when a page could not be made because of a bug.
    pub(crate) fn broken() -> Answer {
        refusal(StatusCode::INTERNAL_SERVER_ERROR, "this page could not be made; the terminal says why")
    }

    fn comparison(&self, request: &Request<()>, base: &str, new: &str, choices: &Choices) -> Answer {
        // It costs time and memory; a stranger's page must not start one.
        if request.headers().get("sec-fetch-site").is_some_and(|site| site == "cross-site") {
            return refusal(StatusCode::FORBIDDEN, "a comparison is not started from another site");
        }
        let runs = runs::find(&self.root);
        let run = |name: &str| runs.iter().find(|run| run.name == name);
        match (run(base), run(new)) {
            (Some(base), Some(new)) => {
                let compared = {
                    let _one = self.comparing.lock().unwrap_or_else(PoisonError::into_inner);
                    (self.compare)(&base.path, &new.path, choices)
                };
                let status = if compared.is_ok() { StatusCode::OK } else { StatusCode::UNPROCESSABLE_ENTITY };
                page(status, pages::comparison(&self.root, (base, new), choices, &compared))
            }
            _ => missing(),
        }
    }

    /// The page of the run that `names` begin with, or one of its files.
    fn run(&self, names: &[String], path: &str) -> Answer {
        let runs = runs::find(&self.root);
        let Some((run, file)) = longest(&runs, names) else { return missing() };
        if file.is_empty() {
            // Its links are relative to it.
            return if path.ends_with('/') {
                page(StatusCode::OK, pages::run(&self.root, run))
            } else {
                moved(&format!("/runs/{}/", crate::html::address(&run.name)))
            };
        }
        let place = file.iter().fold(run.path.clone(), |place, name| place.join(name));
        match Kind::of(file).filter(|_| !path.ends_with('/')).zip(read_below(&self.root, &place)) {
            Some((kind, bytes)) => answer(StatusCode::OK, kind.content_type(), kind.policy(), bytes.into()),
            None => missing(),
        }
    }
}

/// The run with the longest name that `names` begin with, and what follows.
fn longest<'r, 'n>(runs: &'r [Run], names: &'n [String]) -> Option<(&'r Run, &'n [String])> {
    (0..=names.len()).rev().find_map(|taken| {
        let name = names[..taken].join("/");
        runs.iter().find(|run| run.name == name).map(|run| (run, &names[taken..]))
    })
}

/// Whether the request is one that is answered at all.
fn check(request: &Request<()>, hosts: Hosts) -> Result<(), (StatusCode, &'static str)> {
    let mut named = request.headers().get_all(HOST).iter();
    let host = match (named.next(), named.next()) {
        (Some(host), None) => host.to_str().unwrap_or_default(),
        _ => return Err((StatusCode::BAD_REQUEST, "one `Host` header is needed")),
    };
    let other = request.uri().authority().is_some_and(|authority| !hosts.allow(authority.as_str()));
    if other || !hosts.allow(host) {
        return Err((StatusCode::MISDIRECTED_REQUEST, "this server is called `localhost` or by its address"));
    }
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        return Err((StatusCode::METHOD_NOT_ALLOWED, "only GET and HEAD: nothing is changed here"));
    }
    Ok(())
}

fn missing() -> Answer {
    refusal(StatusCode::NOT_FOUND, "there is no such run or page here")
}

fn refusal(status: StatusCode, why: &str) -> Answer {
    let mut refused = page(status, pages::refusal(status.as_u16(), why));
    if status == StatusCode::METHOD_NOT_ALLOWED {
        refused.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
    }
    refused
}

fn moved(to: &str) -> Answer {
    let mut moved = page(StatusCode::PERMANENT_REDIRECT, pages::refusal(308, "it is one slash further"));
    if let Ok(to) = HeaderValue::from_str(to) {
        moved.headers_mut().insert(hyper::header::LOCATION, to);
    }
    moved
}

fn page(status: StatusCode, html: String) -> Answer {
    answer(status, HTML, OWN_POLICY, html.into())
}

fn answer(status: StatusCode, kind: &'static str, policy: &'static str, body: Bytes) -> Answer {
    let mut answer = Response::new(Full::new(body));
    *answer.status_mut() = status;
    let fixed = [
        (CONTENT_TYPE, kind),
        (CONTENT_SECURITY_POLICY, policy),
        (X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (REFERRER_POLICY, "no-referrer"),
        (CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("cross-origin-resource-policy"), "same-origin"),
        (HeaderName::from_static("cross-origin-opener-policy"), "same-origin"),
    ];
    for (name, value) in fixed {
        answer.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    answer
}

#[cfg(test)]
mod tests;
