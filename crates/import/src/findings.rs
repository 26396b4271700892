//! What a reading pass notes down. Bounded: beyond [`LISTED_MAX`] it only counts.

use crate::report::{ColumnNotRead, LISTED_MAX, NotRead, Skipped, TableReport, Warning};

/// More tables or columns than this are a mistake or an attack; the rest is one line.
const NAMES_MAX: usize = 1000;

/// Counts, skipped rows and warnings of one pass over the source.
#[derive(Debug, Default)]
pub(crate) struct Findings {
    pub(crate) tables: Vec<TableReport>,
    pub(crate) warnings_total: u64,
    pub(crate) warnings: Vec<Warning>,
    pub(crate) not_read: Vec<NotRead>,
    pub(crate) columns_not_read: Vec<ColumnNotRead>,
}

impl Findings {
    /// The figures of a table, which begin at nothing.
    pub(crate) fn table(&mut self, name: &str) -> &mut TableReport {
        let at = self.tables.iter().position(|table| table.table == name).unwrap_or_else(|| {
            self.tables.push(TableReport { table: name.to_owned(), ..TableReport::default() });
            self.tables.len() - 1
        });
        &mut self.tables[at]
    }

    pub(crate) fn read(&mut self, table: &str) {
        self.table(table).read += 1;
    }

    pub(crate) fn skip(&mut self, table: &str, key: &str, reason: impl Into<String>) {
        let table = self.table(table);
        table.skipped_total += 1;
        if table.skipped.len() < LISTED_MAX {
            table.skipped.push(Skipped { key: shortened(key), reason: reason.into() });
        }
    }

    pub(crate) fn has(&self, table: &str) -> bool {
        self.tables.iter().any(|other| other.table == table)
    }

    /// Rows skipped, and how many of them are listed.
    pub(crate) fn skipped(&self, table: &str) -> (u64, u64) {
        let found = self.tables.iter().find(|other| other.table == table);
        found.map_or((0, 0), |found| (found.skipped_total, found.skipped.len() as u64))
    }

    pub(crate) fn warn(
        &mut self,
        table: &str,
        key: &str,
        field: Option<&str>,
        message: impl Into<String>,
    ) {
        self.warnings_total += 1;
        if self.warnings.len() < LISTED_MAX {
            self.warnings.push(Warning {
                table: table.to_owned(),
                key: shortened(key),
                field: field.map(str::to_owned),
                message: message.into(),
            });
        }
    }

    pub(crate) fn append_warnings(&mut self, other: Self) {
        self.warnings_total += other.warnings_total;
        let room = LISTED_MAX.saturating_sub(self.warnings.len());
        self.warnings.extend(other.warnings.into_iter().take(room));
    }

    pub(crate) fn not_read(&mut self, table: &str, rows: u64) {
        let table = shortened(table);
        if let Some(other) = self.not_read.iter_mut().find(|other| other.table == table) {
            other.rows += rows;
        } else if self.not_read.len() < NAMES_MAX {
            self.not_read.push(NotRead { table, rows });
        }
    }

    pub(crate) fn column_not_read(&mut self, table: &str, column: &str, rows: u64) {
        let column = shortened(column);
        let same = |other: &&mut ColumnNotRead| other.table == table && other.column == column;
        if let Some(other) = self.columns_not_read.iter_mut().find(same) {
            other.rows += rows;
        } else if self.columns_not_read.len() < NAMES_MAX {
            self.columns_not_read.push(ColumnNotRead { table: table.to_owned(), column, rows });
        }
    }
}

/// Keys come from the file: a long one must not fill the report.
fn shortened(key: &str) -> String {
    match key.char_indices().nth(100) {
        Some((end, _)) => format!("{}…", &key[..end]),
        None => key.to_owned(),
    }
}
