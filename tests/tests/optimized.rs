//! What a whole says of its performance, and what it does about it when asked, on both databases.

use std::time::Duration;

use guildhall_adapter::insight::profile::{Options, Profiler};
use guildhall_adapter::{
    AdviceError, Config, Guildhall, IndexOutcome, OptimizeOptions, OptimizeReport, Verdict,
};
use guildhall_domain::{NewUser, Nickname, Provider};
use guildhall_testkit::builder::{now, user};
use guildhall_testkit::server::{postgres_schema, sqlite_file};

use crate::harness::Ground;

/// Accounts elsewhere, each with a nickname of its own.
const ACCOUNTS: i64 = 10_000;

fn nickname(n: i64) -> Nickname {
    Nickname::parse(&format!("planted{n}")).unwrap()
}

struct Whole {
    guildhall: Guildhall,
    url: String,
    ground: Ground,
}

async fn whole(on_postgres: bool, settings: &[(&str, &str)], profiler: Profiler) -> Whole {
    let (url, ground) = if on_postgres {
        let schema = postgres_schema().await;
        (schema.url(), Ground::Postgres(schema))
    } else {
        let file = sqlite_file();
        (format!("sqlite://{}", file.path().display()), Ground::Sqlite(file))
    };
    let config = settings
        .iter()
        .fold(Config::builder().database(&url), |config, (key, value)| config.set(key, value));
    let connected = Guildhall::builder(config.build().unwrap()).profiler(profiler).connect().await;
    Whole { guildhall: connected.unwrap(), url, ground }
}

fn recording() -> Profiler {
    Profiler::new(Options::new().slow_from(Duration::from_nanos(1)))
}

impl Whole {
    /// Many accounts elsewhere, and no index to find one by its nickname. They were there before
    /// the profiler looked: else, on a quick machine, ten thousand entries in seconds would cost
    /// more than an index saves in some hundred look-ups, and it is rightly refused.
    async fn without_an_index(&self) {
        let config = Config::builder().database(&self.url).set("profiler.enabled", "false");
        let unseen = Guildhall::connect(config.build().unwrap()).await.unwrap();
        for batch in 0..ACCOUNTS / 1_000 {
            let members: Vec<NewUser> = (batch * 1_000..(batch + 1) * 1_000)
                .map(|n| {
                    let mut member = user(&format!("member{n}"));
                    member.externals[0].nickname = Some(nickname(n));
                    member
                })
                .collect();
            unseen.uncached().users().create_batch(&members, now()).await.unwrap();
        }
        self.ground.run("DROP INDEX external_accounts_nickname").await.unwrap();
    }

    async fn look_up(&self, times: i64) {
        let users = self.guildhall.uncached().users();
        for n in 0..times {
            let wanted = nickname(n * 7 % ACCOUNTS);
            let found = users.by_external_nickname(&Provider::Telegram, &wanted).await.unwrap();
            assert_eq!(found.len(), 1);
        }
    }

    async fn optimize(&self, auto_create_indexes: bool) -> OptimizeReport {
        let options = OptimizeOptions {
            auto_create_indexes,
            min_frequency: 50,
            ..OptimizeOptions::default()
        };
        self.guildhall.optimize_system(options).await
    }
}

async fn a_missing_index_is_found_built_when_asked_and_judged_by_later_calls(on_postgres: bool) {
    let whole = whole(on_postgres, &[], recording()).await;
    whole.without_an_index().await;
    whole.look_up(220).await;

    let looked = whole.optimize(false).await;
    assert!(looked.statistics.value().unwrap().tables > 10, "{:?}", looked.statistics);
    let advice = looked.recommendations.value().unwrap();
    let wanted =
        advice.recommendations.iter().find(|one| one.shape.table.name == "external_accounts");
    let wanted = wanted.unwrap_or_else(|| panic!("{advice}"));
    assert!(wanted.ddl.contains("nickname_key"), "{advice}");
    assert!(wanted.helped.iter().any(|helped| helped.operations == ["users.by_external_nickname"]));
    // A look changes nothing.
    assert!(looked.indexes.reason().unwrap().contains("auto_create_indexes"));
    assert!(looked.verdicts.is_empty());
    let slow = looked.slow_statements.value().unwrap();
    assert!(
        slow.iter().any(|one| one.operations == ["users.by_external_nickname"] && one.slow == 220)
    );
    assert!(!looked.slow_calls.value().unwrap().is_empty());

    let built = whole.optimize(true).await;
    let results = built.indexes.value().unwrap();
    let created = results.iter().find(|one| one.name == wanted.name).unwrap();
    assert_eq!(created.outcome, IndexOutcome::Created, "{results:?}");
    // The plan that the database makes now goes by it.
    whole.look_up(20).await;
    let early = whole.optimize(false).await;
    let verdict = early.verdicts.iter().find(|one| one.name == wanted.name).unwrap();
    assert_eq!(verdict.verdict, Verdict::TooFewCalls);
    whole.look_up(220).await;
    let later = whole.optimize(true).await;
    let verdict = later.verdicts.iter().find(|one| one.name == wanted.name).unwrap();
    // Which verdict is the machine's business; that there is one, ours.
    assert_ne!(verdict.verdict, Verdict::TooFewCalls, "{verdict:?}");
    assert!(verdict.statements.iter().all(|(_, compared)| compared.median_ms.is_some()));
    // What is there is not proposed again.
    let again = later.recommendations.value().unwrap();
    assert!(again.recommendations.iter().all(|one| one.id != wanted.id), "{again}");
    for shown in [format!("{later:?}"), serde_json::to_string(&later).unwrap()] {
        assert!(!shown.contains("planted"), "a value is shown");
    }
}

async fn what_is_not_known_says_why(on_postgres: bool) {
    let settings = [("cache.backend", "disabled")];
    let whole = whole(on_postgres, &settings, Profiler::off()).await;
    let report = whole.guildhall.performance_report(10);
    assert!(report.profile.reason().unwrap().contains("profiler.enabled"));
    assert!(report.hit_rate.reason().unwrap().contains("cache.backend"));
    assert!(report.pool.value().is_some_and(|pool| pool.max == 20));
    let advised = whole.guildhall.recommendations(1).await;
    assert!(matches!(advised, Err(AdviceError::NotRecorded)), "{advised:?}");
    let report = whole.optimize(true).await;
    for reason in [
        report.expired_swept.reason(),
        report.hit_rate.reason(),
        report.slow_statements.reason(),
        report.slow_calls.reason(),
        report.recommendations.reason(),
        report.indexes.reason(),
    ] {
        assert!(reason.is_some_and(|words| words.len() > 10), "{report:?}");
    }
    assert!(report.hit_rates.is_empty() && report.statistics.value().is_some());
}

async fn what_was_measured_is_told(on_postgres: bool) {
    let whole = whole(on_postgres, &[], recording()).await;
    let ada = whole.guildhall.registration().register(&user("ada")).await.unwrap().value.id;
    for _ in 0..4 {
        assert!(whole.guildhall.users().by_id(ada).await.unwrap().is_some());
    }
    let report = whole.guildhall.performance_report(1_000);
    let seen = report.profile.value().unwrap();
    let reads = seen.operations.iter().find(|one| one.label == "users.by_id").unwrap();
    assert_eq!((reads.runs, reads.statements), (1, 1), "three of four are the cache's");
    assert_eq!(report.hit_rate.value(), Some(&(3.0 / 4.0)), "{:?}", report.cache.total);
    let short = whole.guildhall.performance_report(2);
    let seen = short.profile.value().unwrap();
    assert_eq!((seen.operations.len(), seen.statements.len(), seen.slow.len()), (2, 2, 2));
    let swept = whole.optimize(false).await.expired_swept;
    assert_eq!(swept.value(), Some(&0), "nothing is old enough");
}

macro_rules! on_both {
    ($($name:ident)+) => {
        mod sqlite {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(false).await;
            })+
        }
        mod postgres {
            $(#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn $name() {
                super::$name(true).await;
            })+
        }
    };
}

on_both! {
    a_missing_index_is_found_built_when_asked_and_judged_by_later_calls
    what_is_not_known_says_why
    what_was_measured_is_told
}
