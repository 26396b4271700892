//! What promises begin with.

use std::sync::Arc;
use std::time::Duration;

use guildhall_domain::{Fragment, ImportedVip, LoreId, NewFragment, Points, User, UserId, Vip};
use guildhall_repository::{
    ImportRun, InvalidationNote, NewImport, NewUserLore, Storage, StorageHealth,
};
use tokio::sync::Barrier;
use tokio::task::JoinHandle;

use crate::builder::{award, hours, imported, lore, now, seconds, slug, source, user};

/// A registered member, called `name`.
pub(super) async fn member(storage: &Arc<dyn Storage>, name: &str) -> UserId {
    registered(storage, name).await.id
}

/// A registered member, called `name`, with its row.
pub(super) async fn registered(storage: &Arc<dyn Storage>, name: &str) -> User {
    storage.users().create(&user(name), now()).await.unwrap()
}

/// A member who was awarded whole points once.
pub(super) async fn funded(storage: &Arc<dyn Storage>, name: &str, whole: i64) -> UserId {
    let id = member(storage, name).await;
    storage.points().award(&award(id, whole), now()).await.unwrap();
    id
}

/// `count` members with whole points each, in ascending order; none when `whole` is 0.
pub(super) async fn crowd(storage: &Arc<dyn Storage>, count: usize, whole: i64) -> Vec<UserId> {
    let new: Vec<_> = (0..count).map(|n| user(&format!("member{n}"))).collect();
    let users = storage.users().create_batch(&new, now()).await.unwrap();
    let ids: Vec<UserId> = users.iter().map(|user| user.id).collect();
    if whole > 0 {
        for &id in &ids {
            storage.points().award(&award(id, whole), now()).await.unwrap();
        }
    }
    ids
}

/// An import of `source` held by `owner` for an hour.
pub(super) fn import(source: &str, owner: &str) -> NewImport {
    NewImport {
        source: source.to_owned(),
        owner: owner.to_owned(),
        leased_until: now().plus(hours(1)),
    }
}

/// An import that has begun.
pub(super) async fn running(storage: &Arc<dyn Storage>, source: &str) -> ImportRun {
    storage.imports().begin(&import(source, "tester"), now()).await.unwrap()
}

/// A member with a VIP standing, which only an import can bring so far.
pub(super) async fn vip(storage: &Arc<dyn Storage>, name: &str, standing: Vip) -> UserId {
    let run = running(storage, &format!("vips:{name}")).await;
    let mut new = imported(name, name);
    new.vip = ImportedVip { standing, role_only: false };
    let lease = now().plus(hours(1));
    storage.imports().write_members(&run, &[new], name, lease, now()).await.unwrap();
    storage.imports().finish(&run, now()).await.unwrap();
    let external = crate::builder::telegram(name);
    let found = storage.users().by_external(&external.provider, &external.external_id);
    found.await.unwrap().unwrap().id
}

/// Waits until no connection is in use, and gives the storage's state then.
pub(super) async fn at_rest(storage: &Arc<dyn Storage>) -> StorageHealth {
    let rest = async {
        loop {
            let health = storage.health(now()).await.unwrap();
            if health.idle == health.connections {
                return health;
            }
            tokio::task::yield_now().await;
        }
    };
    tokio::time::timeout(seconds(60), rest).await.expect("abandoned calls come to their end")
}

/// The balance of a member.
pub(super) async fn balance(storage: &Arc<dyn Storage>, user: UserId) -> Points {
    storage.points().balance(user).await.unwrap()
}

/// Runs `count` tasks that start together, and gives what they gave in order.
pub(super) async fn at_once<T, F>(
    count: usize,
    storage: &Arc<dyn Storage>,
    task: impl Fn(Arc<dyn Storage>, usize) -> F,
) -> Vec<T>
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let gate = Arc::new(Barrier::new(count));
    let spawn = |index| -> JoinHandle<T> {
        let (gate, task) = (gate.clone(), task(storage.clone(), index));
        tokio::spawn(async move {
            gate.wait().await;
            task.await
        })
    };
    let handles: Vec<_> = (0..count).map(spawn).collect();
    let mut outcomes = Vec::with_capacity(count);
    for handle in handles {
        outcomes.push(handle.await.unwrap());
    }
    outcomes
}

/// The fragments of a story, written at once.
pub(super) async fn story(storage: &Arc<dyn Storage>, fragments: &[NewFragment]) {
    let import = storage.narrative().import_fragments(fragments, false, now()).await.unwrap();
    assert!(import.written, "{:?}", import.items);
}

/// A fragment that exists.
pub(super) async fn stored(storage: &Arc<dyn Storage>, id: &str) -> Fragment {
    storage.narrative().fragment(&slug(id)).await.unwrap().unwrap()
}

/// A piece of lore.
pub(super) async fn piece(storage: &Arc<dyn Storage>, code: &str) -> LoreId {
    storage.lore().create_piece(&lore(code), now()).await.unwrap().id
}

/// A piece to be given to a member by a fragment.
pub(super) fn find_of(user: UserId, lore: LoreId) -> NewUserLore {
    NewUserLore { user, lore, source: source("fragment"), context: None }
}

/// A note for a cache. Small ids: those of a cache that takes part are large.
pub(super) fn note(id: i64, targets: &str) -> InvalidationNote {
    InvalidationNote { id, targets: targets.into() }
}

/// The notes with small ids.
pub(super) async fn noted(storage: &Arc<dyn Storage>) -> Vec<InvalidationNote> {
    let notes = storage.invalidations().left_behind(Duration::ZERO, 500).await.unwrap();
    notes.into_iter().filter(|note| note.id < 1_000_000).collect()
}
