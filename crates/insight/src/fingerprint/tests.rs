use super::*;
use proptest::prelude::*;

fn text(sql: &str) -> String {
    normalise(sql, System::Postgres).text
}

fn lite(sql: &str) -> String {
    normalise(sql, System::Sqlite).text
}

#[test]
fn statements_that_differ_in_values_are_one() {
    let diesel = r#"SELECT "users"."id", "users"."name" FROM "users" WHERE (("users"."id" = $1) AND ("users"."name" = $2)) LIMIT $3"#;
    let lite_diesel = "SELECT `users`.`id`, `users`.`name` FROM `users` WHERE ((`users`.`id` = ?) AND (`users`.`name` = ?)) LIMIT ?";
    let by_hand = "select users.id, users.name from users\nwhere ((users.id = -7) and (users.name = 'O''Brien')) /* why */ limit 10 -- end";
    let expected = "SELECT users.id, users.name FROM users WHERE ((users.id = ?) AND (users.name = ?)) LIMIT ?";
    assert_eq!(text(diesel), expected);
    assert_eq!(lite(lite_diesel), expected);
    assert_eq!(text(by_hand), expected);
    assert_eq!(lite(by_hand), expected);
}

#[test]
fn statements_that_differ_in_more_are_not_one() {
    let differ = [
        "SELECT a FROM t WHERE x = 1",
        "SELECT b FROM t WHERE x = 1",
        "SELECT a FROM t WHERE x > 1",
        "SELECT a FROM t WHERE x IS NULL",
        "SELECT a FROM t WHERE x IS NOT NULL",
        "SELECT a FROM t WHERE x = 1 ORDER BY a",
        "SELECT a FROM t WHERE x = 1 ORDER BY a DESC",
        "SELECT a FROM \"T\" WHERE x = 1",
        "SELECT a FROM t WHERE x IN (1)",
        "SELECT a FROM t WHERE x = y - 1",
        "SELECT a FROM t WHERE x AND done = TRUE",
    ];
    let mut seen = std::collections::HashSet::new();
    for sql in differ {
        assert!(seen.insert(normalise(sql, System::Postgres).fingerprint), "{sql}");
    }
}

#[test]
fn lists_collapse_whatever_their_length() {
    for list in ["(1)", "(1, 2)", "($1, $2, $3)", "('a','b')"] {
        assert_eq!(
            text(&format!("SELECT a FROM t WHERE x IN {list}")),
            "SELECT a FROM t WHERE x IN (?+)"
        );
    }
    assert_eq!(
        text("SELECT a FROM t WHERE (x, y) IN ((1, 2), (3, 4))"),
        "SELECT a FROM t WHERE (x, y) IN (?+)"
    );
    assert_eq!(text("SELECT ARRAY[1, 2, 3]"), "SELECT ARRAY [?+]");
    // A sub-query is no list, and the arguments of a function mean something each.
    assert_eq!(
        text("SELECT a FROM t WHERE x IN (SELECT 1, 2) AND y = round(1, 2)"),
        "SELECT a FROM t WHERE x IN (SELECT ?, ?) AND y = round(?, ?)"
    );
    assert_eq!(
        text("SELECT a FROM t WHERE (x, y) < ($1, $2) AND z = (1)"),
        "SELECT a FROM t WHERE (x, y) < (?+) AND z = (?)"
    );
}

#[test]
fn the_rows_of_values_collapse_and_are_counted() {
    let one = normalise("INSERT INTO t (a, b) VALUES ($1, DEFAULT)", System::Postgres);
    let three = normalise(
        "INSERT INTO t (a, b) VALUES ($1, $2), (now(), lower('X')), (1, 2) ON CONFLICT DO NOTHING RETURNING a",
        System::Postgres,
    );
    assert_eq!(one.text, "INSERT INTO t(a, b) VALUES (?)+");
    assert_eq!((one.batch, three.batch), (1, 3));
    assert_eq!(three.text, "INSERT INTO t(a, b) VALUES (?)+ ON CONFLICT DO NOTHING RETURNING a");
    assert_eq!(one.summary, "INSERT t");
    assert_eq!(
        text("SELECT * FROM (VALUES (1, 2), (3, 4)) AS v(a, b)"),
        "SELECT * FROM (VALUES (?)+) AS v(a, b)"
    );
}

#[test]
fn savepoints_have_one_name() {
    for n in 1..4 {
        assert_eq!(text(&format!("SAVEPOINT diesel_savepoint_{n}")), "SAVEPOINT s");
        assert_eq!(text(&format!("RELEASE SAVEPOINT diesel_savepoint_{n}")), "RELEASE SAVEPOINT s");
        assert_eq!(
            text(&format!("ROLLBACK TO SAVEPOINT diesel_savepoint_{n}")),
            "ROLLBACK TO SAVEPOINT s"
        );
    }
    assert_eq!(text("ROLLBACK;"), "ROLLBACK");
}

#[test]
fn no_literal_of_any_form_is_left() {
    let forms = [
        "'planted'",
        "E'planted\\n'",
        "$$planted$$",
        "$tag$planted$tag$",
        "N'planted'",
        "X'706c616e746564'",
        "U&'planted'",
        "4711",
        "-4711",
        "4711.5e3",
        "1e4711",
    ];
    for form in forms {
        for sql in [
            format!("SELECT a FROM t WHERE x = {form}"),
            format!("INSERT INTO t VALUES ({form}, {form})"),
            format!("SELECT a /* {form} */ FROM t -- {form}\n WHERE x = 1"),
            format!("ALTER ROLE r PASSWORD {form}"),
            format!("SELECT a FROM t WHERE x = {form} AND y = 'open"),
        ] {
            let normal = normalise(&sql, System::Postgres);
            let shown = format!("{normal:?}");
            for part in ["planted", "4711", "706c61"] {
                let literal = shown.replace(&format!("Literal({})", 4711), "");
                assert!(!literal.contains(part), "{sql} -> {shown}");
            }
        }
    }
}

#[test]
fn what_cannot_be_read_says_so_and_shows_nothing() {
    let normal = normalise("SELECT 'planted", System::Postgres);
    assert_eq!((normal.text.as_str(), normal.understood), (NOT_UNDERSTOOD, false));
    let normal = normalise("", System::Sqlite);
    assert!(normal.understood);
}

#[test]
fn what_a_statement_does_and_where() {
    let cases = [
        ("SELECT 1", StatementKind::Select, "SELECT"),
        ("(SELECT a FROM x) UNION (SELECT a FROM y)", StatementKind::Select, "SELECT x"),
        ("SELECT a FROM \"app\".\"Users\" u", StatementKind::Select, "SELECT Users"),
        (
            "WITH c AS (SELECT 1 FROM a) SELECT * FROM c FOR UPDATE",
            StatementKind::Select,
            "SELECT a",
        ),
        (
            "WITH gone AS (DELETE FROM t RETURNING id) SELECT id FROM gone",
            StatementKind::Delete,
            "DELETE t",
        ),
        ("UPDATE ONLY t SET a = 1", StatementKind::Update, "UPDATE t"),
        ("INSERT INTO t (a) SELECT 1", StatementKind::Insert, "INSERT t"),
        ("REPLACE INTO t VALUES (1)", StatementKind::Insert, "REPLACE t"),
        ("BEGIN IMMEDIATE", StatementKind::Transaction, "BEGIN"),
        ("START TRANSACTION READ ONLY", StatementKind::Transaction, "START"),
        ("CREATE INDEX i ON t (a)", StatementKind::Other, "CREATE"),
        ("SELECT 1; DROP TABLE t", StatementKind::Other, "several statements"),
    ];
    for (sql, kind, summary) in cases {
        let normal = normalise(sql, System::Postgres);
        assert_eq!((normal.kind, normal.summary.as_str()), (kind, summary), "{sql}");
    }
}

#[test]
fn limits_are_found_where_they_are_outermost() {
    let page = normalise(
        "SELECT a FROM (SELECT a FROM t LIMIT 5) s WHERE a > $1 ORDER BY a LIMIT $2 OFFSET 40",
        System::Postgres,
    );
    assert_eq!((page.limit, page.offset), (Some(Slot::Bind(1)), Some(Slot::Literal(40))));
    assert_eq!((page.paged, page.placeholders), (true, 2));
    let first = normalise("SELECT a FROM t WHERE id = ? LIMIT ?", System::Sqlite);
    assert_eq!((first.limit, first.paged), (Some(Slot::Bind(1)), false));
    let none = normalise("SELECT a FROM (SELECT a FROM t LIMIT 5) s", System::Sqlite);
    assert_eq!(none.limit, None);
}

#[test]
fn comments_that_change_do_not() {
    let one = normalise("SELECT a FROM t /* trace=1 */", System::Postgres);
    let two = normalise("/* trace=2 */ SELECT a\n\tFROM t", System::Postgres);
    assert_eq!(one.fingerprint, two.fingerprint);
}

proptest! {
    #[test]
    fn nothing_makes_it_fail(sql in ".{0,200}") {
        for system in [System::Postgres, System::Sqlite] {
            normalise(&sql, system);
        }
    }

    #[test]
    fn tokens_in_any_order_do_not_make_it_fail(parts in prop::collection::vec(
        prop::sample::select(vec![
            "SELECT", "VALUES", "IN", "(", ")", ",", "1", "'x'", "$1", "?", "FROM", "t", ".", "[",
            "]", "ARRAY", "WITH", "LIMIT", "-", ";", "SAVEPOINT", "\"q q\"", "::",
        ]), 0..30)) {
        let sql = parts.join(" ");
        for system in [System::Postgres, System::Sqlite] {
            normalise(&sql, system);
        }
    }

    #[test]
    fn a_list_has_the_same_fingerprint_at_any_length(n in 1_usize..200, m in 1_usize..200) {
        let list = |n: usize| vec!["?"; n].join(", ");
        let of = |n| normalise(&format!("SELECT a FROM t WHERE b IN ({})", list(n)), System::Sqlite);
        prop_assert_eq!(of(n).fingerprint, of(m).fingerprint);
    }

    #[test]
    fn strings_never_show(secret in "[a-z]{12}", quote in 0..3_u8) {
        let literal = match quote {
            0 => format!("'{secret}'"),
            1 => format!("E'{secret}'"),
            _ => format!("$q${secret}$q$"),
        };
        let sql = format!("SELECT a FROM t WHERE x = {literal} AND y IN ({literal}, 1)");
        let normal = normalise(&sql, System::Postgres);
        let shown = format!("{normal:?}");
        prop_assert!(!shown.contains(&secret));
    }
}
