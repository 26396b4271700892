//! `pg_stat_statements`, on servers of their own: the extension counts for a whole server.

use diesel::sql_query;
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::profile::server::{Absent, Difference, Reading, ServerStatements};
use guildhall_insight::profile::{Options, Profiled, Profiler};
use guildhall_testkit::server::PrivatePostgres;

async fn connect(server: &PrivatePostgres) -> AsyncPgConnection {
    AsyncPgConnection::establish(&server.url()).await.unwrap()
}

async fn since(statements: &mut ServerStatements, conn: &mut AsyncPgConnection) -> Difference {
    match statements.read(conn).await.unwrap() {
        Reading::Since(difference) => difference,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_counted_is_read_as_differences() {
    let mut server = PrivatePostgres::start().await;
    let mut statements = ServerStatements::new();
    {
        let mut conn = connect(&server).await;
        let absent = Reading::Absent { reason: Absent::ExtensionNotCreated };
        assert_eq!(statements.read(&mut conn).await, Ok(absent));
        conn.batch_execute("CREATE EXTENSION pg_stat_statements").await.unwrap();
        let absent = Reading::Absent { reason: Absent::LibraryNotLoaded };
        assert_eq!(statements.read(&mut conn).await, Ok(absent));
    }
    // The second setting is not known before the first one holds.
    for setting in [
        "ALTER SYSTEM SET shared_preload_libraries = 'pg_stat_statements'",
        "ALTER SYSTEM SET pg_stat_statements.max = 100",
    ] {
        connect(&server).await.batch_execute(setting).await.unwrap();
        server.stop();
        server.restart().await;
    }

    let mut conn = connect(&server).await;
    assert!(matches!(statements.read(&mut conn).await, Ok(Reading::First { .. })));
    let profiler = Profiler::new(Options::default());
    let mut app = Profiled::new(connect(&server).await, profiler.clone());
    let select = "SELECT relname FROM pg_class WHERE oid = $1";
    for oid in 0..7_i32 {
        let asked = sql_query(select).bind::<diesel::sql_types::Oid, _>(1247 + oid as u32);
        asked.execute(&mut app).await.unwrap();
    }
    app.batch_execute("CREATE ROLE planted PASSWORD 'planted7391'").await.unwrap();

    let difference = since(&mut statements, &mut conn).await;
    let ours = &profiler.snapshot().unwrap().statements;
    let ours = ours.iter().find(|report| report.text.contains("relname")).unwrap();
    let theirs = difference.statements.iter().find(|s| s.fingerprint == Some(ours.fingerprint));
    let theirs = theirs.unwrap();
    assert_eq!((theirs.calls, theirs.rows), (ours.calls, ours.rows));
    assert_eq!(theirs.text, ours.text);
    assert!(theirs.blocks_hit + theirs.blocks_read > 0);
    assert!(theirs.total_ms > 0.0 && theirs.total_ms * 1e6 <= ours.total_ns as f64);
    assert!(difference.is_complete());
    assert!(!serde_json::to_string(&difference).unwrap().contains("7391"));

    // Nothing of it happened again.
    let difference = since(&mut statements, &mut conn).await;
    assert!(difference.statements.iter().all(|s| s.fingerprint != Some(ours.fingerprint)));

    sql_query("SELECT pg_stat_statements_reset()").execute(&mut conn).await.unwrap();
    sql_query(select).bind::<diesel::sql_types::Oid, _>(1247_u32).execute(&mut app).await.unwrap();
    let difference = since(&mut statements, &mut conn).await;
    assert!(difference.reset && !difference.is_complete());
    let again = difference.statements.iter().find(|s| s.fingerprint == Some(ours.fingerprint));
    assert_eq!(again.unwrap().calls, 1);

    for columns in 1..300 {
        let select = format!("SELECT {}", vec!["1"; columns].join(", "));
        app.batch_execute(&select).await.unwrap();
    }
    let difference = since(&mut statements, &mut conn).await;
    assert!(difference.evictions > 0 && !difference.is_complete(), "{difference:?}");
}
