//! Someone looks at an old state of a table whose rows have changed since. An index that is built
//! meanwhile is not used by whoever looks on, so a build tried out in a transaction is priced as if it
//! were useless. Nothing is built on a table that is in use, so nothing of that shows in the advice.

use diesel_async::SimpleAsyncConnection;
use guildhall_insight::report::spell;
use guildhall_insight::workload::{Statement, Workload};

use super::workload::advise;
use crate::fixture::Database;

/// Rows with room on their pages, so that a change stays there (HOT).
const VISITS: &str = "\
CREATE TABLE visits (id bigint PRIMARY KEY, place bigint NOT NULL, times bigint NOT NULL) WITH (fillfactor = 50);
INSERT INTO visits SELECT g, g % 20000, 0 FROM generate_series(1, 100000) g;
VACUUM ANALYZE visits";

#[tokio::test(flavor = "multi_thread")]
async fn an_old_snapshot_of_changed_rows_changes_no_advice() {
    let database = Database::with("snapshot", VISITS).await;
    if !database.has_hypopg().await {
        println!("HypoPG is not on this machine: the fallback on statistics is tested instead.");
    }
    let mut looker = database.connect().await;
    let look = "BEGIN ISOLATION LEVEL REPEATABLE READ; SELECT count(*) FROM visits";
    looker.batch_execute(look).await.unwrap();
    let mut conn = database.connect().await;
    let change = "UPDATE visits SET times = times + 1 WHERE id % 4 = 0; ANALYZE visits";
    conn.batch_execute(change).await.unwrap();
    let sql = "SELECT * FROM visits WHERE place = 77";
    let statement = Statement::new(sql).called(1_000).took_ms(20_000.0);
    let workload = Workload { statements: vec![statement], ..Workload::default() };
    let during = advise(&mut conn, &workload, 20_000_000).await;
    looker.batch_execute("COMMIT").await.unwrap();
    let after = advise(&mut conn, &workload, 20_000_000).await;
    for report in [&during, &after] {
        let got: Vec<String> = report.shapes().iter().map(spell).collect();
        assert_eq!(got, ["visits (place)"], "{report}");
    }
    let prices = |report: &guildhall_insight::Report| {
        let helped = &report.recommendations[0].helped[0];
        (helped.before, helped.after)
    };
    assert_eq!(prices(&during), prices(&after), "{during}{after}");
    assert!(prices(&after).1.unwrap().high * 10.0 < prices(&after).0.unwrap().low, "{after}");
    database.remove().await;
}
