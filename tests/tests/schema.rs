//! `schema.rs` of the Diesel crate against both databases as the migrations leave them: the same
//! tables, columns, types and nullability.

use std::any::type_name;
use std::collections::BTreeMap;

use diesel::prelude::*;
use diesel::sql_types::{Bool, Text};
use guildhall_diesel::schema;

use crate::harness::{self, Ground};

/// Columns by table and name, as `type` or `type?`.
type Columns = BTreeMap<(String, String), String>;

/// A tuple of columns, described.
trait Described {
    fn describe(into: &mut Columns, table: &str, spell: fn(&str) -> &'static str);
}

macro_rules! tuples {
    ($first:ident $($rest:ident)*) => {
        impl<$first: Column, $($rest: Column),*> Described for ($first, $($rest,)*) {
            fn describe(into: &mut Columns, table: &str, spell: fn(&str) -> &'static str) {
                column::<$first>(into, table, spell);
                $(column::<$rest>(into, table, spell);)*
            }
        }
        tuples!($($rest)*);
    };
    () => {};
}
tuples!(A B C D E F G H I J K L M N O P Q R S T U V W X Y Z Aa Bb Cc Dd Ee Ff);

fn column<C: Column>(into: &mut Columns, table: &str, spell: fn(&str) -> &'static str) {
    let full = type_name::<C::SqlType>();
    let (bare, optional) = match full.split_once("Nullable<") {
        Some((_, rest)) => (rest.trim_end_matches('>'), "?"),
        None => (full, ""),
    };
    let name = bare.rsplit("::").next().unwrap_or(bare);
    let kind = format!("{}{optional}", spell(name));
    into.insert((table.to_owned(), C::NAME.to_owned()), kind);
}

fn expected(spell: fn(&str) -> &'static str) -> Columns {
    let mut columns = Columns::new();
    macro_rules! tables {
        ($($table:ident)+) => {$(
            <schema::$table::table as Table>::AllColumns::describe(
                &mut columns,
                stringify!($table),
                spell,
            );
        )+};
    }
    tables! {
        achievement_criteria achievements badge_events badges cache_invalidations
        external_accounts fragment_choices fragment_effects fragments health_probe
        hint_combination_pieces hint_combinations import_lock imported_members imports
        interest_categories ledger_purges levels lore_pieces mission_objectives mission_rewards
        missions onboarding once_keys outbox point_accounts point_entries point_holds requirements
        reward_log store_items user_accessibility user_achievements user_activity_days user_badges
        user_counters user_decisions user_fragments user_interests user_items user_languages
        user_lore user_missions user_narrative user_objective_progress user_preferences user_stats
        users vip_events vip_grants
    }
    columns
}

/// Whoever adds a table with rows of members adds it to the purge.
#[test]
fn a_purge_knows_every_table_of_members() {
    let purge = include_str!("../../crates/diesel/src/both/purge.rs");
    let mut checked = 0;
    for (table, column) in expected(in_sqlite).into_keys() {
        if column == "user_id" {
            assert!(
                purge.contains(&format!("        {table}.user_id,\n")),
                "{table} is not purged"
            );
            checked += 1;
        }
    }
    assert!(checked > 15, "{checked}");
}

fn in_postgres(kind: &str) -> &'static str {
    match kind {
        "BigInt" => "bigint",
        "Integer" => "integer",
        "Text" => "text",
        "Bool" => "boolean",
        "UtcTime" => "timestamp with time zone",
        "CalendarDay" => "date",
        "JsonText" => "jsonb",
        other => panic!("say what {other} is in PostgreSQL"),
    }
}

fn in_sqlite(kind: &str) -> &'static str {
    match kind {
        "BigInt" | "Integer" | "Bool" | "UtcTime" => "INTEGER",
        "Text" | "CalendarDay" | "JsonText" => "TEXT",
        other => panic!("say what {other} is in SQLite"),
    }
}

#[derive(QueryableByName)]
struct LiveColumn {
    #[diesel(sql_type = Text)]
    table_name: String,
    #[diesel(sql_type = Text)]
    column_name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Bool)]
    optional: bool,
}

/// The migrations' own table is Diesel's business.
fn ours(table: &str) -> bool {
    table != "__diesel_schema_migrations" && !table.starts_with("sqlite_")
}

#[test]
fn sqlite_has_what_the_schema_says() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let (_storage, ground) = runtime.block_on(harness::ground_sqlite());
    let Ground::Sqlite(file) = &*ground else { panic!("{ground:?}") };
    let mut connection = SqliteConnection::establish(file.path().to_str().unwrap()).unwrap();
    let rows: Vec<LiveColumn> = diesel::sql_query(
        "SELECT t.name AS table_name, c.name AS column_name, c.type AS kind, \
                (c.\"notnull\" = 0 AND c.pk = 0) AS optional \
         FROM sqlite_master t JOIN pragma_table_info(t.name) c WHERE t.type = 'table'",
    )
    .load(&mut connection)
    .unwrap();
    let live: Columns = rows
        .into_iter()
        .filter(|row| ours(&row.table_name))
        .map(|row| {
            let kind = format!("{}{}", row.kind, if row.optional { "?" } else { "" });
            ((row.table_name, row.column_name), kind)
        })
        .collect();
    assert_eq!(live, expected(in_sqlite));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn postgres_has_what_the_schema_says() {
    let (_storage, ground) = harness::ground_postgres().await;
    let rows = ground
        .query(
            "SELECT table_name::text, column_name::text, data_type::text, is_nullable = 'YES' \
             FROM information_schema.columns WHERE table_schema = current_schema()",
        )
        .await;
    let live: Columns = rows
        .iter()
        .filter(|row| ours(row.get(0)))
        .map(|row| {
            let kind: String = row.get(2);
            ((row.get(0), row.get(1)), format!("{kind}{}", if row.get(3) { "?" } else { "" }))
        })
        .collect();
    assert_eq!(live, expected(in_postgres));
}
