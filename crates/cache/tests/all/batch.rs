//! Many entries at once.

use std::cell::RefCell;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crate::fake::{Failed, Fake, Loads, key, storing, tag};

const TTL: Duration = Duration::from_secs(100);

#[tokio::test]
async fn hits_misses_and_absent_ids_take_one_round_trip_and_one_load() {
    let (fake, builder) = Fake::shared();
    let cache = builder.build();
    let calls = RefCell::new(Vec::new());
    let fetch = async |ids: &[i64]| {
        cache
            .get_or_load_many(
                ids,
                TTL,
                |id| (key(*id), [tag(*id)]),
                |missed: Vec<i64>| {
                    calls.borrow_mut().push(missed.clone());
                    // Backwards, and without ids from 8 on.
                    async {
                        Loads::Ok(
                            missed
                                .into_iter()
                                .rev()
                                .filter(|id| *id < 8)
                                .map(|id| (id, id * 10))
                                .collect(),
                        )
                    }
                },
            )
            .await
            .unwrap()
    };
    fetch(&[1, 2, 3, 4, 5]).await;
    fake.reads.store(0, Ordering::SeqCst);
    let got = fetch(&[9, 1, 7, 2, 3, 7, 6, 4, 8, 5, 1]).await;
    let expected =
        [None, Some(10), Some(70), Some(20), Some(30), Some(70), Some(60), Some(40), None];
    assert_eq!(got[..9], expected);
    assert_eq!(got[9..], [Some(50), Some(10)]);
    assert_eq!(*calls.borrow(), [vec![1, 2, 3, 4, 5], vec![9, 7, 6, 8]]);
    assert_eq!(fake.reads.load(Ordering::SeqCst), 1);
    assert_eq!(fetch(&[8, 7]).await, [None, Some(70)], "absence is stored as well");
    assert_eq!(calls.borrow().len(), 2);
    let one = cache.entry::<i64>(key(8), [tag(8)], TTL);
    assert_eq!(one.get_or_load_optional(async || Err(Failed)).await, Ok(None));
    cache.invalidate([tag(7)]).await;
    fetch(&[7, 6]).await;
    assert_eq!(calls.borrow().last(), Some(&vec![7]));
}

#[tokio::test]
async fn no_ids_no_traffic_and_many_ids_go_in_chunks() {
    for cache in storing().await {
        let sizes = RefCell::new(Vec::new());
        let fetch = async |ids: &[i64]| {
            cache
                .get_or_load_many(
                    ids,
                    TTL,
                    |id| (key(*id), [tag(*id)]),
                    |missed: Vec<i64>| {
                        sizes.borrow_mut().push(missed.len());
                        async { Loads::Ok(missed.into_iter().map(|id| (id, id)).collect()) }
                    },
                )
                .await
                .unwrap()
        };
        assert_eq!(fetch(&[]).await, []);
        assert!(sizes.borrow().is_empty());
        let ids: Vec<i64> = (0..1_200).collect();
        assert_eq!(fetch(&ids).await, ids.iter().copied().map(Some).collect::<Vec<_>>());
        assert_eq!(*sizes.borrow(), [500, 500, 200]);
    }
}

#[tokio::test]
async fn a_batch_overtaken_by_a_write_stores_nothing_for_it() {
    for cache in storing().await {
        let got = cache.get_or_load_many(
            &[1_i64, 2],
            TTL,
            |id| (key(*id), [tag(*id)]),
            |missed| {
                let cache = cache.clone();
                async move {
                    cache.invalidate([tag(1)]).await;
                    Loads::Ok(missed.into_iter().map(|id| (id, 0_u32)).collect())
                }
            },
        );
        assert_eq!(got.await, Ok(vec![Some(0), Some(0)]));
        let read = async |id| cache.entry::<u32>(key(id), [tag(id)], TTL).get_optional().await;
        assert_eq!((read(1).await, read(2).await), (None, Some(Some(0))));
    }
}
