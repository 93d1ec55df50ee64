//! Questions to the server before and between measurements: ready, version, models, tokenize. Not part of any figure.

use std::time::{Duration, Instant};

use benchhost_http::{FetchError, HttpAnswer, Limits, Outgoing, OutgoingError, Target, fetch};
use benchhost_model::{ModelInfo, ProbeAnswer, ProbeKind, Setting};
use benchhost_plugin::EngineInstance;

use crate::error::{CliError, CliResult};

/// Longest time for one question.
const PATIENCE: Duration = Duration::from_secs(10);
/// Largest answer.
const BODY_CAP: usize = 16 << 20;

/// Asks one server through its adapter.
pub(crate) struct Prober {
    engine: EngineInstance,
    target: Target,
    settings: Vec<Setting>,
    model: String,
    runtime: tokio::runtime::Runtime,
}

/// Why a question got no answer.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ProbeError {
    #[error("{0}")]
    Fetch(#[from] FetchError),
    #[error("{0}")]
    Plugin(#[from] benchhost_plugin::CallError),
    #[error("{0}")]
    Request(#[from] OutgoingError),
}

impl Prober {
    /// A prober for the server of `target`, with limits of its own.
    pub(crate) fn new(engine: EngineInstance, mut target: Target, settings: Vec<Setting>) -> CliResult<Self> {
        target.limits = Limits {
            timeout: PATIENCE,
            idle_timeout: PATIENCE,
            connect_timeout: PATIENCE,
            body_cap: BODY_CAP,
        };
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| CliError::internal("cannot start the network runtime").because(e))?;
        Ok(Self { engine, target, settings, model: String::new(), runtime })
    }

    /// The model that later questions name.
    pub(crate) fn set_model(&mut self, model: &str) {
        model.clone_into(&mut self.model);
    }

    /// Puts one question. `Ok(None)`: the engine has no such endpoint.
    pub(crate) fn ask(&mut self, kind: ProbeKind, text: &str) -> Result<Option<ProbeAnswer>, ProbeError> {
        let Some(answer) = self.fetch(kind, text)? else { return Ok(None) };
        Ok(Some(self.engine.read_probe(kind, answer.status, &answer.headers, &answer.body)?))
    }

    fn fetch(&mut self, kind: ProbeKind, text: &str) -> Result<Option<HttpAnswer>, ProbeError> {
        let Some(probe) = self.engine.probe(kind, &self.model, text, false, &self.settings)? else {
            return Ok(None);
        };
        let mut target = self.target.clone();
        if let Some(port) = probe.port {
            target.base = target.base.with_port(port);
        }
        let request = Outgoing::new(&probe.method, &probe.path, &probe.headers, probe.body)?;
        Ok(Some(self.runtime.block_on(fetch(&target, &request))?))
    }

    /// Waits until the server says it is ready, at most `patience`. An engine without such a question is taken to be
    /// ready when its model list, or a connection, answers.
    ///
    /// `waiting` hears why not, and says whether to go on.
    pub(crate) fn wait_ready(
        &mut self,
        patience: Duration,
        mut waiting: impl FnMut(&str) -> bool,
    ) -> Result<(), String> {
        let begun = Instant::now();
        loop {
            let left = patience.saturating_sub(begun.elapsed()).max(Duration::from_millis(50));
            self.target.limits.timeout = left.min(PATIENCE);
            self.target.limits.connect_timeout = left.min(PATIENCE);
            let once = self.ready_once();
            self.target.limits.timeout = PATIENCE;
            let why = match once {
                Ok(None) => return Ok(()),
                Ok(Some(reason)) => reason,
                Err(error) => error.to_string(),
            };
            if begun.elapsed() >= patience {
                return Err(why);
            }
            if !waiting(&why) {
                return Err("interrupted".into());
            }
            std::thread::sleep(Duration::from_millis(250).min(patience));
        }
    }

    fn ready_once(&mut self) -> Result<Option<String>, ProbeError> {
        for kind in [ProbeKind::Ready, ProbeKind::Models, ProbeKind::Version] {
            match self.ask(kind, "")? {
                Some(ProbeAnswer::NotReady(reason)) => return Ok(Some(reason)),
                Some(_) => return Ok(None),
                None => {}
            }
        }
        Ok(None)
    }

    /// The server's version; empty when it tells none.
    pub(crate) fn version(&mut self) -> String {
        match self.ask(ProbeKind::Version, "") {
            Ok(Some(ProbeAnswer::Version(version))) => version,
            _ => String::new(),
        }
    }

    /// The models it serves; empty when it tells none.
    pub(crate) fn models(&mut self) -> Vec<ModelInfo> {
        match self.ask(ProbeKind::Models, "") {
            Ok(Some(ProbeAnswer::Models(models))) => models,
            _ => Vec::new(),
        }
    }
}
