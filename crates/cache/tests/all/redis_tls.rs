//! TLS with an authority of this test's own.

use std::time::Duration;

use guildhall_cache::{BackendError, BusEvent, CacheBackend, RedisBackend};
use guildhall_testkit::server::PrivateRedis;
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, KeyUsagePurpose};

use crate::redis_servers::patient;

struct Papers {
    authority: String,
    certificate: String,
    key: String,
}

impl Papers {
    fn issue() -> Self {
        let mut params = CertificateParams::default();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::DigitalSignature];
        // Another name than the server's, which would otherwise pass for self-signed.
        params.distinguished_name.push(DnType::CommonName, "authority");
        let authority_key = KeyPair::generate().unwrap();
        let authority = params.self_signed(&authority_key).unwrap().pem();
        let issuer = Issuer::new(params, authority_key);
        let key = KeyPair::generate().unwrap();
        let names = vec!["127.0.0.1".to_owned(), "localhost".to_owned()];
        let certificate = CertificateParams::new(names).unwrap().signed_by(&key, &issuer).unwrap();
        Self { authority, certificate: certificate.pem(), key: key.serialize_pem() }
    }
}

/// The server and its TLS port; `None` where Redis was built without TLS.
async fn start(papers: &Papers, clients: &str) -> Option<(PrivateRedis, u16)> {
    let plain = PrivateRedis::start().await;
    if plain.command("CONFIG GET tls-port").await.is_empty() {
        eprintln!("skipped: this redis-server was built without TLS");
        return None;
    }
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = free.local_addr().unwrap().port();
    drop(free);
    let settings = format!(
        "tls-port {port}\ntls-cert-file server.pem\ntls-key-file server.key\n\
         tls-ca-cert-file authority.pem\ntls-auth-clients {clients}"
    );
    let files = [
        ("server.pem", papers.certificate.as_str()),
        ("server.key", papers.key.as_str()),
        ("authority.pem", papers.authority.as_str()),
    ];
    Some((PrivateRedis::start_with(&settings, &files).await, port))
}

#[tokio::test]
async fn it_talks_to_a_server_whose_authority_it_trusts() {
    let papers = Papers::issue();
    let Some((_server, port)) = start(&papers, "no").await else { return };
    let url = format!("rediss://localhost:{port}");
    let stranger = RedisBackend::builder(&url).options(patient()).build().unwrap();
    assert!(matches!(stranger.ping("k").await, Err(BackendError::Unavailable(_))));
    let builder = RedisBackend::builder(&url).options(patient());
    let backend = builder.root_certificates(papers.authority.as_bytes()).build().unwrap();
    backend.ping("k").await.unwrap();
    let mut bus = backend.subscribe().unwrap();
    assert_eq!(bus.recv().await, Some(BusEvent::Subscribed));
    backend.publish(b"sealed").await.unwrap();
    let event = tokio::time::timeout(Duration::from_secs(30), bus.recv()).await.unwrap();
    assert_eq!(event, Some(BusEvent::Message(b"sealed".to_vec())));
}

#[tokio::test]
async fn it_shows_its_certificate_where_one_is_asked_for() {
    let papers = Papers::issue();
    let Some((_server, port)) = start(&papers, "yes").await else { return };
    let url = format!("rediss://127.0.0.1:{port}");
    let trusting = || {
        RedisBackend::builder(&url)
            .options(patient())
            .root_certificates(papers.authority.as_bytes())
    };
    assert!(trusting().build().unwrap().ping("k").await.is_err());
    let shown = trusting().client_certificate(papers.certificate.as_bytes(), papers.key.as_bytes());
    shown.build().unwrap().ping("k").await.unwrap();
}

#[tokio::test]
async fn papers_that_cannot_be_read_or_used_are_refused() {
    let broken = "-----BEGIN CERTIFICATE-----\nAA\n-----END CERTIFICATE-----\n";
    let read = RedisBackend::builder("rediss://h").root_certificates(broken.as_bytes()).build();
    assert!(read.unwrap_err().to_string().contains("certificate"));
    let papers = Papers::issue();
    let plain = RedisBackend::builder("redis://h").root_certificates(papers.authority.as_bytes());
    assert!(plain.build().unwrap_err().to_string().contains("TLS"));
}
