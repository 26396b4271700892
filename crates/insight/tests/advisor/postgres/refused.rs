//! What the server would not build is not proposed, whatever the formula makes of it.

use diesel_async::SimpleAsyncConnection;
use guildhall_insight::catalog::IndexShape;
use guildhall_insight::report::spell;
use guildhall_insight::workload::{Statement, Workload};
use guildhall_insight::{Advisor, AdvisorOptions, Report};

use crate::fixture::Database;

const MEMBERS: &str = "\
CREATE FUNCTION norm(value text) RETURNS text LANGUAGE plpgsql IMMUTABLE AS 'BEGIN RETURN lower(value); END';
CREATE TABLE members (id bigint PRIMARY KEY, email text NOT NULL, city text NOT NULL, pad text NOT NULL);
INSERT INTO members SELECT g, 'member' || g || '@example.com', 'city' || g % 5000, repeat(md5(g::text), 4) FROM generate_series(1, 40000) g;
VACUUM ANALYZE members";

fn reasons(report: &Report, wanted: &str) -> Vec<String> {
    let is_wanted = |shape: &IndexShape| spell(shape) == wanted;
    let found = report.not_proposed.iter();
    let found = found.filter(|one| one.shape.as_ref().is_some_and(is_wanted));
    found.map(|one| one.reason.to_string()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn what_the_server_would_not_build_is_not_proposed() {
    let database = Database::with("refused", MEMBERS).await;
    if !database.has_hypopg().await {
        println!("HypoPG is not on this machine: nobody can be asked what could be built.");
        return database.remove().await;
    }
    let mut conn = database.connect().await;
    let asked = |sql: &str| Statement::new(sql).called(1_000).took_ms(20_000.0);
    let statements = vec![
        asked("SELECT * FROM members WHERE norm(email) = 'member7@example.com'"),
        asked("SELECT * FROM members WHERE norm(email) = $1"),
        asked("SELECT * FROM members WHERE city = 'city7'"),
    ];
    let workload = Workload { statements, ..Workload::default() };
    let options = AdvisorOptions { bytes_max: Some(50_000_000), ..AdvisorOptions::default() };
    let advisor = Advisor::new(options);
    let report = advisor.postgres(&mut conn, &workload).await.unwrap();
    let got: Vec<String> = report.shapes().iter().map(spell).collect();
    assert!(got.contains(&"members (norm(email))".to_owned()), "{report}");

    // Another function of that name: the rules know names alone, the server knows arguments.
    let sql = "DROP FUNCTION norm(text); CREATE FUNCTION norm(value point) RETURNS text \
               LANGUAGE sql IMMUTABLE AS 'SELECT value::text'";
    conn.batch_execute(sql).await.unwrap();
    let report = advisor.postgres(&mut conn, &workload).await.unwrap();
    let got: Vec<String> = report.shapes().iter().map(spell).collect();
    assert_eq!(got, ["members (city)"], "{report}");
    let told = reasons(&report, "members (norm(email))");
    let is_told = told.iter().any(|why| why.contains("function norm(text) does not exist"));
    assert!(is_told, "{told:?}\n{report}");
    database.remove().await;
}
