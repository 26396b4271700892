//! One session with the planner: statements prepared, indexes supposed, plans read.

use diesel::QueryableByName;
use diesel::pg::Pg;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text};
use diesel_async::{AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};

use super::refused::Unsupposed;
use super::{CostError, CostOptions};
use crate::advise::asked::Asked;
use crate::advise::{Advice, DdlOptions, create_index};
use crate::catalog::{Catalog, quote_literal};
use crate::cost::plan::{PlanCost, read};
use crate::cost::values::{Variant, VariantKind, by_type};
use crate::workload::Statement;

/// The name under which the statement at hand is prepared.
const NAME: &str = "guildhall_insight_price";
/// Hypothetical indexes at a time: beyond some 2,500 the extension has no numbers left.
const SUPPOSED_MAX: usize = 500;

/// A session that only plans.
pub(super) struct Planner<'a> {
    conn: &'a mut AsyncPgConnection,
    has_hypopg: bool,
}

/// A statement ready to be planned.
pub(super) struct Prepared {
    /// Its text, if it binds nothing: then it is explained as it stands.
    text: Option<String>,
    /// Types of its placeholders.
    types: Vec<String>,
}

/// Plans by variant; `None` where a value was refused.
pub(super) struct Plans(Vec<(VariantKind, Option<PlanCost>)>);

impl Plans {
    pub(super) fn iter(&self) -> std::slice::Iter<'_, (VariantKind, Option<PlanCost>)> {
        self.0.iter()
    }

    pub(super) fn uses(&self, names: &[String]) -> bool {
        self.0
            .iter()
            .filter_map(|(_, plan)| plan.as_ref())
            .any(|plan| names.iter().all(|name| plan.indexes.contains(name)))
    }
}

#[derive(QueryableByName)]
struct FlagRow {
    #[diesel(sql_type = Bool)]
    value: bool,
}

#[derive(QueryableByName)]
struct PlanRow {
    #[diesel(sql_type = Text, column_name = "QUERY PLAN")]
    plan: String,
}

#[derive(QueryableByName)]
struct TypesRow {
    #[diesel(sql_type = Nullable<Array<Text>>)]
    types: Option<Vec<String>>,
}

#[derive(QueryableByName)]
struct SupposedRow {
    #[diesel(sql_type = BigInt)]
    oid: i64,
    #[diesel(sql_type = Text)]
    name: String,
}

impl<'a> Planner<'a> {
    pub(super) async fn open(
        conn: &'a mut AsyncPgConnection,
        options: &CostOptions,
    ) -> Result<Self, CostError> {
        let timeout = options.statement_timeout_ms;
        let limits = format!("SET statement_timeout = {timeout}");
        for sql in [limits.as_str(), "SET lock_timeout = 1000", "SET jit = off"] {
            run(conn, "SET", sql).await?;
        }
        let sql = "SELECT EXISTS (SELECT FROM pg_extension WHERE extname = 'hypopg') AS value";
        let found: Vec<FlagRow> = load(conn, "the list of extensions", sql).await?;
        let mut planner = Self { conn, has_hypopg: found.into_iter().any(|row| row.value) };
        planner.forget_indexes().await?;
        Ok(planner)
    }

    /// Leaves the session as it was found.
    pub(super) async fn close(mut self) -> Result<(), CostError> {
        self.forget_indexes().await?;
        for setting in ["statement_timeout", "lock_timeout", "jit", "plan_cache_mode"] {
            run(self.conn, "RESET", &format!("RESET {setting}")).await?;
        }
        Ok(())
    }

    pub(super) fn has_hypopg(&self) -> bool {
        self.has_hypopg
    }

    pub(super) fn conn(&mut self) -> &mut AsyncPgConnection {
        self.conn
    }

    pub(super) async fn forget_indexes(&mut self) -> Result<(), CostError> {
        if self.has_hypopg {
            let _: Vec<FlagRow> =
                load(self.conn, "hypopg_reset", "SELECT hypopg_reset() IS NULL AS value").await?;
        }
        Ok(())
    }

    /// Prepares a statement. The inner error is the server's reason why it cannot be planned.
    ///
    /// Through the extended protocol, which takes one statement only: a text of several is refused.
    pub(super) async fn prepare(
        &mut self,
        statement: &Statement,
        asked: &Asked,
    ) -> Result<Result<Prepared, String>, CostError> {
        let sql = statement.sql.trim().trim_end_matches(';').to_owned();
        if asked.places == 0 {
            return Ok(Ok(Prepared { text: Some(sql), types: Vec::new() }));
        }
        let prepare = format!("PREPARE {NAME} AS {sql}");
        if let Err(why) = asking("PREPARE", execute(self.conn, &prepare).await)? {
            return Ok(Err(why));
        }
        let sql = format!(
            "SELECT parameter_types::text[] AS types FROM pg_prepared_statements WHERE name = {}",
            quote_literal(NAME)
        );
        let found: Vec<TypesRow> = load(self.conn, "the placeholders' types", &sql).await?;
        let types = found.into_iter().next().and_then(|row| row.types).unwrap_or_default();
        Ok(Ok(Prepared { text: None, types }))
    }

    pub(super) async fn forget(&mut self, prepared: &Prepared) -> Result<(), CostError> {
        match &prepared.text {
            Some(_) => Ok(()),
            None => run(self.conn, "DEALLOCATE", &format!("DEALLOCATE {NAME}")).await,
        }
    }

    /// A plan for each variant, made for its values.
    pub(super) async fn plan_all(
        &mut self,
        prepared: &Prepared,
        variants: &[Variant],
    ) -> Result<Plans, CostError> {
        run(self.conn, "SET", "SET plan_cache_mode = force_custom_plan").await?;
        let mut plans = Vec::with_capacity(variants.len());
        for variant in variants {
            let plan = self.plan(prepared, |place, type_name| {
                let value = match variant.values.get(&place) {
                    Some(value) => value.clone()?,
                    None => by_type(type_name).to_owned(),
                };
                Some(as_array(value, type_name))
            });
            plans.push((variant.kind, plan.await?));
        }
        Ok(Plans(plans))
    }

    /// The plan that is made for no value in particular, which the server may take after five runs.
    pub(super) async fn plan_generic(
        &mut self,
        prepared: &Prepared,
    ) -> Result<Option<PlanCost>, CostError> {
        if prepared.text.is_some() {
            return Ok(None);
        }
        run(self.conn, "SET", "SET plan_cache_mode = force_generic_plan").await?;
        // A generic plan is kept, and a supposed index does not make it stale; an empty change of
        // the plans' validity does.
        run(self.conn, "DISCARD", "DISCARD PLANS").await?;
        self.plan(prepared, |_, _| None).await
    }

    async fn plan(
        &mut self,
        prepared: &Prepared,
        value: impl Fn(usize, &str) -> Option<String>,
    ) -> Result<Option<PlanCost>, CostError> {
        let what = match &prepared.text {
            Some(text) => text.clone(),
            None => {
                let values = prepared.types.iter().enumerate().map(|(place, type_name)| {
                    value(place, type_name).map_or("NULL".to_owned(), |text| quote_literal(&text))
                });
                let values: Vec<String> = values.collect();
                format!("EXECUTE {NAME}({})", values.join(", "))
            }
        };
        let sql = format!("EXPLAIN (FORMAT JSON) {what}");
        let answer = diesel::sql_query(sql).load::<PlanRow>(self.conn).await;
        let rows = asking("EXPLAIN", answer)?;
        Ok(rows.ok().and_then(|rows| read(&rows.as_slice().first()?.plan)))
    }

    /// Supposes a set of candidates, alone. Gives their names, as plans show them, in the set's
    /// order; the inner error says why that cannot be done.
    pub(super) async fn suppose(
        &mut self,
        catalog: &Catalog,
        advice: &Advice,
        set: &[usize],
    ) -> Result<Result<Vec<String>, Unsupposed>, CostError> {
        self.forget_indexes().await?;
        let mut names = Vec::with_capacity(set.len());
        for &place in set.iter().take(SUPPOSED_MAX) {
            let shape = &advice.candidates[place].shape;
            let sql = match create_index(catalog, shape, NAME, DdlOptions::default()) {
                Ok(sql) => sql,
                Err(refused) => return Ok(Err(Unsupposed::Refused(refused.to_string()))),
            };
            let sql = format!(
                "SELECT indexrelid::bigint AS oid, indexname::text AS name \
                 FROM hypopg_create_index({})",
                quote_literal(&sql)
            );
            let answer = diesel::sql_query(sql).load::<SupposedRow>(self.conn).await;
            match asking("hypopg_create_index", answer)? {
                Ok(rows) => match rows.into_iter().next() {
                    Some(row) if row.oid > 0 => names.push(row.name),
                    _ => return Ok(Err(Unsupposed::Refused("HypoPG gave no index".to_owned()))),
                },
                Err(why) => {
                    self.forget_indexes().await?;
                    return Ok(Err(Unsupposed::of(&why, catalog, shape)));
                }
            }
        }
        Ok(Ok(names))
    }
}

/// Statistics tell of values; where an array is bound, it is an array of one.
fn as_array(value: String, type_name: &str) -> String {
    if !type_name.ends_with("[]") || value.starts_with('{') {
        return value;
    }
    format!("{{\"{}\"}}", value.replace('\\', "\\\\").replace('"', "\\\""))
}

/// A refusal of what was asked is an answer; a lost connection is an error.
pub(super) fn asking<T>(
    what: &'static str,
    answer: Result<T, DieselError>,
) -> Result<Result<T, String>, CostError> {
    match answer {
        Ok(value) => Ok(Ok(value)),
        Err(DieselError::DatabaseError(kind, info))
            if !matches!(
                kind,
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand
            ) =>
        {
            Ok(Err(info.message().to_owned()))
        }
        Err(source) => Err(CostError { what, source }),
    }
}

async fn execute(conn: &mut AsyncPgConnection, sql: &str) -> Result<usize, DieselError> {
    diesel::sql_query(sql).execute(conn).await
}

pub(super) async fn run(
    conn: &mut AsyncPgConnection,
    what: &'static str,
    sql: &str,
) -> Result<(), CostError> {
    conn.batch_execute(sql).await.map_err(|source| CostError { what, source })
}

pub(super) async fn load<R: QueryableByName<Pg> + Send + 'static>(
    conn: &mut AsyncPgConnection,
    what: &'static str,
    sql: &str,
) -> Result<Vec<R>, CostError> {
    diesel::sql_query(sql).load(conn).await.map_err(|source| CostError { what, source })
}
