//! Which names a request may call this server by. A page of a stranger can have its own name resolve to the loopback
//! address and would then be of the same origin (DNS rebinding); it cannot make the browser send another `Host`.

use std::net::IpAddr;

/// The names by which the server answers.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Hosts {
    bound: IpAddr,
}

impl Hosts {
    /// Of a server that listens on `bound`.
    pub(crate) const fn of(bound: IpAddr) -> Self {
        Self { bound }
    }

    /// Whether a `Host` header's value names this server. The port is not looked at: it may be forwarded from another,
    /// and a rebound name is no number.
    pub(crate) fn allow(self, host: &str) -> bool {
        let Some(name) = name_of(host) else { return false };
        if name.eq_ignore_ascii_case("localhost") || name.eq_ignore_ascii_case("localhost.") {
            return true;
        }
        let address = match name.strip_prefix('[') {
            Some(rest) => rest.strip_suffix(']').and_then(|v6| v6.parse().ok().map(IpAddr::V6)),
            None => name.parse().ok().map(IpAddr::V4),
        };
        address.is_some_and(|address| self.is_ours(address))
    }

    fn is_ours(self, address: IpAddr) -> bool {
        // On all interfaces, any literal address may be one of this machine's, and no literal can be rebound.
        self.bound.is_unspecified()
            || address == self.bound
            || address == IpAddr::from([127, 0, 0, 1])
            || address == IpAddr::from([0, 0, 0, 0, 0, 0, 0, 1_u16])
    }
}

/// Without the port; `None`: not of the form `name`, `name:port` or `[address]:port`.
fn name_of(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') { host.find(']')? + 1 } else { host.find(':').unwrap_or(host.len()) };
    let (name, port) = host.split_at(end);
    let sound = match port.strip_prefix(':') {
        Some(digits) => digits.bytes().all(|b| b.is_ascii_digit()),
        None => port.is_empty(),
    };
    (sound && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_that_cannot_be_rebound_are_answered() {
        let hosts = Hosts::of("127.0.0.1".parse().unwrap());
        for ours in [
            "localhost",
            "LocalHost:8090",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:8090",
            "localhost.:1",
        ] {
            assert!(hosts.allow(ours), "{ours}");
        }
        for other in [
            "",
            ":80",
            "evil.example",
            "evil.example:8090",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "127.0.0.1@evil.example",
            "localhost:8090@evil.example",
            "localhost:8o9o",
            "10.0.0.7",
            "127.1",
            "2130706433",
            "::1",
            "[::1",
            "[::1]x",
            "[localhost]",
            "localhost, evil.example",
        ] {
            assert!(!hosts.allow(other), "{other}");
        }
    }

    #[test]
    fn a_bound_address_is_a_name_too() {
        let hosts = Hosts::of("10.0.0.7".parse().unwrap());
        assert!(hosts.allow("10.0.0.7:8090") && hosts.allow("localhost") && !hosts.allow("10.0.0.8"));
        let everywhere = Hosts::of("0.0.0.0".parse().unwrap());
        assert!(everywhere.allow("192.168.1.5") && everywhere.allow("[fe80::1]:1"));
        assert!(!everywhere.allow("evil.example"));
    }
}
