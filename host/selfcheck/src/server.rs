//! The simulated server's own account, asked for over HTTP. Not for anything that is timed.

use std::time::Duration;

use benchhost_http::{BaseUrl, BaseUrlError, Connector, Limits, Outgoing, Reuse, Target, TlsOptions, fetch};
use serde::{Deserialize, Serialize};

/// A simulated server that tells the truth, in another process.
#[derive(Clone)]
pub struct ServerUnderTruth {
    /// Where it is, and how to reach it.
    pub(crate) target: Target,
}

/// Why a server is none that could be checked against.
#[derive(Debug, thiserror::Error)]
pub enum ServerError {
    /// Not an address.
    #[error("the simulator's address cannot be used: {0}")]
    Address(#[from] BaseUrlError),
    /// This program's own side cannot be set up.
    #[error("the connection to the simulator cannot be set up: {0}")]
    Setup(String),
    /// It does not answer.
    #[error("the simulator does not answer: {0}")]
    Silent(String),
    /// It answers something else.
    #[error("`{0}` is no simulator of this version: its page `/simulator` says something else")]
    Stranger(String),
}

/// What the server says of itself since its start. Times are nanoseconds on the machine's monotonic clock.
#[derive(Debug, Clone, PartialEq, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Page {
    pub(crate) started_ns: u64,
    pub(crate) now_ns: u64,
    pub(crate) cpu_ns: u64,
    pub(crate) events: u64,
    pub(crate) blocked: u64,
    pub(crate) late_p50_ns: Option<u64>,
    pub(crate) late_p99_ns: Option<u64>,
    pub(crate) late_max_ns: Option<u64>,
    pub(crate) stalls_ns: Vec<[u64; 2]>,
}

/// What the server did during a check.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct ServerAccount {
    /// Events it wrote.
    pub events: u64,
    /// CPU time of its thread per event, nanoseconds.
    pub cpu_per_event_ns: f64,
    /// Share of a core that it used, 0–1.
    pub busy: f64,
    /// Writes that the socket did not take at once: this program read too slowly.
    pub blocked: u64,
    /// How late half of its writes were against its own schedule, since its start.
    pub late_p50_ns: Option<u64>,
    /// The same for 99 of 100.
    pub late_p99_ns: Option<u64>,
    /// The latest.
    pub late_max_ns: Option<u64>,
}

impl ServerUnderTruth {
    /// A server at this address.
    pub fn new(base_url: &str) -> Result<Self, ServerError> {
        let base: BaseUrl = base_url.parse()?;
        let connector =
            Connector::new(&TlsOptions::default()).map_err(|e| ServerError::Setup(e.to_string()))?;
        let second = Duration::from_secs(1);
        let limits = Limits {
            timeout: 60 * second,
            idle_timeout: 30 * second,
            connect_timeout: 10 * second,
            ..Limits::default()
        };
        Ok(Self { target: Target { base, connector, headers: Vec::new(), limits, reuse: Reuse::default() } })
    }

    /// Asks for its account.
    pub(crate) fn page(&self) -> Result<Page, ServerError> {
        let stranger = || ServerError::Stranger(self.target.base.to_string());
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| ServerError::Setup(e.to_string()))?;
        let request = Outgoing::get("/simulator").map_err(|e| ServerError::Setup(e.to_string()))?;
        let answer = runtime
            .block_on(fetch(&self.target, &request))
            .map_err(|e| ServerError::Silent(e.to_string()))?;
        let page: Page = serde_json::from_slice(&answer.body).map_err(|_| stranger())?;
        if answer.status == 200 && page.now_ns > 0 { Ok(page) } else { Err(stranger()) }
    }
}

impl ServerAccount {
    /// What happened between two pages.
    pub(crate) fn between(before: &Page, after: &Page) -> Self {
        let gained = |now: u64, then: u64| now.saturating_sub(then);
        let (events, cpu) = (gained(after.events, before.events), gained(after.cpu_ns, before.cpu_ns));
        Self {
            events,
            cpu_per_event_ns: if events > 0 { cpu as f64 / events as f64 } else { 0.0 },
            busy: cpu as f64 / gained(after.now_ns, before.now_ns).max(1) as f64,
            blocked: gained(after.blocked, before.blocked),
            late_p50_ns: after.late_p50_ns,
            late_p99_ns: after.late_p99_ns,
            late_max_ns: after.late_max_ns,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_the_difference_of_two_pages() {
        let page = |now, cpu, events| Page { now_ns: now, cpu_ns: cpu, events, ..Page::default() };
        let account = ServerAccount::between(&page(1_000, 100, 10), &page(3_000, 700, 40));
        assert_eq!((account.events, account.cpu_per_event_ns, account.busy), (30, 20.0, 0.3));
        let idle = ServerAccount::between(&page(1_000, 100, 10), &page(1_000, 100, 10));
        assert_eq!((idle.events, idle.cpu_per_event_ns), (0, 0.0));
    }

    #[test]
    fn a_server_that_is_not_there_is_said_to_be_silent() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        drop(listener);
        let server = ServerUnderTruth::new(&format!("http://{address}")).unwrap();
        assert!(matches!(server.page(), Err(ServerError::Silent(_))));
        assert!(matches!(ServerUnderTruth::new("nowhere"), Err(ServerError::Address(_))));
    }
}
