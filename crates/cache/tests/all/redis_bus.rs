//! The bus over a real Redis: cut, full, left.

use std::time::Duration;

use guildhall_cache::{BusEvent, BusEvents, CacheBackend, RedisBackend, RedisOptions};
use guildhall_testkit::server::PrivateRedis;

use crate::redis_servers::{backend, eventually, patient};

async fn next(bus: &mut BusEvents) -> BusEvent {
    tokio::time::timeout(Duration::from_secs(30), bus.recv()).await.unwrap().unwrap()
}

async fn subscribers(server: &PrivateRedis) -> String {
    server.command("PUBSUB NUMSUB guildhall:bus").await
}

fn message(text: &str) -> BusEvent {
    BusEvent::Message(text.as_bytes().to_vec())
}

#[tokio::test]
async fn a_cut_bus_comes_back_and_says_so() {
    let server = PrivateRedis::start().await;
    let backend = backend(&server.url());
    let mut bus = backend.subscribe().unwrap();
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
    backend.publish(b"before").await.unwrap();
    assert_eq!(next(&mut bus).await, message("before"));
    for _ in 0..2 {
        assert_eq!(server.command("CLIENT KILL TYPE pubsub").await, "1");
        assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
        backend.publish(b"after").await.unwrap();
        assert_eq!(next(&mut bus).await, message("after"));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn it_waits_for_a_server_that_is_down() {
    let mut server = PrivateRedis::start().await;
    server.kill();
    let backend = backend(&server.url());
    let mut bus = backend.subscribe().unwrap();
    server.restart().await;
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
    server.kill();
    server.restart().await;
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_died_without_a_sign_is_noticed() {
    let server = PrivateRedis::start().await;
    let options = RedisOptions { deadline: Duration::from_millis(100), ..patient() };
    let backend = RedisBackend::new(&server.url(), options).unwrap();
    let mut bus = backend.subscribe().unwrap();
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
    server.pause();
    // It stays open as far as TCP knows. The server says nothing until the bus has left it.
    let silent = tokio::time::timeout(Duration::from_secs(6), bus.recv()).await;
    assert!(silent.is_err(), "{silent:?}");
    server.resume();
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
}

#[tokio::test]
async fn what_finds_no_room_is_dropped_and_said() {
    let server = PrivateRedis::start().await;
    let options = RedisOptions { bus_messages_max: 3, ..patient() };
    let backend = RedisBackend::new(&server.url(), options).unwrap();
    let mut bus = backend.subscribe().unwrap();
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
    for number in 0..10 {
        backend.publish(format!("{number}").as_bytes()).await.unwrap();
    }
    eventually("the channel is full", async || bus.len() == 3).await;
    for number in 0..3 {
        assert_eq!(next(&mut bus).await, message(&format!("{number}")));
    }
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
    backend.publish(b"last").await.unwrap();
    while next(&mut bus).await != message("last") {}
}

#[tokio::test]
async fn it_ends_with_its_receiver_and_not_with_its_backend() {
    let server = PrivateRedis::start().await;
    let (leaving, publisher) = (backend(&server.url()), backend(&server.url()));
    let mut bus = leaving.subscribe().unwrap();
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed);
    drop(leaving);
    publisher.publish(b"still there").await.unwrap();
    assert_eq!(next(&mut bus).await, message("still there"));
    drop(bus);
    let nobody = "guildhall:bus\n0";
    eventually("it has left", async || subscribers(&server).await == nobody).await;
}
