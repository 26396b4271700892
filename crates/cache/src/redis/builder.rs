use std::fmt;
use std::sync::Arc;

use redis::RedisConnectionInfo;

use super::address::{Address, Dialer, Kind};
use super::bus::{Bus, Source};
use super::cluster::Cluster;
use super::link::{Manager, Place};
use super::node::Node;
use super::sentinel::Sentinels;
use super::single::Single;
use super::{Means, RedisBackend, RedisOptions, Topology};
use crate::backend::BackendError;
use crate::clock::{Clock, Random, SystemClock, SystemRandom};

/// Builds a [`RedisBackend`].
pub struct RedisBuilder {
    url: String,
    means: Means,
    sentinel_login: Option<RedisConnectionInfo>,
    #[cfg(feature = "tls")]
    certificates: Option<redis::TlsCertificates>,
}

impl RedisBuilder {
    pub(super) fn new(url: &str) -> Self {
        let means = Means {
            options: RedisOptions::default(),
            clock: Arc::new(SystemClock::default()),
            random: Arc::new(SystemRandom::default()),
        };
        Self {
            url: url.to_owned(),
            means,
            sentinel_login: None,
            #[cfg(feature = "tls")]
            certificates: None,
        }
    }

    /// Limits, in place of the defaults.
    #[must_use]
    pub fn options(mut self, options: RedisOptions) -> Self {
        self.means.options = options;
        self
    }

    /// Times the breaker instead of the operating system's clock. Deadlines are tokio's.
    #[must_use]
    pub fn clock(mut self, clock: Arc<dyn Clock>) -> Self {
        self.means.clock = clock;
        self
    }

    /// Spreads reconnections, in place of the operating system's random numbers.
    #[must_use]
    pub fn random(mut self, random: Arc<dyn Random>) -> Self {
        self.means.random = random;
        self
    }

    /// How to log in at the Sentinels; the address tells it for the primary only.
    #[must_use]
    pub fn sentinel_login(mut self, user: Option<&str>, password: &str) -> Self {
        let login = RedisConnectionInfo::default().set_password(password);
        self.sentinel_login = Some(match user {
            Some(user) => login.set_username(user),
            None => login,
        });
        self
    }

    /// Trusts these authorities (PEM) instead of the operating system's.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn root_certificates(mut self, pem: &[u8]) -> Self {
        self.certificates().root_cert = Some(pem.to_vec());
        self
    }

    /// Shows this certificate (PEM, with its chain) to the servers.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn client_certificate(mut self, certificate_pem: &[u8], key_pem: &[u8]) -> Self {
        self.certificates().client_tls = Some(redis::ClientTlsConfig {
            client_cert: certificate_pem.to_vec(),
            client_key: key_pem.to_vec(),
        });
        self
    }

    #[cfg(feature = "tls")]
    fn certificates(&mut self) -> &mut redis::TlsCertificates {
        let none = redis::TlsCertificates { client_tls: None, root_cert: None };
        self.certificates.get_or_insert(none)
    }

    /// The backend. It connects when first used. To be called within a tokio runtime.
    ///
    /// With TLS, and where the process has no rustls provider yet, ring becomes it.
    ///
    /// # Errors
    /// `Protocol` when the address or a certificate cannot be read. No message repeats either.
    pub fn build(self) -> Result<RedisBackend, BackendError> {
        let refuse = |reason: &str| BackendError::Protocol(reason.to_owned());
        let address = Address::parse(&self.url).map_err(refuse)?;
        let Address { kind, seeds, dialer } = address;
        let dialer = self.secured(dialer).map_err(refuse)?;
        let means = self.means;
        let deadline = means.options.deadline;
        let (topology, source) = match kind {
            Kind::Server => {
                let info = dialer.template().clone();
                let single = single(Place::Fixed(Box::new(info.clone())), "redis", &means);
                (single, Source::Fixed(Box::new(info)))
            }
            Kind::Sentinel { service } => {
                let login = self.sentinel_login.unwrap_or_default();
                let asked = dialer.with_login(login);
                let name = service.clone();
                let sentinels = Sentinels::new(service, &seeds, &asked, dialer, deadline)
                    .map_err(|_| refuse("the Redis address is malformed"))?;
                let sentinels = Arc::new(sentinels);
                let single = single(Place::Named(Arc::clone(&sentinels)), &name, &means);
                (single, Source::Named(sentinels))
            }
            Kind::Cluster => {
                let cluster = Cluster::new(dialer, seeds, means.clone());
                let source = Source::Cluster(cluster.core());
                (Topology::Cluster(cluster), source)
            }
        };
        Ok(RedisBackend { topology, bus: Bus::new(source, means), deadline })
    }

    #[cfg(feature = "tls")]
    fn secured(&self, dialer: Dialer) -> Result<Dialer, &'static str> {
        if !dialer.uses_tls() {
            return match &self.certificates {
                Some(_) => Err("certificates were given, but the address does not ask for TLS"),
                None => Ok(dialer),
            };
        }
        if rustls::crypto::CryptoProvider::get_default().is_none() {
            // An error means that somebody else was quicker, which is as good.
            rustls::crypto::ring::default_provider().install_default().ok();
        }
        match &self.certificates {
            Some(certificates) => dialer.with_tls(certificates.clone()),
            None => Ok(dialer),
        }
    }

    #[cfg(not(feature = "tls"))]
    fn secured(&self, dialer: Dialer) -> Result<Dialer, &'static str> {
        match dialer.uses_tls() {
            true => Err("the Redis address asks for TLS, which needs the feature `tls`"),
            false => Ok(dialer),
        }
    }
}

fn single(place: Place, name: &str, means: &Means) -> Topology {
    let manager = Manager { place, deadline: means.options.deadline, primaries_only: true };
    Topology::Single(Single { node: Node::new(manager, name.to_owned(), means) })
}

impl fmt::Debug for RedisBuilder {
    /// Without the address: it may hold a password.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("RedisBuilder")
            .field("options", &self.means.options)
            .finish_non_exhaustive()
    }
}
