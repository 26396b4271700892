//! What every storage promises, each promise written once.
//!
//! A promise is a plain async function over a fresh storage with all migrations applied; it panics
//! when the promise is broken. [`contract_tests!`](crate::contract_tests) stamps a `#[test]` for
//! each on a storage of yours.
//!
//! Promises are kept in modules named after the traits. Each lists its own in one macro, and a test
//! of this crate sees to it that none is forgotten there.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::pin::Pin;
use std::sync::Arc;

use guildhall_repository::Storage;

pub mod achievement;
pub mod achievement_report;
pub mod activity;
pub mod badge;
pub mod cancellation;
pub mod concurrency;
mod expect;
mod given;
pub mod import;
pub mod interest;
pub mod invalidation;
pub mod language;
pub mod ledger;
pub mod level;
pub mod lore;
pub mod mission;
pub mod mission_progress;
pub mod mission_report;
pub mod narrative;
pub mod once;
pub mod outbox;
pub mod point;
pub mod preferences;
pub mod profile;
pub mod ranking;
pub mod reward;
pub mod store;
pub mod story;
pub mod unit;
pub mod user;
pub mod user_achievement;

/// A storage made for one test, and what it stands on: a temporary directory, a schema, a server.
pub struct TestStorage {
    storage: Arc<dyn Storage>,
    _ground: Box<dyn Any + Send>, // Dropped after the storage.
}

impl TestStorage {
    /// `ground` is dropped after the storage and takes away what the test leaves behind.
    pub fn new(storage: Arc<dyn Storage>, ground: impl Any + Send) -> Self {
        Self { storage, _ground: Box::new(ground) }
    }
}

impl Deref for TestStorage {
    type Target = Arc<dyn Storage>;
    fn deref(&self) -> &Arc<dyn Storage> {
        &self.storage
    }
}

impl fmt::Debug for TestStorage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TestStorage").finish_non_exhaustive()
    }
}

/// The runtime that a promise is kept on.
#[derive(Clone, Copy, Debug)]
pub enum Runtime {
    /// Two worker threads.
    MultiThread,
    /// One thread, the default of `#[tokio::test]`. Here a blocked thread blocks everything.
    CurrentThread,
}

/// A promise, boxed.
pub type Promise = fn(Arc<dyn Storage>) -> Pin<Box<dyn Future<Output = ()>>>;

/// Runs one promise on one storage. [`contract_tests!`](crate::contract_tests) writes the calls.
///
/// Both arrive boxed, so that the thousands of stamped tests add next to nothing to compile.
pub fn keep(
    runtime: Runtime,
    harness: Pin<Box<dyn Future<Output = TestStorage>>>,
    promise: Promise,
) {
    let mut builder = match runtime {
        Runtime::MultiThread => tokio::runtime::Builder::new_multi_thread(),
        Runtime::CurrentThread => tokio::runtime::Builder::new_current_thread(),
    };
    let runtime = builder.worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let storage = harness.await;
        promise(storage.clone()).await;
    });
}

/// Stamps one test per promise onto a storage.
///
/// Takes the absolute path of an async function that makes a fresh [`TestStorage`], and if wished
/// the contracts to stamp; all of them otherwise. Tests are called after contract and promise:
/// `point::two_hundred_awards_add_up`. The `cancellation` promises are stamped for both runtimes.
///
/// ```
/// # use guildhall_testkit::TestStorage;
/// # async fn fresh() -> TestStorage { unimplemented!() }
/// mod my_storage {
///     guildhall_testkit::contract_tests!(crate::fresh);
/// }
/// mod only_two_contracts {
///     guildhall_testkit::contract_tests!(crate::fresh, user level);
/// }
/// # fn main() {}
/// ```
#[macro_export]
macro_rules! contract_tests {
    ($harness:path) => {
        $crate::contract_tests!(
            $harness,
            user activity point ledger ranking level preferences language interest profile store
            mission mission_progress mission_report narrative story lore
            achievement user_achievement achievement_report badge once reward outbox
            import invalidation unit concurrency cancellation
        );
    };
    ($harness:path, $($contract:ident)+) => {
        $($crate::contract::$contract::promises!($harness => $crate::stamp_promises);)+
    };
}

/// Stamps the promises of one contract: what [`contract_tests!`] hands each list to.
#[doc(hidden)]
#[macro_export]
macro_rules! stamp_promises {
    ($harness:path, $contract:ident as $module:ident on $runtime:ident: $($promise:ident)+) => {
        mod $module {
            $(
                #[test]
                fn $promise() {
                    $crate::contract::keep(
                        $crate::contract::Runtime::$runtime,
                        ::std::boxed::Box::pin($harness()),
                        |storage| {
                            ::std::boxed::Box::pin($crate::contract::$contract::$promise(storage))
                        },
                    );
                }
            )+
        }
    };
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs;
    use std::path::Path;

    macro_rules! listed {
        ($names:ident, $contract:ident as $module:ident on $runtime:ident: $($promise:ident)+) => {
            $($names.insert(concat!(stringify!($contract), "::", stringify!($promise)).to_owned());)+
        };
    }

    /// `contract::promise` of every public async function below `src/contract`.
    fn written() -> BTreeSet<String> {
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/contract");
        let mut names = BTreeSet::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let below = path.strip_prefix(&root).unwrap().with_extension("");
                let contract = below.components().next().unwrap().as_os_str().to_owned();
                for line in fs::read_to_string(&path).unwrap().lines() {
                    if let Some(rest) = line.strip_prefix("pub async fn ") {
                        let name = rest.split('(').next().unwrap();
                        names.insert(format!("{}::{name}", contract.to_str().unwrap()));
                    }
                }
            }
        }
        names
    }

    #[test]
    fn no_promise_is_forgotten() {
        let mut names = BTreeSet::new();
        macro_rules! list {
            ($($contract:ident)+) => {
                $(super::$contract::promises!(names => listed);)+
            };
        }
        list!(
            user activity point ledger ranking level preferences language interest profile store
            mission mission_progress mission_report narrative story lore
            achievement user_achievement achievement_report badge once reward outbox
            import invalidation unit concurrency cancellation
        );
        assert_eq!(names, written());
        for contract in ["user", "point", "unit"] {
            assert!(names.iter().any(|name| name.starts_with(contract)), "{contract}");
        }
    }
}
