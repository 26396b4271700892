use super::{PATIENCE, names, nonce};
use crate::backend::{BusEvent, BusEvents, CacheBackend};

/// Whoever hears the message of `renew_and_publish` reads the nonce it announces.
pub async fn messages_follow_the_nonces_they_announce(backend: &dyn CacheBackend) {
    let Some(mut bus) = joined(backend).await else { return };
    let tags = names(3);
    for _ in 0..30 {
        let fresh: Vec<_> = tags.iter().map(|tag| (tag.clone(), nonce())).collect();
        let message = fresh[0].1.0;
        let renewed = backend.renew_and_publish(&fresh, &message);
        let (renewed, seen) = tokio::join!(renewed, async {
            heard(&mut bus, &message).await;
            backend.read(&[], &tags).await
        });
        renewed.unwrap();
        let nonces: Vec<_> =
            seen.unwrap().stamps.iter().map(|stamp| stamp.unwrap().nonce).collect();
        assert_eq!(nonces, fresh.iter().map(|(_, nonce)| *nonce).collect::<Vec<_>>());
    }
}

/// Messages of one publisher come to all in order, its own subscription included.
pub async fn every_subscriber_hears_every_message_in_order(backend: &dyn CacheBackend) {
    let Some(mut one) = joined(backend).await else { return };
    let Some(mut other) = joined(backend).await else { return };
    let messages: Vec<_> = (0..50).map(|_| nonce().0.to_vec()).collect();
    for message in &messages {
        backend.publish(message).await.unwrap();
    }
    for bus in [&mut one, &mut other] {
        let mut told = Vec::new();
        while told.len() < messages.len() {
            if let BusEvent::Message(message) = next(bus).await
                && messages.contains(&message)
            {
                told.push(message);
            }
        }
        assert!(told == messages, "another order");
    }
}

/// A subscription that has said so.
async fn joined(backend: &dyn CacheBackend) -> Option<BusEvents> {
    let mut bus = backend.subscribe()?;
    assert_eq!(next(&mut bus).await, BusEvent::Subscribed, "said first");
    Some(bus)
}

async fn next(bus: &mut BusEvents) -> BusEvent {
    let event = tokio::time::timeout(PATIENCE, bus.recv()).await;
    event.unwrap_or(None).unwrap_or_else(|| panic!("the bus is silent"))
}

async fn heard(bus: &mut BusEvents, message: &[u8]) {
    while next(bus).await != BusEvent::Message(message.to_vec()) {}
}
