//! SQLite has no hypothetical indexes and tells no costs, so three things are asked in turn.
//!
//! Would it use the index? An empty database in memory with the same schema and written statistics
//! tells. Should it? Not where a value that is bound keeps too many rows: SQLite would use the index
//! all the same. Is it faster? A copy of the file tells, timed with and without.

mod copy;
mod foresight;
mod scratch;
mod work;

use std::time::Duration;

use diesel::prelude::*;
use diesel_async::sync_connection_wrapper::SyncConnectionWrapper;
use sqlparser::dialect::SQLiteDialect;
use sqlparser::tokenizer::{Token, Tokenizer};
use thiserror::Error;

use super::values::{Variant, variants};
use super::{CostRefusal, Pricing, judge, statistics};
use crate::advise::asked::{Asked, asked_of};
use crate::advise::{Advice, Rule, Rung, Unit};
use crate::catalog::{Catalog, quote_literal};
use crate::workload::{Statement, Workload};
use copy::Copy;
use scratch::Scratch;

/// How much is asked.
#[derive(Clone, Debug, PartialEq)]
pub struct CostOptions {
    /// Databases up to this size are copied to time statements; 0 for never.
    pub copy_bytes_max: u64,
    /// Runs of a statement of which the shortest counts; more if it is over in microseconds.
    pub runs: u32,
    /// What one run on the copy may take. A text that would take longer by its plan, or did, is not
    /// timed: the statement is priced from statistics unless other values could be timed. A run is
    /// only left where a row comes: see `docs/design/advisor.md` for what that does not bound.
    pub run_max: Duration,
    /// A bound value that keeps a greater share of the rows refuses an index.
    pub kept_max: f64,
    /// Sets of candidates tried for one statement, at most.
    pub sets_max: usize,
}

impl Default for CostOptions {
    fn default() -> Self {
        Self {
            copy_bytes_max: 512 << 20,
            runs: 5,
            run_max: Duration::from_secs(5),
            kept_max: 0.15,
            sets_max: 40,
        }
    }
}

/// Pricing that could not be done.
#[derive(Debug, Error)]
pub enum CostError {
    /// SQLite refused something of ours.
    #[error("SQLite could not be asked: {what} failed")]
    Database {
        /// What was asked.
        what: &'static str,
        /// Why it failed.
        source: diesel::result::Error,
    },
    /// A database of our own could not be opened.
    #[error("a scratch database could not be opened")]
    Open(#[from] ConnectionError),
    /// No temporary file could be made.
    #[error("a file for a copy could not be made")]
    File(#[from] std::io::Error),
}

/// Prices every candidate for every statement that it could serve.
///
/// The work goes on to its end on its own thread when the future is dropped.
pub async fn price(
    conn: &mut SyncConnectionWrapper<SqliteConnection>,
    catalog: &Catalog,
    workload: &Workload,
    advice: &Advice,
    options: &CostOptions,
) -> Result<Pricing, CostError> {
    let (catalog, workload) = (catalog.clone(), workload.clone());
    let (advice, options) = (advice.clone(), options.clone());
    let priced = conn
        .spawn_blocking(move |inner| Ok(price_on(inner, &catalog, &workload, &advice, &options)));
    priced.await.map_err(|source| CostError::Database { what: "the thread", source })?
}

fn price_on(
    conn: &mut SqliteConnection,
    catalog: &Catalog,
    workload: &Workload,
    advice: &Advice,
    options: &CostOptions,
) -> Result<Pricing, CostError> {
    let mut pricing = Pricing::default();
    let mut scratch = Scratch::of(conn, catalog)?;
    let mut copy = Copy::of(conn, options)?;
    if copy.is_none() {
        pricing.notes.push(
            "The database was not copied, so nothing was timed: figures are estimates from \
             statistics."
                .to_owned(),
        );
    }
    let mut left_out = 0;
    for (place, statement) in workload.statements.iter().enumerate() {
        let asked = asked_of(catalog, statement);
        let variants = variants(catalog, statement, &asked);
        let texts: Vec<(super::VariantKind, String)> = variants
            .iter()
            .filter_map(|variant| Some((variant.kind, with_values(&statement.sql, variant)?)))
            .collect();
        for set in super::sets::sets_for(advice, place, options.sets_max) {
            let judged =
                if let Some(share) = kept(catalog, advice, statement, &asked, &set, options) {
                    Err(CostRefusal::TooManyRows { share })
                } else if !scratch.would_use(catalog, advice, &set, &texts)? {
                    Err(CostRefusal::NotUsed)
                } else {
                    let timed = match copy.as_mut().filter(|_| copy::is_query(&statement.sql)) {
                        Some(copy) => {
                            let costs = copy.time_both(catalog, advice, &set, &texts)?;
                            let is_given_up = costs.before.is_empty() && copy.gave_up(&texts);
                            (!is_given_up).then_some(costs)
                        }
                        None => None,
                    };
                    let from_statistics =
                        || statistics::price_set(catalog, advice, &set, place, &pricing.distinct);
                    timed.map_or_else(from_statistics, |costs| {
                        let (unit, rung) = (Unit::Milliseconds, Rung::MeasuredOnSample);
                        judge(place, set.clone(), &costs, unit, rung)
                    })
                };
            super::sets::record(&mut pricing, place, &set, judged);
        }
        left_out += usize::from(copy.as_ref().is_some_and(|copy| copy.gave_up(&texts)));
    }
    if left_out > 0 {
        pricing.notes.push(format!(
            "{left_out} statements take too long on a copy, at least with some of their values: \
             those were not timed."
        ));
    }
    Ok(pricing)
}

/// The share of rows kept by the worst value that the statement is known to bind, if too many and
/// the index does not cover.
fn kept(
    catalog: &Catalog,
    advice: &Advice,
    statement: &Statement,
    asked: &Asked,
    set: &[usize],
    options: &CostOptions,
) -> Option<f64> {
    set.iter()
        .filter_map(|&place| {
            let candidate = &advice.candidates[place];
            if candidate
                .rules
                .iter()
                .any(|rule| matches!(rule, Rule::Covering | Rule::SortLimit | Rule::Partial))
            {
                return None;
            }
            let table = catalog.table(&candidate.shape.table)?;
            let rows = table.rows?;
            let lead = candidate.shape.leading_columns();
            let mut share = 1.0;
            let mut is_bound = false;
            for name in lead.iter().take(candidate.equalities) {
                let column = table.column(name)?;
                let compared = asked.compared.iter().find(|one| {
                    one.column == *name
                        && one.table.name == table.name.name
                        && !one.low
                        && !one.high
                });
                let values = compared.map_or_else(Vec::new, |one| statement.values_at(one.place));
                let worst = values
                    .iter()
                    .map(|value| column.kept_by_equality(Some(value), rows).share)
                    .fold(0.0, f64::max);
                is_bound |= worst > 0.0;
                share *=
                    if worst > 0.0 { worst } else { column.kept_by_equality(None, rows).share };
            }
            (is_bound && share > options.kept_max).then_some(share)
        })
        .fold(None, |worst: Option<f64>, share| Some(worst.map_or(share, |held| held.max(share))))
}

const UNKNOWN: &str = "'~no such value~'";

/// The statement with a variant's values written in. Where none is known, as where an expression is
/// compared, one that is hardly there: what is looked for then is found to be missing, by a scan or by
/// an index.
fn with_values(sql: &str, variant: &Variant) -> Option<String> {
    // Texts are written back as they stand, their doubled quotes included.
    let tokens = Tokenizer::new(&SQLiteDialect {}, sql).with_unescape(false).tokenize().ok()?;
    let mut next = 0;
    let mut text = String::with_capacity(sql.len());
    for token in tokens {
        if let Token::Placeholder(name) = &token {
            let number: Option<usize> = name.trim_start_matches(['$', '?', ':', '@']).parse().ok();
            let place = number.map_or(next, |number| number.saturating_sub(1));
            next = next.max(place + 1);
            match variant.values.get(&place) {
                None => text.push_str(UNKNOWN),
                Some(None) => text.push_str("NULL"),
                Some(Some(value)) if value.parse::<i64>().is_ok() => text.push_str(value),
                Some(Some(value)) => text.push_str(&quote_literal(value)),
            }
        } else {
            text.push_str(&token.to_string());
        }
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cost::VariantKind;

    #[test]
    fn quotes_in_the_statement_stay_as_they_are() {
        let variant = Variant { kind: VariantKind::Seen, values: [(0, None)].into() };
        let sql =
            "select \"a\"\"b\" from t where name = 'O''Brien' and x = ? and y = '' and z = ''''";
        let written = with_values(sql, &variant).unwrap();
        assert_eq!(written, sql.replace('?', "NULL"));
    }

    #[test]
    fn values_are_written_where_their_placeholders_stand() {
        let variant = Variant {
            kind: VariantKind::Seen,
            values: [(0, Some("7".to_owned())), (1, Some("it's".to_owned()))].into(),
        };
        assert_eq!(
            with_values("select * from t where a = ? and `b` = ?", &variant).as_deref(),
            Some("select * from t where a = 7 and `b` = 'it''s'")
        );
        assert_eq!(
            with_values("select ?, ?, ?", &variant).as_deref(),
            Some("select 7, 'it''s', '~no such value~'")
        );
    }
}
