//! Tables beside `users`, each as one stream sorted by member, merged into the stream of members.

use std::iter::Peekable;

use diesel::connection::DefaultLoadingMode;
use diesel::sqlite::{Sqlite, SqliteConnection};
use diesel::{QueryResult, QueryableByName, RunQueryDsl};

use super::open::broken;
use super::schema::Schema;
use crate::detect::SourceFile;
use crate::error::ImportError;
use crate::findings::Findings;
use crate::value::Value;

/// A row that belongs to a member.
pub(super) trait SideRow: QueryableByName<Sqlite> + 'static {
    const TABLE: &'static str;
    /// The columns read, in the order of the fields; `user_id` is among them.
    const COLUMNS: &'static [&'static str];
    /// The order within a member.
    const ORDER: &'static str;
    fn owner(&self) -> &Value;
    fn key(&self) -> String;
}

type Rows<'c, R> = Peekable<Box<dyn Iterator<Item = QueryResult<R>> + 'c>>;

/// The stream of one table; a table that this shape lacks is a stream without rows.
pub(super) struct Side<'c, R> {
    file: &'c SourceFile,
    rows: Option<Rows<'c, R>>,
}

impl<'c, R: SideRow> Side<'c, R> {
    pub(super) fn open(
        conn: &'c mut SqliteConnection,
        file: &'c SourceFile,
        schema: &Schema,
        after: Option<i64>,
    ) -> Result<Self, ImportError> {
        if !schema.has(R::TABLE) {
            return Ok(Self { file, rows: None });
        }
        let query = format!(
            "SELECT {} FROM {} {} ORDER BY user_id, {}",
            schema.select_list(R::TABLE, R::COLUMNS),
            R::TABLE,
            after.map_or_else(String::new, |id| format!("WHERE user_id > {id}")),
            R::ORDER,
        );
        let rows = diesel::sql_query(query)
            .load_iter::<R, DefaultLoadingMode>(conn)
            .map_err(|error| broken(file, &format!("table {}", R::TABLE), &error))?;
        let rows: Box<dyn Iterator<Item = QueryResult<R>> + 'c> = Box::new(rows);
        Ok(Self { file, rows: Some(rows.peekable()) })
    }

    /// The rows of `user`. Rows before it belong to nobody and are noted down as skipped.
    pub(super) fn take(
        &mut self,
        user: i64,
        findings: &mut Findings,
    ) -> Result<Vec<R>, ImportError> {
        let mut taken = Vec::new();
        while let Some(row) = self.next_if(|owner| !is_after(owner, user))? {
            findings.read(R::TABLE);
            if *row.owner() == Value::Int(user) {
                taken.push(row);
            } else {
                orphan(&row, findings);
            }
        }
        Ok(taken)
    }

    /// What is left belongs to nobody.
    pub(super) fn rest(&mut self, findings: &mut Findings) -> Result<(), ImportError> {
        while let Some(row) = self.next_if(|_| true)? {
            findings.read(R::TABLE);
            orphan(&row, findings);
        }
        Ok(())
    }

    fn next_if(&mut self, wanted: impl Fn(&Value) -> bool) -> Result<Option<R>, ImportError> {
        let Some(rows) = &mut self.rows else { return Ok(None) };
        let next = rows.next_if(|row| row.as_ref().map_or(true, |row| wanted(row.owner())));
        let part = || format!("table {}", R::TABLE);
        next.transpose().map_err(|error| broken(self.file, &part(), &error))
    }
}

/// SQLite's order: null, numbers, text, blobs.
fn is_after(owner: &Value, user: i64) -> bool {
    match owner {
        Value::Null => false,
        Value::Int(id) => *id > user,
        Value::Real(id) => *id > user as f64,
        _ => true,
    }
}

fn orphan<R: SideRow>(row: &R, findings: &mut Findings) {
    let reason = match row.owner().whole() {
        Some(user) => format!("its member {user} is not in users"),
        None => "it names no member".to_owned(),
    };
    findings.skip(R::TABLE, &row.key(), reason);
}
