//! Makes one engine ready to be measured: loads the adapter, starts or finds the server, waits for it, asks its version
//! and models, resolves key, headers, route and options.

use std::sync::{Arc, Mutex};

use benchhost_http::{BaseUrl, Connector, Limits, Reuse, SecretHeader, Target, TlsOptions};
use benchhost_model::{Route, Setting};
use benchhost_plugin::{EngineInstance, EnginePlugin};
use benchhost_simulator::Dialect;

use super::components::{self, Components};
use super::interrupt::Interrupt;
use super::prober::Prober;
use super::simulated::Simulated;
use crate::error::{CliError, CliResult};
use crate::plan::{EngineChoice, HeaderValue, Plan};
use crate::store::EngineFacts;
use crate::ui::Printer;

/// Largest answer that is kept; a longer one is a failure.
const BODY_CAP: usize = 64 << 20;

/// An engine with a server that answers.
pub(crate) struct ReadyEngine {
    pub(crate) plugin: EnginePlugin,
    pub(crate) name: String,
    pub(crate) variant: String,
    pub(crate) model: String,
    pub(crate) route: Route,
    pub(crate) settings: Vec<Setting>,
    pub(crate) target: Target,
    pub(crate) prober: Arc<Mutex<Prober>>,
    pub(crate) facts: EngineFacts,
    /// Longest context of the model, where the server tells it.
    pub(crate) context: Option<u32>,
    /// Keeps the simulator alive for as long as the engine is measured.
    simulated: Option<Simulated>,
}

impl ReadyEngine {
    /// Loads and probes the engine of `choice`.
    pub(crate) fn prepare(
        choice: &EngineChoice,
        plan: &Plan,
        components: &Components,
        interrupt: &Interrupt,
        printer: &Printer,
    ) -> CliResult<Self> {
        let plugin = components.engine(&choice.plugin)?;
        let info = plugin.info().clone();
        let settings = components::settings(&info.name, &info.options, &choice.options)?;
        let route = resolve_route(choice, &plugin)?;
        let simulated = match &plan.simulate {
            Some(dialect) => {
                let dialect = dialect_for(&dialect.value, &info.name)?;
                Some(Simulated::start(dialect, plan.seed.value, &choice.simulator)?)
            }
            None => None,
        };
        let url = url(choice, simulated.as_ref(), &info.default_url, printer);
        let key_variable = choice.api_key_env.clone().unwrap_or_else(|| info.key_variable.clone());
        let key = secret_key(choice, &key_variable, simulated.is_some())?;
        let target = target(choice, plan, &url, key.as_deref())?;
        let instance = instance(&plugin, printer)?;
        let mut prober = Prober::new(instance, target.clone(), settings.clone())?;
        printer.status(&format!("{}: waiting for {}", info.name, target.base));
        let ready = prober.wait_ready(plan.ready_timeout.value, |why| {
            printer.detail(&format!("{}: {why}", info.name));
            !interrupt.requested()
        });
        if let Err(why) = ready {
            let interrupted = interrupt.requested().then(CliError::interrupted);
            return Err(
                interrupted.unwrap_or_else(|| unreachable(&info.name, &url, choice, &key_variable, &why))
            );
        }
        let version = prober.version();
        let models = prober.models();
        let model = resolve_model(choice, &models);
        if choice.model.is_none() && models.len() > 1 {
            printer.status(&format!(
                "{}: model `{model}`, the first of {} served; `--model` chooses",
                info.name,
                models.len()
            ));
        }
        prober.set_model(&model);
        let context = models.iter().find(|m| m.id == model).and_then(|m| m.context);
        let facts = EngineFacts {
            plugin: components::facts(plugin.identity()),
            variant: choice.label.clone(),
            url: if simulated.is_some() { simulator(choice) } else { target.base.to_string() },
            route: route.to_string(),
            model: model.clone(),
            server_version: version,
            models_served: models.into_iter().map(|m| m.id).collect(),
            options: settings.iter().map(|s| (s.name.clone(), s.value.clone())).collect(),
            header_names: choice.headers.iter().map(|(name, _)| name.clone()).collect(),
            api_key_from: if key.is_some() { key_variable } else { String::new() },
        };
        Ok(Self {
            name: info.name,
            variant: choice.label.clone(),
            plugin,
            model,
            route,
            settings,
            target,
            prober: Arc::new(Mutex::new(prober)),
            facts,
            context,
            simulated,
        })
    }

    /// A fresh instance of the adapter, for one thread.
    pub(crate) fn instance(&self, printer: &Printer) -> CliResult<EngineInstance> {
        instance(&self.plugin, printer)
    }

    /// The program's own simulator answers.
    pub(crate) fn is_simulated(&self) -> bool {
        self.simulated.is_some()
    }

    /// For people: `vllm · fp8`.
    pub(crate) fn title(&self) -> String {
        crate::gauges::title(&self.name, &self.variant)
    }
}

/// Adapters' paths begin with `/v1` where the server's do; a base URL copied from a client's settings ends with it.
fn without_version(url: String, printer: &Printer) -> String {
    match url.trim_end_matches('/').strip_suffix("/v1") {
        Some(base) => {
            printer.status(&format!("using {base}: the adapter's own paths begin with `/v1`"));
            base.to_owned()
        }
        None => url,
    }
}

/// Where the engine listens: the simulator, the user's address, or the adapter's default.
fn url(choice: &EngineChoice, simulated: Option<&Simulated>, default: &str, printer: &Printer) -> String {
    match (simulated, &choice.url) {
        (Some(simulated), None) => simulated.url.clone(),
        (Some(simulated), Some(url)) => {
            printer.warning(&format!("{url} is not asked: `--simulate` measures the simulator"));
            simulated.url.clone()
        }
        (None, url) => without_version(url.clone().unwrap_or_else(|| default.to_owned()), printer),
    }
}

fn target(choice: &EngineChoice, plan: &Plan, url: &str, key: Option<&str>) -> CliResult<Target> {
    let base: BaseUrl = url
        .parse()
        .map_err(|e| CliError::usage(format!("the URL of `{}` is not sound", choice.plugin)).caused_by(&e))?;
    let connector = Connector::new(&TlsOptions { extra_ca: plan.ca_file.as_ref().map(|c| c.value.clone()) })
        .map_err(|e| CliError::setup("TLS cannot be set up").caused_by(&e))?;
    Ok(Target {
        base,
        connector,
        headers: headers(choice, key)?,
        limits: Limits {
            timeout: plan.timeout.value,
            idle_timeout: plan.idle_timeout.value,
            connect_timeout: plan.timeout.value.min(std::time::Duration::from_secs(10)),
            body_cap: BODY_CAP,
        },
        reuse: Reuse::default(),
    })
}

fn instance(plugin: &EnginePlugin, printer: &Printer) -> CliResult<EngineInstance> {
    plugin.instance(components::log(printer)).map_err(|e| {
        CliError::setup(format!("the adapter `{}` does not start", plugin.info().name)).caused_by(&e)
    })
}

fn resolve_route(choice: &EngineChoice, plugin: &EnginePlugin) -> CliResult<Route> {
    let info = plugin.info();
    let have = || info.routes.iter().map(|r| r.route.as_str()).collect::<Vec<_>>().join("`, `");
    match choice.route {
        Some(route) if info.route(route).is_some() => Ok(route),
        Some(route) => Err(CliError::usage(format!("the engine `{}` has no `{route}` route", info.name))
            .hint(format!("it has `{}`", have()))),
        None => info
            .routes
            .first()
            .map(|r| r.route)
            .ok_or_else(|| CliError::setup(format!("the adapter `{}` declares no route", info.name))),
    }
}

fn dialect_for(wished: &str, adapter: &str) -> CliResult<Dialect> {
    if !wished.is_empty() {
        return wished.parse().map_err(|e| CliError::usage(format!("`--simulate={wished}`")).because(e));
    }
    Simulated::dialect_for(adapter).ok_or_else(|| {
        CliError::usage(format!("the simulator does not know the dialect of `{adapter}`"))
            .hint("say which it resembles, for instance `--simulate=openai`")
    })
}

/// What stands for an address: the simulator, and in what it differs from its defaults.
fn simulator(choice: &EngineChoice) -> String {
    let set = choice.simulator.iter().map(|(key, value)| format!(" {key}={value}"));
    std::iter::once("simulator".to_owned()).chain(set).collect()
}

fn secret_key(choice: &EngineChoice, variable: &str, simulated: bool) -> CliResult<Option<String>> {
    if simulated || variable.is_empty() {
        return Ok(None);
    }
    let key = crate::env::secret(variable);
    if key.is_none() && choice.api_key_env.is_some() {
        return Err(CliError::usage(format!(
            "the variable `{variable}` named by `--api-key-env` is not set"
        )));
    }
    Ok(key)
}

fn headers(choice: &EngineChoice, key: Option<&str>) -> CliResult<Vec<SecretHeader>> {
    let make = |name: &str, value: &str| {
        SecretHeader::new(name, value)
            .map_err(|e| CliError::usage(format!("header `{name}` cannot be sent")).caused_by(&e))
    };
    let mut headers = Vec::new();
    if let Some(key) = key {
        headers.push(make("authorization", &format!("Bearer {key}"))?);
    }
    for (name, value) in &choice.headers {
        let value = match value {
            HeaderValue::Literal(value) => value.clone(),
            HeaderValue::Variable(variable) => crate::env::secret(variable).ok_or_else(|| {
                CliError::usage(format!("the variable `{variable}` of header `{name}` is not set"))
            })?,
        };
        headers.push(make(name, &value)?);
    }
    Ok(headers)
}

fn resolve_model(choice: &EngineChoice, served: &[benchhost_model::ModelInfo]) -> String {
    choice.model.clone().or_else(|| served.first().map(|m| m.id.clone())).unwrap_or_default()
}

fn unreachable(name: &str, url: &str, choice: &EngineChoice, key_variable: &str, why: &str) -> CliError {
    let mut error = CliError::setup(format!("the engine `{name}` at {url} is not ready")).because(why);
    error = if choice.url.is_none() {
        error.hint(format!(
            "that is the adapter's default address; name yours: `--engine {name}=URL` or `--url URL`"
        ))
    } else {
        error.hint("check the address and that the server is up; `--ready-timeout 5m` waits longer while a model loads")
    };
    if !key_variable.is_empty() {
        error = error.hint(format!(
            "a hosted endpoint needs its token in the variable `{key_variable}` (or `--api-key-env`)"
        ));
    }
    error.hint("to try without a server, add `--simulate`")
}
