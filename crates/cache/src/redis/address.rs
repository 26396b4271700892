//! Addresses: which topology, where it begins, and how to log in.

use redis::{ConnectionAddr, ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

/// A node's host and port.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) struct Endpoint {
    pub(super) host: String,
    pub(super) port: u16,
}

impl Endpoint {
    /// `host:port`, also of IPv6. An empty host is the one that said so.
    pub(super) fn parse(text: &str, same_host: &str) -> Option<Self> {
        let (host, port) = text.rsplit_once(':')?;
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let host = if host.is_empty() { same_host } else { host };
        Some(Self { host: host.to_owned(), port: port.parse().ok()? })
    }
}

impl std::fmt::Display for Endpoint {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(out, "{}:{}", self.host, self.port)
    }
}

#[derive(Debug)]
pub(super) enum Kind {
    Server,
    Cluster,
    Sentinel { service: String },
}

/// An address that was understood.
pub(super) struct Address {
    pub(super) kind: Kind,
    /// Of the servers to store things in: login, database, TLS.
    pub(super) dialer: Dialer,
    /// Where the address begins: one server, nodes of a Cluster, or Sentinels.
    pub(super) seeds: Vec<Endpoint>,
}

/// Makes connection settings for any node of the same installation.
#[derive(Clone)]
pub(super) struct Dialer {
    template: ConnectionInfo,
}

impl Dialer {
    pub(super) fn to(&self, endpoint: &Endpoint) -> ConnectionInfo {
        let Endpoint { host, port } = endpoint.clone();
        let addr = match self.template.addr() {
            ConnectionAddr::TcpTls { insecure, tls_params, .. } => ConnectionAddr::TcpTls {
                host,
                port,
                insecure: *insecure,
                tls_params: tls_params.clone(),
            },
            _ => ConnectionAddr::Tcp(host, port),
        };
        self.template.clone().set_addr(addr)
    }

    /// The first server of the address itself, which may be a socket.
    pub(super) fn template(&self) -> &ConnectionInfo {
        &self.template
    }

    pub(super) fn with_login(&self, login: RedisConnectionInfo) -> Self {
        Self { template: self.template.clone().set_redis_settings(quiet(login)) }
    }

    #[cfg(feature = "tls")]
    pub(super) fn with_tls(
        self,
        certificates: redis::TlsCertificates,
    ) -> Result<Self, &'static str> {
        let client = redis::Client::build_with_tls(self.template, certificates);
        let client = client.map_err(|_| "a certificate or key cannot be read")?;
        Ok(Self { template: client.get_connection_info().clone() })
    }

    pub(super) fn uses_tls(&self) -> bool {
        matches!(self.template.addr(), ConnectionAddr::TcpTls { .. })
    }
}

/// Without `CLIENT SETINFO`, which servers before 7.2 and tight ACLs refuse.
fn quiet(login: RedisConnectionInfo) -> RedisConnectionInfo {
    login.set_skip_set_lib_name()
}

impl Address {
    /// The error says what is wrong without repeating any of the text.
    pub(super) fn parse(text: &str) -> Result<Self, &'static str> {
        const MALFORMED: &str = "the Redis address is malformed";
        let (scheme, rest) = text.split_once("://").ok_or(MALFORMED)?;
        let (plain, kind) = match scheme.split_once('+') {
            Some((plain, "cluster")) => (plain, "cluster"),
            Some((plain, "sentinel")) => (plain, "sentinel"),
            _ => (scheme, ""),
        };
        if plain == "rediss" && !cfg!(feature = "tls") {
            return Err("the Redis address asks for TLS, which needs the feature `tls`");
        }
        if kind.is_empty() {
            return Self::server(text).ok_or(MALFORMED);
        }
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (login, hosts) = match authority.rsplit_once('@') {
            Some((login, hosts)) => (format!("{login}@"), hosts),
            None => (String::new(), authority),
        };
        let default_port = if kind == "sentinel" { 26_379 } else { 6_379 };
        let seeds: Option<Vec<_>> = hosts.split(',').map(|host| seed(host, default_port)).collect();
        let seeds = seeds.filter(|seeds| !seeds.is_empty()).ok_or(MALFORMED)?;
        let (kind, database) = match kind {
            "cluster" if path.is_empty() || path == "0" => (Kind::Cluster, ""),
            "cluster" => return Err("a Redis Cluster has no databases"),
            _ => {
                let (service, database) = path.split_once('/').unwrap_or((path, ""));
                if service.is_empty() {
                    return Err("the Redis address does not name the service the Sentinels watch");
                }
                (Kind::Sentinel { service: service.to_owned() }, database)
            }
        };
        // The host is replaced before use; only login, database and scheme are taken.
        let one = Self::server(&format!("{plain}://{login}localhost/{database}"));
        Ok(Self { kind, seeds, dialer: one.ok_or(MALFORMED)?.dialer })
    }

    fn server(text: &str) -> Option<Self> {
        let info = text.into_connection_info().ok()?;
        let login = quiet(info.redis_settings().clone());
        let template = info.set_redis_settings(login);
        let seeds = match template.addr() {
            ConnectionAddr::Tcp(host, port) | ConnectionAddr::TcpTls { host, port, .. } => {
                vec![Endpoint { host: host.clone(), port: *port }]
            }
            _ => Vec::new(),
        };
        Some(Self { kind: Kind::Server, seeds, dialer: Dialer { template } })
    }
}

fn seed(text: &str, default_port: u16) -> Option<Endpoint> {
    let has_port = text.rsplit_once(':').is_some_and(|(host, _)| {
        !host.contains(':') || host.ends_with(']') // The colons of an IPv6 address are in brackets.
    });
    let text = if has_port { text.to_owned() } else { format!("{text}:{default_port}") };
    Endpoint::parse(&text, "").filter(|endpoint| !endpoint.host.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(address: &Address) -> Vec<String> {
        address.seeds.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn every_kind_is_understood() {
        let one = Address::parse("redis://me:pw@h/3").unwrap();
        assert!(matches!(one.kind, Kind::Server));
        assert_eq!(one.dialer.template().redis_settings().db(), 3);
        let cluster = Address::parse("redis+cluster://:p@w@a:1,[::1]:2,c").unwrap();
        assert!(matches!(cluster.kind, Kind::Cluster));
        assert_eq!(hosts(&cluster), ["a:1", "::1:2", "c:6379"]);
        let watched = Address::parse("redis+sentinel://me:pw@a,b:7/main/2").unwrap();
        assert_eq!(hosts(&watched), ["a:26379", "b:7"]);
        assert!(matches!(&watched.kind, Kind::Sentinel { service } if service == "main"));
        let settings = watched.dialer.template().redis_settings();
        assert_eq!(
            (settings.db(), settings.username(), settings.password()),
            (2, Some("me"), Some("pw"))
        );
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for text in
            ["", "h:1", "http://h", "redis+cluster://", "redis+cluster://a:b", "redis+x://h"]
        {
            assert!(Address::parse(text).is_err(), "{text}");
        }
        assert!(Address::parse("redis+cluster://a/1").err().unwrap().contains("databases"));
        assert!(Address::parse("redis+sentinel://a").err().unwrap().contains("service"));
    }

    #[test]
    fn referrals_name_a_host_or_mean_the_same() {
        let to = |text| Endpoint::parse(text, "me").map(|at| at.to_string());
        assert_eq!(to("10.0.0.1:7"), Some("10.0.0.1:7".to_owned()));
        assert_eq!(to(":7"), Some("me:7".to_owned()));
        assert_eq!(to("h:x"), None);
    }
}
