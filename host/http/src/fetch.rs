//! One question, one answer: for readiness, versions, models and counters. Not for anything that is timed.

use std::fmt;

use benchhost_model::TransportFailure;

use crate::cancel::Cancel;
use crate::clock::RunClock;
use crate::exchange::{Client, Target};
use crate::outgoing::Outgoing;

/// A whole answer, whatever its status.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HttpAnswer {
    /// The status.
    pub status: u16,
    /// Response headers, names in lower case.
    pub headers: Vec<(String, String)>,
    /// The body, cut at 1 MiB for a status that is not 2xx.
    pub body: Vec<u8>,
}

/// No answer, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FetchError {
    /// Method and address.
    pub asked: String,
    /// The class and the cause.
    pub cause: TransportFailure,
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "`{}` failed ({}): {}", self.asked, self.cause.failure, self.cause.detail)
    }
}

impl std::error::Error for FetchError {}

/// Asks once on a connection of its own, which is closed afterwards. The target's limits hold.
///
/// # Errors
/// Whatever [`Client::exchange`] calls a failure, a redirect included. A status such as 404 is an answer.
pub async fn fetch(target: &Target, request: &Outgoing) -> Result<HttpAnswer, FetchError> {
    let client = Client::new(target.clone(), RunClock::start());
    let timeline = client.exchange(request, benchhost_model::Nanos::ZERO, &Cancel::new()).await;
    let asked = || format!("{} {}{}", request.method(), target.base, request.path());
    match (timeline.failure, timeline.status) {
        (None, Some(status)) => Ok(HttpAnswer { status, headers: timeline.headers, body: timeline.body }),
        (Some(cause), _) => Err(FetchError { asked: asked(), cause }),
        (None, None) => Err(FetchError {
            asked: asked(),
            cause: crate::verdict::failure(benchhost_model::Failure::Closed, "the exchange was cut"),
        }),
    }
}
