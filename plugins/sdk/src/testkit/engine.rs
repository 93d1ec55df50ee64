//! Calls an adapter in a test as the host would: with every declared option. Must not know any engine.

use crate::{
    BuildInput, Engine, HttpAnswer, ProbeAnswer, ProbeInput, ProbeKind, ProbeRequest, Refusal, Request,
};

/// The declared options' defaults with these values in place of some.
///
/// # Panics
/// When a name is not declared.
pub fn settings<E: Engine>(changed: &[(&str, &str)]) -> Vec<crate::Setting> {
    super::in_force(E::describe().options, changed)
}

/// `build` with [`settings`].
pub fn build<E: Engine>(changed: &[(&str, &str)], input: BuildInput) -> Result<Request, Refusal> {
    E::build(&BuildInput { settings: settings::<E>(changed), ..input })
}

/// The body that `build` makes, as text.
///
/// # Panics
/// When the adapter refuses.
pub fn body<E: Engine>(changed: &[(&str, &str)], input: BuildInput) -> String {
    let request = build::<E>(changed, input).expect("the adapter refused");
    String::from_utf8(request.body).expect("a JSON body is UTF-8")
}

/// `probe` with [`settings`], for the model `m` and the text `Hi`, without special tokens.
pub fn probe<E: Engine>(changed: &[(&str, &str)], kind: ProbeKind) -> Option<ProbeRequest> {
    let settings = settings::<E>(changed);
    E::probe(kind, &ProbeInput { model: "m".into(), text: "Hi".into(), special_tokens: false, settings })
}

/// `read_probe` of an answer with this status and body.
pub fn read_probe<E: Engine>(kind: ProbeKind, status: u16, body: &str) -> Result<ProbeAnswer, Refusal> {
    E::read_probe(kind, &HttpAnswer { status, headers: vec![], body: body.as_bytes().to_vec() })
}

/// What `gauges` reads, as pairs.
pub fn gauges<E: Engine>(body: &str) -> Vec<(String, f64)> {
    E::gauges(body.as_bytes()).into_iter().map(|g| (g.name, g.value)).collect()
}

/// Checks what every description must hold: declared probes are answered and no others, defaults satisfy their kinds,
/// there is a route, and every route builds a request whose path begins with `/` and carries none of the host's headers.
///
/// # Panics
/// When one does not hold, naming it.
pub fn check<E: Engine>() {
    let description = E::describe();
    let kinds = [
        ProbeKind::Ready,
        ProbeKind::Version,
        ProbeKind::Models,
        ProbeKind::Metrics,
        ProbeKind::CacheReset,
        ProbeKind::Tokenize,
    ];
    for kind in kinds {
        let declared = description.probes.contains(&kind);
        assert_eq!(probe::<E>(&[], kind).is_some(), declared, "{kind:?}: declared {declared}");
        if declared {
            for status in [200, 404, 500] {
                for body in ["", "{}", "[]", "null", "<html>", "{\"data\":7,\"tokens\":{}}"] {
                    let _ = read_probe::<E>(kind, status, body);
                }
            }
        }
    }
    assert!(!description.routes.is_empty(), "no route");
    for route in &description.routes {
        let input = BuildInput { route: route.route, model: "m".into(), ..BuildInput::default() };
        let request = build::<E>(&[], input).unwrap_or_else(|e| panic!("{:?}: {e}", route.route));
        assert!(request.path.starts_with('/'), "path `{}`", request.path);
        assert!(request.ctx.len() <= 65_536, "ctx is longer than 64 KiB");
        for (name, _) in &request.headers {
            let hosts = ["host", "content-length", "authorization"].contains(&name.to_lowercase().as_str());
            assert!(!hosts, "header `{name}` is the host's");
        }
    }
    for body in [&b""[..], b"\xff\xfe", b"{}", b"a{b=\"c\"} 1\n"] {
        let _ = E::gauges(body);
    }
}
