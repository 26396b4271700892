//! Advice measured: what is proposed, and what it does once it is built.

use diesel::QueryableByName;
use diesel::sql_types::{BigInt, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use guildhall_insight::advise::Rung;
use guildhall_insight::create::postgres::{CreateOptions, Outcome, create};
use guildhall_insight::report::spell;
use guildhall_insight::validate::{Baseline, LatenciesByStatement, Verdict};
use guildhall_insight::workload::{Statement, Workload};
use guildhall_insight::{Advisor, AdvisorOptions, Report};

use crate::fixture::{Database, large};
use crate::statements::{CASES, Case, GIVEN, MORE};

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

#[derive(QueryableByName)]
struct BytesRow {
    #[diesel(sql_type = BigInt)]
    bytes: i64,
}

/// What a run took.
#[derive(Clone, Copy)]
struct Run {
    /// The shortest of three, in milliseconds.
    ms: f64,
    /// Pages looked at, the same on every machine.
    pages: f64,
}

/// Runs a statement. Nothing it writes stays.
async fn run(conn: &mut AsyncPgConnection, sql: &str) -> Run {
    let mut best = Run { ms: f64::INFINITY, pages: f64::INFINITY };
    for _ in 0..3 {
        conn.batch_execute("BEGIN").await.unwrap();
        let explain = format!("EXPLAIN (ANALYZE, BUFFERS, TIMING OFF) {sql}");
        let rows: Vec<PlanRow> = diesel::sql_query(explain).load(conn).await.unwrap();
        conn.batch_execute("ROLLBACK").await.unwrap();
        let line = rows.iter().rev().find(|row| row.plan.starts_with("Execution Time")).unwrap();
        let number = line.plan.split_whitespace().nth(2).unwrap();
        best.ms = best.ms.min(number.parse().unwrap());
        // The first such line is that of the whole.
        let buffers = rows.iter().find(|row| row.plan.trim_start().starts_with("Buffers: shared"));
        let words = buffers.iter().flat_map(|row| row.plan.split_whitespace());
        let counts = words.filter_map(|word| {
            word.strip_prefix("hit=").or(word.strip_prefix("read="))?.parse::<f64>().ok()
        });
        best.pages = best.pages.min(counts.sum());
    }
    best
}

/// Those that have no index of their own.
fn whole_cases() -> impl Iterator<Item = &'static Case> {
    CASES.iter().filter(|(name, _, _)| GIVEN.iter().all(|(of, _)| of != name))
}

fn statements() -> Vec<&'static str> {
    whole_cases().map(|(_, sql, _)| *sql).chain(MORE.iter().copied()).collect()
}

async fn timed_workload(conn: &mut AsyncPgConnection) -> (Workload, Vec<Run>) {
    let (mut workload, mut runs) = (Workload::default(), Vec::new());
    for sql in statements() {
        let ran = run(conn, sql).await;
        workload.statements.push(Statement::new(sql).called(100).took_ms(ran.ms * 100.0));
        runs.push(ran);
    }
    (workload, runs)
}

/// A question that is not answered in time is passed over: here all have time enough.
fn patient() -> AdvisorOptions {
    let mut options = AdvisorOptions::default();
    options.postgres.statement_timeout_ms = 600_000;
    options
}

pub(super) async fn advise(
    conn: &mut AsyncPgConnection,
    workload: &Workload,
    bytes_max: u64,
) -> Report {
    let options = AdvisorOptions { bytes_max: Some(bytes_max), ..patient() };
    Advisor::new(options).postgres(conn, workload).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds 350 MB: run by `just test-insight`"]
async fn the_whole_workload_gets_most_of_what_indexes_can_give() {
    let Some(script) = large(1) else { return };
    let database = Database::with("whole", &script).await;
    let hypopg = database.has_hypopg().await;
    if !hypopg {
        println!("HypoPG is not on this machine: the fallback on statistics is measured instead.");
    }
    let mut conn = database.connect().await;
    conn.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm").await.unwrap();
    let (workload, runs) = timed_workload(&mut conn).await;
    let budget = 105_000_000;
    let report = advise(&mut conn, &workload, budget).await;
    println!("{report}");

    let shapes = report.shapes();
    let built = create(&mut conn, &shapes, &CreateOptions::default()).await.unwrap();
    for index in &built.indexes {
        assert_eq!(index.outcome, Outcome::Created, "{}", index.name);
    }
    conn.batch_execute("VACUUM ANALYZE").await.unwrap();
    let sql = "SELECT sum(pg_relation_size(indexrelid))::bigint AS bytes FROM pg_stat_user_indexes \
               WHERE indexrelname LIKE 'gix\\_%'";
    let bytes: Vec<BytesRow> = diesel::sql_query(sql).load(&mut conn).await.unwrap();
    // All; what an index can help; the same without those that may go either way.
    let mut sums = [[Run { ms: 0.0, pages: 0.0 }; 2]; 3];
    for (place, (statement, was)) in workload.statements.iter().zip(&runs).enumerate() {
        let is = run(&mut conn, &statement.sql).await;
        println!(
            "{:9.2} -> {:9.2} ms {:7} -> {:7} pages  {}",
            was.ms, is.ms, was.pages, is.pages, statement.sql
        );
        let is_neutral = place + 2 >= workload.statements.len();
        let is_hopeless = whole_cases().nth(place).is_some_and(|(_, _, wanted)| wanted.is_empty());
        for (sum, counts) in sums.iter_mut().zip([true, !is_hopeless, !is_hopeless && !is_neutral])
        {
            for (sum, ran) in sum.iter_mut().zip([was, &is]).filter(|_| counts) {
                sum.ms += ran.ms;
                sum.pages += ran.pages;
            }
        }
    }
    let bytes = bytes[0].bytes;
    println!("{} indexes, {bytes} bytes", shapes.len());
    let names = ["all", "what an index can help", "of that, what must be helped"];
    for (what, [was, is]) in names.iter().zip(&sums) {
        println!(
            "{what}: {:.0} -> {:.0} ms, {} -> {} pages: {:.1} % of the time, {:.1} % of the pages",
            was.ms,
            is.ms,
            was.pages,
            is.pages,
            (1.0 - is.ms / was.ms) * 100.0,
            (1.0 - is.pages / was.pages) * 100.0
        );
    }
    // Time is for people to read. Pages are the same on every machine.
    let [was, is] = sums[2];
    let removed = 1.0 - is.pages / was.pages;
    let enough = if hypopg { 0.85 } else { 0.7 };
    assert!(removed >= enough, "only {removed} removed");
    assert!(bytes <= 105_000_000, "{bytes} bytes");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
#[ignore = "builds 350 MB: run by `just test-insight`"]
async fn single_statements_get_the_index_they_need_and_the_others_none() {
    let Some(script) = large(1) else { return };
    let database = Database::with("single", &script).await;
    let hypopg = database.has_hypopg().await;
    let mut conn = database.connect().await;
    conn.batch_execute("CREATE EXTENSION IF NOT EXISTS pg_trgm").await.unwrap();
    let (mut right, mut wanted_any, mut false_positives) = (0, 0, Vec::new());
    for (name, sql, wanted) in CASES {
        let workload = Workload {
            statements: vec![Statement::new(*sql).called(1_000).took_ms(20_000.0)],
            ..Workload::default()
        };
        let given = GIVEN.iter().find(|(of, _)| of == name);
        if let Some((_, ddl)) = given {
            conn.batch_execute(ddl).await.unwrap();
        }
        let report = advise(&mut conn, &workload, 400_000_000).await;
        if given.is_some() {
            conn.batch_execute("DROP INDEX given").await.unwrap();
        }
        let mut got: Vec<String> = report.shapes().iter().map(spell).collect();
        got.sort();
        let is_right =
            if wanted.is_empty() { got.is_empty() } else { wanted.iter().any(|list| got == *list) };
        wanted_any += usize::from(!wanted.is_empty());
        right += usize::from(is_right && !wanted.is_empty());
        if wanted.is_empty() && !got.is_empty() {
            false_positives.push((*name, got.clone()));
        }
        if !is_right {
            println!("{name}: wanted {wanted:?}, got {got:?}\n{report}");
        }
    }
    println!("{right} of {wanted_any} right, HypoPG: {hypopg}");
    assert_eq!(false_positives, Vec::new());
    let enough = if hypopg { wanted_any * 33 / 36 } else { wanted_any * 3 / 4 };
    assert!(right >= enough, "{right} of {wanted_any}");
    database.remove().await;
}

/// A second database, of another shape: a shop's parcels, with few wide tables and long texts.
const PARCELS: &str = include_str!("../parcels.sql");

const PARCEL_STATEMENTS: &[(&str, u64, f64)] = &[
    (
        "SELECT id, weight FROM parcels WHERE depot = $1 AND state = $2 ORDER BY due LIMIT $3",
        4_000,
        60_000.0,
    ),
    ("SELECT * FROM parcels WHERE tracking = $1", 9_000, 90_000.0),
    ("SELECT count(*) FROM scans WHERE parcel_id = $1", 9_000, 120_000.0),
    ("SELECT * FROM parcels WHERE lower(receiver) = $1", 500, 15_000.0),
    ("SELECT * FROM parcels WHERE id = $1", 20_000, 200.0),
    ("SELECT * FROM depots WHERE town = $1", 5_000, 50.0),
    ("UPDATE parcels SET state = $1 WHERE id = $2", 3_000, 60.0),
];

fn parcels_workload() -> Workload {
    let statement = |(sql, calls, total): &(&str, u64, f64)| {
        Statement::new(*sql).called(*calls).took_ms(*total)
    };
    Workload {
        statements: PARCEL_STATEMENTS.iter().map(statement).collect(),
        window_seconds: Some(86_400),
        ..Workload::default()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn another_database_gets_its_own_indexes_with_and_without_the_planner() {
    let database = Database::with("parcels", PARCELS).await;
    let mut conn = database.connect().await;
    let workload = parcels_workload();
    let without = advise(&mut conn, &workload, 50_000_000).await;
    assert!(
        without.opening.iter().any(|text| text.contains("hypopg is not installed")),
        "{without}"
    );
    let mut reports = vec![without];
    if database.has_hypopg().await {
        reports.push(advise(&mut conn, &workload, 50_000_000).await);
    } else {
        println!("HypoPG is not on this machine: only the fallback on statistics is tested.");
    }
    for report in &reports {
        let got: Vec<String> = report.shapes().iter().map(spell).collect();
        let has = |start: &str| got.iter().any(|one| one.starts_with(start));
        assert!(has("parcels (tracking)"), "{report}");
        assert!(has("scans (parcel_id"), "{report}");
        assert!(has("parcels (lower(receiver))"), "{report}");
        assert!(has("parcels (depot, ") || has("parcels (state, depot"), "{report}");
        assert!(!has("depots") && !has("parcels (id"), "{report}");
        // Every number has its unit and its evidence.
        for one in &report.recommendations {
            assert!(one.bytes.is_some() && one.write_charge.is_some(), "{report}");
            assert!(one.helped.iter().all(|helped| helped.before.is_some()), "{report}");
        }
        assert!(report.saved.is_some_and(|saved| saved.at_most), "{report}");
        assert!(report.to_string().contains("at most"), "{report}");
        assert!(!report.not_proposed.is_empty(), "{report}");
    }
    // Built, nothing is proposed again.
    let shapes = reports.last().unwrap().shapes();
    create(&mut conn, &shapes, &CreateOptions::default()).await.unwrap();
    let recommended = &reports.last().unwrap().recommendations;
    let nothing = LatenciesByStatement::new();
    let baselines = recommended.iter().map(|one| Baseline::of(one, &nothing)).collect();
    let options = AdvisorOptions { baselines, ..patient() };
    let again = Advisor::new(options).postgres(&mut conn, &workload).await.unwrap();
    assert_eq!(again.shapes(), Vec::new(), "{again}");
    let mut ids: Vec<_> = recommended.iter().map(|one| one.id).collect();
    ids.sort();
    let mut adopted: Vec<_> = again.adopted.iter().map(|one| one.id).collect();
    adopted.sort();
    assert_eq!(adopted, ids, "{again}");
    assert!(again.adopted.iter().all(|one| one.verdict == Some(Verdict::TooFewCalls)), "{again}");
    assert!(again.to_string().contains("\nAdopted:\n"), "{again}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_and_a_never_analysed_database_get_words_and_no_index() {
    let database = Database::empty("bare").await;
    let mut conn = database.connect().await;
    let workload = Workload::of(["SELECT * FROM heap WHERE a = 1"]);
    let report = advise(&mut conn, &workload, 1_000_000).await;
    assert_eq!(report.recommendations, Vec::new());
    // The server must not analyse it of its own accord.
    let heap = "CREATE TABLE heap WITH (autovacuum_enabled = false) AS \
                SELECT g AS a FROM generate_series(1, 20000) g";
    conn.batch_execute(heap).await.unwrap();
    let report = advise(&mut conn, &workload, 1_000_000).await;
    assert_eq!(report.recommendations, Vec::new());
    assert!(
        report.opening.iter().any(|text| text.to_lowercase().contains("never analysed")),
        "{report}"
    );
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_role_that_may_read_little_gets_a_report_that_says_so() {
    let database = Database::with("roles", PARCELS).await;
    let mut conn = database.connect_as_nobody("GRANT SELECT ON scans TO ROLE_NAME").await;
    let report = advise(&mut conn, &parcels_workload(), 50_000_000).await;
    assert!(report.opening.iter().any(|text| text.contains("may not read")), "{report}");
    assert!(report.shapes().iter().any(|shape| shape.table.name == "scans"), "{report}");
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_session_is_left_as_it_was_found() {
    let database = Database::with("session", PARCELS).await;
    let hypopg = database.has_hypopg().await;
    let mut conn = database.connect().await;
    advise(&mut conn, &parcels_workload(), 50_000_000).await;
    let mut left = "SELECT count(*) AS bytes FROM pg_prepared_statements WHERE from_sql".to_owned();
    if hypopg {
        left = format!("SELECT ({left}) + (SELECT count(*) FROM hypopg_list_indexes) AS bytes");
    }
    let rows: Vec<BytesRow> = diesel::sql_query(left).load(&mut conn).await.unwrap();
    assert_eq!(rows[0].bytes, 0);
    database.remove().await;
}

/// The same fixture at a tenth of its rows: quick enough for every run.
#[tokio::test(flavor = "multi_thread")]
async fn the_fixture_at_a_tenth_gets_plain_indexes_and_no_false_positive() {
    let Some(script) = large(10) else { return };
    let database = Database::with("tenth", &script).await;
    database.has_hypopg().await;
    let mut conn = database.connect().await;
    for (name, sql, wanted) in CASES {
        let is_plain = ["P01", "P03", "P10", "P19", "P29", "P45", "P47"].contains(name);
        let is_given = GIVEN.iter().any(|(of, _)| of == name);
        if !is_plain && !wanted.is_empty() || is_given {
            continue;
        }
        let statement = Statement::new(*sql).called(1_000).took_ms(20_000.0);
        let workload = Workload { statements: vec![statement], ..Workload::default() };
        let report = advise(&mut conn, &workload, 40_000_000).await;
        let got: Vec<String> = report.shapes().iter().map(spell).collect();
        let is_right = match wanted.is_empty() {
            true => got.is_empty(),
            false => wanted.iter().any(|list| got == *list),
        };
        assert!(is_right, "{name}: wanted {wanted:?}, got {got:?}\n{report}");
    }
    // An index on the order alone is quick for large guilds and slower than none for small ones.
    let sql = "select * from messages where guild_id = $1 order by created_at desc limit 50";
    let statement = Statement::new(sql).called(1_000).took_ms(20_000.0);
    let workload = Workload { statements: vec![statement], ..Workload::default() };
    let report = advise(&mut conn, &workload, 40_000_000).await;
    let got: Vec<String> = report.shapes().iter().map(spell).collect();
    assert_eq!(got, ["messages (guild_id, created_at)"], "{report}");
    database.remove().await;
}

const PEOPLE: &str = "\
CREATE TABLE people (id bigint PRIMARY KEY, city text NOT NULL, country text NOT NULL, bio text NOT NULL);
INSERT INTO people SELECT g, 'city' || g % 400, 'c' || g % 40, repeat(md5(g::text), 4) FROM generate_series(1, 80000) g;
ALTER TABLE people ALTER city SET STATISTICS 300;
VACUUM ANALYZE people";

/// A city lies in one country: a second key column tells nothing, though the planner thinks so.
#[tokio::test(flavor = "multi_thread")]
async fn columns_that_hang_together_get_one_key_and_statistics() {
    let database = Database::with("people", PEOPLE).await;
    if !database.has_hypopg().await {
        println!("HypoPG is not on this machine: the fallback on statistics is tested instead.");
    }
    let mut conn = database.connect().await;
    let sql = "SELECT * FROM people WHERE city = 'city7' AND country = 'c7'";
    let statement = Statement::new(sql).called(1_000).took_ms(20_000.0);
    let workload = Workload { statements: vec![statement], ..Workload::default() };
    let without = advise(&mut conn, &workload, 20_000_000).await;
    let object =
        "CREATE STATISTICS people_places (dependencies, ndistinct) ON city, country FROM people";
    conn.batch_execute(object).await.unwrap();
    conn.batch_execute("ANALYZE people").await.unwrap();
    let with = advise(&mut conn, &workload, 20_000_000).await;
    for report in [&without, &with] {
        let got: Vec<String> = report.shapes().iter().map(spell).collect();
        assert_eq!(got, ["people (city)"], "{report}");
    }
    assert!(!without.rewrites.is_empty(), "{without}");
    assert!(with.rewrites.is_empty(), "{with}");
    database.remove().await;
}

const PAPERS: &str = "\
CREATE TABLE papers (id bigint PRIMARY KEY, body jsonb NOT NULL, code text NOT NULL, UNIQUE (code));
INSERT INTO papers SELECT g, jsonb_build_object('user', g % 9000, 'pad', repeat('x', 90)), 'code' || g FROM generate_series(1, 40000) g;
CREATE INDEX papers_again ON papers (code);
VACUUM ANALYZE papers";

/// GIN cannot be hypothetical: built on a copy, if that is allowed, and timed there.
#[tokio::test(flavor = "multi_thread")]
async fn an_index_on_documents_is_timed_on_a_copy_that_leaves_no_trace() {
    let database = Database::with("papers", PAPERS).await;
    let hypopg = database.has_hypopg().await;
    let mut conn = database.connect().await;
    let sql = "SELECT * FROM papers WHERE body @> '{\"user\": 77}'";
    let statement = Statement::new(sql).called(1_000).took_ms(20_000.0);
    let workload = Workload { statements: vec![statement], ..Workload::default() };
    let mut options = AdvisorOptions { bytes_max: Some(90_000_000), ..patient() };
    options.postgres.may_build_samples = true;
    let report = Advisor::new(options).postgres(&mut conn, &workload).await.unwrap();
    let got: Vec<String> = report.shapes().iter().map(spell).collect();
    assert_eq!(got, ["papers (body jsonb_path_ops) by gin"], "{report}");
    let rung = report.recommendations[0].rung;
    if hypopg {
        assert_eq!(rung, Rung::MeasuredOnSample, "{report}");
        assert!(report.to_string().contains(" ms (measured on a sample) before"), "{report}");
    } else {
        println!("HypoPG is not on this machine: the fallback on statistics is tested instead.");
        assert_eq!(rung, Rung::StatisticsEstimate, "{report}");
    }
    let traces = "SELECT count(*) AS bytes FROM pg_class WHERE relpersistence = 't' OR relname LIKE 'guildhall%'";
    let rows: Vec<BytesRow> = diesel::sql_query(traces).load(&mut conn).await.unwrap();
    assert_eq!(rows[0].bytes, 0);

    // What is there is looked through as well: the plain twin of a constraint's index.
    let finding = report.findings.iter().find(|one| one.index.as_deref() == Some("papers_again"));
    assert!(finding.is_some(), "{report}");
    assert!(!report.findings.iter().any(|one| one.index.as_deref() == Some("papers_code_key")));
    database.remove().await;
}
