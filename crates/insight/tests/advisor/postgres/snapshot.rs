//! What is read of a live PostgreSQL.

use diesel_async::SimpleAsyncConnection;
use guildhall_insight::catalog::{
    ConstraintKind, Direction, KeyPart, Method, Nulls, TableKind, TableName,
};
use guildhall_insight::snapshot::{SnapshotOptions, postgres::snapshot};

use crate::fixture::Database;

const SCHEMA: &str = "\
CREATE TABLE places (id bigint PRIMARY KEY, city text NOT NULL, country text NOT NULL, tags text[], note text COLLATE \"C\", UNIQUE (city, id));
INSERT INTO places SELECT g, 'city' || g % 400, 'c' || g % 40, ARRAY['t' || g % 7, 'u'], NULL FROM generate_series(1, 20000) g;
CREATE STATISTICS places_city (dependencies, ndistinct) ON city, country FROM places;
CREATE INDEX places_mixed ON places (country DESC NULLS LAST, lower(city)) INCLUDE (note) WHERE city IS NOT NULL;
CREATE INDEX places_tags ON places USING gin (tags);
CREATE INDEX places_pattern ON places (city text_pattern_ops);
CREATE TABLE visits (place bigint REFERENCES places ON DELETE CASCADE, at date NOT NULL) PARTITION BY RANGE (at);
CREATE TABLE visits_25 PARTITION OF visits FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE VIEW cities AS SELECT city, count(*) FROM places GROUP BY city;
CREATE FUNCTION fold(text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT lower($1)';
CREATE TABLE __diesel_schema_migrations (version text PRIMARY KEY);
CREATE TABLE unread (a int);
VACUUM ANALYZE places";

#[tokio::test(flavor = "multi_thread")]
async fn tables_statistics_indexes_and_keys_are_read() {
    let database = Database::with("snapshot", SCHEMA).await;
    let mut conn = database.connect().await;
    let read = snapshot(&mut conn, &SnapshotOptions::default()).await.unwrap();
    let catalog = read.catalog;
    assert!(catalog.server.major >= 13, "{:?}", catalog.server);
    assert_eq!(catalog.search_path, ["public"]);

    let places = catalog.table(&TableName::bare("places")).unwrap();
    assert_eq!(places.rows, Some(20_000.0));
    assert_eq!(places.all_visible, Some(1.0));
    let city = places.column("city").unwrap().stats.as_ref().unwrap();
    assert_eq!(city.distinct_of(20_000.0), Some(400.0));
    let tags = places.column("tags").unwrap().stats.as_ref().unwrap();
    assert_eq!(tags.common_elements.iter().find(|one| one.value == "u").unwrap().share, 1.0);
    assert_eq!(places.column("note").unwrap().collation.as_deref(), Some("C"));
    assert_eq!(places.column("note").unwrap().stats.as_ref().unwrap().null_frac, 1.0);
    let together = places.together(&["country", "city"]).unwrap();
    assert_eq!(together.n_distinct, Some(400.0));
    assert!(together.dependencies.contains(&("city".to_owned(), "country".to_owned(), 1.0)));

    let index = |name: &str| places.indexes.iter().find(|index| index.name == name).unwrap();
    let mixed = &index("places_mixed").shape;
    assert_eq!(mixed.keys[0].direction, Direction::Desc);
    assert_eq!(mixed.keys[0].nulls, Nulls::Opposite);
    assert_eq!(mixed.keys[1].part, KeyPart::Expression("lower(city)".to_owned()));
    assert_eq!(mixed.include, ["note"]);
    assert_eq!(mixed.predicate.as_deref(), Some("city IS NOT NULL"));
    assert_eq!(index("places_tags").shape.method, Method::Gin);
    assert_eq!(index("places_pattern").shape.keys[0].opclass.as_deref(), Some("text_pattern_ops"));
    assert_eq!(index("places_pkey").constraint, Some(ConstraintKind::Primary));
    assert!(index("places_pkey").shape.keys[0].collation.is_none());
    assert_eq!(index("places_city_id_key").constraint, Some(ConstraintKind::Unique));
    assert!(index("places_pkey").usage.is_some() && index("places_pkey").bytes > Some(0));

    let visits = catalog.table(&TableName::bare("visits")).unwrap();
    assert_eq!(visits.kind, TableKind::Partitioned);
    assert_eq!(visits.foreign_keys[0].parent, TableName::new("public", "places"));
    let part = catalog.table(&TableName::bare("visits_25")).unwrap();
    assert_eq!(part.kind, TableKind::PartitionOf(TableName::new("public", "visits")));
    assert!(catalog.table(&TableName::bare("__diesel_schema_migrations")).unwrap().internal);
    assert_eq!(catalog.table(&TableName::bare("unread")).unwrap().rows, None);
    assert!(catalog.views.iter().any(|view| view.definition.contains("GROUP BY")));
    assert!(catalog.functions.contains_key("fold"));
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_empty_database_and_a_limit_on_tables_are_no_errors() {
    let database = Database::empty("snapshot_empty").await;
    let mut conn = database.connect().await;
    let read = snapshot(&mut conn, &SnapshotOptions::default()).await.unwrap();
    assert_eq!((read.catalog.tables.len(), read.notes.len()), (0, 0));
    conn.batch_execute("CREATE TABLE a (x int); CREATE TABLE b (x int)").await.unwrap();
    let options = SnapshotOptions { tables_max: 1, ..SnapshotOptions::default() };
    let read = snapshot(&mut conn, &options).await.unwrap();
    assert_eq!((read.catalog.tables.len(), read.notes.len()), (1, 1));
    database.remove().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn sizes_are_foretold_from_statistics() {
    use guildhall_insight::catalog::{IndexKey, IndexShape};
    use guildhall_insight::size::{middle, size_of};

    // With so great a target every row is looked at: no chance is left in the statistics.
    let script = "\
CREATE TABLE t (id bigint, few int, mid bigint, two int, name text, at timestamptz, gone timestamptz, part int);
INSERT INTO t SELECT g, g % 50, g * 7919 % 5000, abs(hashint4(g)) % 50000, 'name ' || abs(hashint4(g + 7)) % 9000, timestamptz '2025-01-01' + g * interval '1 second', CASE WHEN g % 200 = 0 THEN now() END, g % 3 FROM generate_series(1, 100000) g;
SET default_statistics_target = 400;
VACUUM ANALYZE t";
    let database = Database::with("sizes", script).await;
    let mut conn = database.connect().await;
    let catalog = snapshot(&mut conn, &SnapshotOptions::default()).await.unwrap().catalog;
    let table = catalog.table(&TableName::bare("t")).unwrap();
    let mut close = 0;
    let lists = [
        &["id"][..],
        &["few"],
        &["mid"],
        &["two"],
        &["name"],
        &["at"],
        &["few", "at"],
        &["mid", "name"],
        &["part", "few"],
        &["gone"],
    ];
    for (place, list) in lists.iter().enumerate() {
        let shape = IndexShape {
            keys: list.iter().map(|name| IndexKey::column(*name)).collect(),
            ..IndexShape::btree(table.name.clone(), ["id"])
        };
        let size = size_of(catalog.system(), table, &shape, None, None).unwrap();
        let sql = format!("CREATE INDEX i{place} ON t ({})", list.join(", "));
        conn.batch_execute(&sql).await.unwrap();
        let after = snapshot(&mut conn, &SnapshotOptions::default()).await.unwrap().catalog;
        let built = after
            .table(&table.name)
            .unwrap()
            .indexes
            .iter()
            .find(|index| index.name == format!("i{place}"))
            .unwrap();
        let off = middle(&size) as f64 / built.bytes.unwrap() as f64 - 1.0;
        println!("{list:?}: {:+.1} %", off * 100.0);
        close += usize::from(off.abs() <= 0.1);
        assert!(off.abs() < 0.35, "{list:?} is {off} off");
    }
    assert!(close * 10 >= lists.len() * 8, "{close} of {} within 10 %", lists.len());
    database.remove().await;
}
