//! A catalogue from `CREATE` statements, such as migrations: structure without statistics.

use sqlparser::ast::{
    ColumnDef, ColumnOption, CreateIndex, CreateTable, Expr, Ident, IndexColumn, ObjectName,
    ObjectNamePart, OrderBySort, ReferentialAction as OnDelete, Statement, TableConstraint,
};
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, Tokenizer};
use thiserror::Error;

use super::{
    Catalog, Column, Direction, ForeignKey, Index, IndexKey, IndexShape, KeyPart, Method,
    ReferentialAction, Server, Table, TableKind, TableName, View,
};
use crate::fingerprint::System;
use crate::sql::{dialect, too_many_operators};

/// The largest definition read, in bytes.
const DDL_BYTES_MAX: usize = 4 << 20;

/// Why definitions were not read.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
pub enum DdlError {
    /// Over 4 MiB.
    #[error("the definitions have {bytes} bytes; at most 4 MiB are read")]
    TooLarge {
        /// Their size.
        bytes: usize,
    },
    /// The text cannot be split into statements.
    #[error("the definitions cannot be split into statements: {reason}")]
    Unsplit {
        /// As the tokeniser has it.
        reason: String,
    },
    /// A `CREATE` statement that was not understood.
    #[error("statement {place} was not understood: {reason}")]
    NotUnderstood {
        /// Which, first at 1.
        place: usize,
        /// The parser's reason.
        reason: String,
    },
    /// An index on a table that is not defined before it.
    #[error("index {index} is on {table}, which is not defined before it")]
    NoSuchTable {
        /// The index.
        index: String,
        /// The table.
        table: String,
    },
}

impl Catalog {
    /// Reads `CREATE TABLE`, `CREATE INDEX` and `CREATE VIEW`; other statements are passed over.
    ///
    /// Tables come without statistics, as never analysed: set [`Table::rows`] and the columns'
    /// statistics before asking for advice.
    pub fn from_ddl(sql: &str, system: System) -> Result<Self, DdlError> {
        if sql.len() > DDL_BYTES_MAX {
            return Err(DdlError::TooLarge { bytes: sql.len() });
        }
        let dialect = dialect(system);
        let tokens = Tokenizer::new(dialect, sql)
            .tokenize()
            .map_err(|error| DdlError::Unsplit { reason: error.to_string() })?;
        let mut catalog =
            Self { server: Server { system, ..Server::default() }, ..Self::default() };
        for (nth, tokens) in tokens.split(|token| *token == Token::SemiColon).enumerate() {
            let mut words = tokens.iter().filter(|token| !matches!(token, Token::Whitespace(_)));
            let creates = words.next().is_some_and(|token| {
                matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("create"))
            });
            if !creates {
                continue;
            }
            let failed = |reason: String| DdlError::NotUnderstood { place: nth + 1, reason };
            if let Some(reason) = too_many_operators(tokens) {
                return Err(failed(reason));
            }
            let tokens = without_strict(tokens);
            let statement = Parser::new(dialect)
                .with_tokens(tokens)
                .parse_statement()
                .map_err(|error| failed(error.to_string()))?;
            catalog.define(statement, system)?;
        }
        Ok(catalog)
    }

    fn define(&mut self, statement: Statement, system: System) -> Result<(), DdlError> {
        match statement {
            Statement::CreateTable(table) => self.tables.push(table_of(&table, system)),
            Statement::CreateIndex(index) => self.define_index(&index, system)?,
            Statement::CreateView(view) => self.views.push(View {
                name: name_of(&view.name, system),
                definition: view.query.to_string(),
            }),
            _ => {}
        }
        Ok(())
    }

    fn define_index(&mut self, index: &CreateIndex, system: System) -> Result<(), DdlError> {
        let table = name_of(&index.table_name, system);
        let method =
            index.using.as_ref().map_or(Method::BTree, |using| Method::of(&using.to_string()));
        let name = match &index.name {
            Some(name) => name_of(name, system).name,
            None => format!("{}_idx", table.name),
        };
        let missing = || DdlError::NoSuchTable { index: name.clone(), table: table.to_string() };
        let table = self.table_mut(&table).ok_or_else(missing)?;
        let shape = IndexShape {
            table: table.name.clone(),
            method,
            keys: index.columns.iter().map(|column| key_of(column, system)).collect(),
            include: index.include.iter().map(|ident| folded(ident, system)).collect(),
            predicate: index.predicate.as_ref().map(ToString::to_string),
        };
        let mut defined = Index::new(name.clone(), shape);
        defined.unique = index.unique;
        table.indexes.push(defined);
        Ok(())
    }
}

/// `STRICT` at the end of a table changes nothing that matters here, and the parser lacks it beside
/// `WITHOUT ROWID`.
fn without_strict(tokens: &[Token]) -> Vec<Token> {
    let closed = tokens.iter().rposition(|token| *token == Token::RParen).unwrap_or(0);
    let mut kept = tokens.get(..closed).unwrap_or_default().to_vec();
    let tail = tokens.get(closed..).unwrap_or_default();
    let strict = |token: &Token| matches!(token, Token::Word(word) if word.value.eq_ignore_ascii_case("strict"));
    if tail.iter().any(strict) {
        kept.extend(tail.iter().filter(|token| !strict(token) && **token != Token::Comma).cloned());
    } else {
        kept.extend(tail.iter().cloned());
    }
    kept
}

fn folded(ident: &Ident, system: System) -> String {
    match (system, ident.quote_style) {
        (System::Postgres, None) => ident.value.to_ascii_lowercase(),
        _ => ident.value.clone(),
    }
}

fn name_of(name: &ObjectName, system: System) -> TableName {
    let mut parts: Vec<String> = name
        .0
        .iter()
        .filter_map(|part| match part {
            ObjectNamePart::Identifier(ident) => Some(folded(ident, system)),
            ObjectNamePart::Function(_) => None,
        })
        .collect();
    let name = parts.pop().unwrap_or_default();
    TableName { schema: parts.pop(), name }
}

fn table_of(tree: &CreateTable, system: System) -> Table {
    let name = name_of(&tree.name, system);
    let mut table = Table { name: name.clone(), ..Table::default() };
    if tree.temporary {
        table.kind = TableKind::Temporary;
    } else if tree.partition_by.is_some() {
        table.kind = TableKind::Partitioned;
    } else if tree.without_rowid {
        table.kind = TableKind::WithoutRowid;
    }
    for column in &tree.columns {
        table.columns.push(column_of(column, system));
    }
    for column in &tree.columns {
        let own = vec![folded(&column.name, system)];
        for option in &column.options {
            match &option.option {
                ColumnOption::PrimaryKey(_) => primary(&mut table, own.clone(), system),
                ColumnOption::Unique(_) => unique(&mut table, own.clone()),
                ColumnOption::ForeignKey(key) => table.foreign_keys.push(ForeignKey {
                    name: format!("{}_{}_fkey", name.name, own.join("_")),
                    columns: own.clone(),
                    parent: name_of(&key.foreign_table, system),
                    parent_columns: key
                        .referred_columns
                        .iter()
                        .map(|ident| folded(ident, system))
                        .collect(),
                    on_delete: action(key.on_delete.as_ref()),
                }),
                _ => {}
            }
        }
    }
    for constraint in &tree.constraints {
        let columns = |columns: &[IndexColumn]| -> Vec<String> {
            let keys = columns.iter().map(|column| key_of(column, system));
            keys.filter_map(|key| key.column_name().map(str::to_owned)).collect()
        };
        match constraint {
            TableConstraint::PrimaryKey(key) => primary(&mut table, columns(&key.columns), system),
            TableConstraint::Unique(key) => unique(&mut table, columns(&key.columns)),
            TableConstraint::ForeignKey(key) => {
                let folded = |idents: &[Ident]| -> Vec<String> {
                    idents.iter().map(|ident| folded(ident, system)).collect()
                };
                let columns = folded(&key.columns);
                table.foreign_keys.push(ForeignKey {
                    name: key.name.as_ref().map_or_else(
                        || format!("{}_{}_fkey", name.name, columns.join("_")),
                        |ident| ident.value.clone(),
                    ),
                    columns,
                    parent: name_of(&key.foreign_table, system),
                    parent_columns: folded(&key.referred_columns),
                    on_delete: action(key.on_delete.as_ref()),
                });
            }
            _ => {}
        }
    }
    table
}

fn column_of(tree: &ColumnDef, system: System) -> Column {
    let mut column = Column::new(folded(&tree.name, system), tree.data_type.to_string());
    column.nullable = true;
    for option in &tree.options {
        match &option.option {
            ColumnOption::NotNull | ColumnOption::PrimaryKey(_) => column.nullable = false,
            ColumnOption::Collation(name) => column.collation = Some(name_of(name, system).name),
            _ => {}
        }
    }
    column
}

fn primary(table: &mut Table, columns: Vec<String>, system: System) {
    for column in &mut table.columns {
        column.nullable &= !columns.contains(&column.name);
    }
    // SQLite's `INTEGER PRIMARY KEY` is the row id, and needs no index.
    if let (System::Sqlite, [only]) = (system, columns.as_slice())
        && table.kind != TableKind::WithoutRowid
        && table.column(only).is_some_and(|one| one.type_name.eq_ignore_ascii_case("integer"))
    {
        table.rowid_column = Some(only.clone());
        return;
    }
    let shape = IndexShape::btree(table.name.clone(), columns);
    table.indexes.push(Index::primary_key(format!("{}_pkey", table.name.name), shape));
}

fn unique(table: &mut Table, columns: Vec<String>) {
    let name = format!("{}_{}_key", table.name.name, columns.join("_"));
    let shape = IndexShape::btree(table.name.clone(), columns);
    table.indexes.push(Index::unique(name, shape));
}

fn action(action: Option<&OnDelete>) -> ReferentialAction {
    match action {
        Some(OnDelete::Cascade) => ReferentialAction::Cascade,
        Some(OnDelete::SetNull) => ReferentialAction::SetNull,
        Some(OnDelete::SetDefault) => ReferentialAction::SetDefault,
        _ => ReferentialAction::Refuse,
    }
}

fn key_of(tree: &IndexColumn, system: System) -> IndexKey {
    let (expr, collation) = match &tree.column.expr {
        Expr::Collate { expr, collation } => (&**expr, Some(name_of(collation, system).name)),
        expr => (expr, None),
    };
    let part = match expr {
        Expr::Identifier(ident) => KeyPart::Column(folded(ident, system)),
        other => KeyPart::Expression(other.to_string()),
    };
    let mut key = IndexKey::of(part);
    key.collation = collation;
    key.opclass = tree.operator_class.as_ref().map(|name| name_of(name, system).name);
    if matches!(tree.column.options.sort, Some(OrderBySort::Desc)) {
        key.direction = Direction::Desc;
    }
    // Null is the greatest value on PostgreSQL, the smallest on SQLite.
    let usual = (system == System::Postgres) == (key.direction == Direction::Desc);
    if tree.column.options.nulls_first.is_some_and(|first| first != usual) {
        key.nulls = super::Nulls::Opposite;
    }
    key
}
