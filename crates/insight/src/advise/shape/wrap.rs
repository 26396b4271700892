//! What stands on a side of a comparison: a column, an expression around one, a value. And whether
//! an index may hold that expression.

use std::collections::BTreeSet;

use sqlparser::ast::{BinaryOperator, Expr, UnaryOperator};

use super::scope::{Reader, Resolved};
use super::values::operand;
use super::{Operand, Target};
use crate::advise::canon::canonical;
use crate::advise::rewrite::Rewrite;
use crate::advise::tree::{arguments, bare, children, each, function_name};
use crate::catalog::{Column, Table, TypeClass, Volatility};
use crate::fingerprint::System;

/// One side of a comparison.
#[derive(Clone, Debug)]
pub(super) enum Side {
    /// What an index could sort by.
    Target { scan: usize, target: Target, collation: Option<String>, class: TypeClass },
    /// A value.
    Operand(Operand),
    /// A row of sides.
    Row(Vec<Side>),
    /// Columns of one table that no index can get at.
    Hidden { scan: usize, rewrite: Option<Rewrite> },
    /// Something else, known before this table is read or not at all.
    Opaque,
}

/// Functions that take a calendar apart: a range of the column says the same.
const CALENDAR: [&str; 14] = [
    "date_trunc",
    "date_part",
    "date_bin",
    "to_char",
    "date",
    "datetime",
    "time",
    "strftime",
    "julianday",
    "unixepoch",
    "extract",
    "age",
    "timezone",
    "year",
];

/// Built-in functions whose result depends on their arguments alone.
const IMMUTABLE: [&str; 49] = [
    "lower",
    "upper",
    "length",
    "char_length",
    "octet_length",
    "abs",
    "trim",
    "btrim",
    "ltrim",
    "rtrim",
    "substr",
    "substring",
    "left",
    "right",
    "replace",
    "reverse",
    "md5",
    "coalesce",
    "nullif",
    "greatest",
    "least",
    "round",
    "floor",
    "ceil",
    "ceiling",
    "mod",
    "sign",
    "split_part",
    "regexp_replace",
    "strpos",
    "position",
    "initcap",
    "translate",
    "lpad",
    "rpad",
    "encode",
    "decode",
    "sha256",
    "jsonb_extract_path_text",
    "jsonb_extract_path",
    "jsonb_array_length",
    "array_length",
    "cardinality",
    "instr",
    "ifnull",
    "iif",
    "unicode",
    "hex",
    "json_extract",
];

impl Reader<'_> {
    pub(super) fn side(&self, expr: &Expr) -> Side {
        let expr = bare(expr);
        if let Expr::Tuple(items) = expr {
            return Side::Row(items.iter().map(|item| self.side(item)).collect());
        }
        // `ROW (a, b)` is `(a, b)`.
        if let Expr::Function(function) = expr
            && function_name(&function.name) == "row"
            && let Some(items) = arguments(function)
        {
            return Side::Row(items.into_iter().map(|item| self.side(item)).collect());
        }
        if let Some(operand) = operand(expr) {
            return Side::Operand(operand);
        }
        match self.resolve(expr) {
            Resolved::Base { scan, column } => return self.column_side(scan, column),
            Resolved::Other => return Side::Opaque,
            // SQLite reads `"x"` as a text where no column is called so.
            Resolved::Unknown => {
                if let (System::Sqlite, Expr::Identifier(ident)) = (self.system(), expr)
                    && ident.quote_style == Some('"')
                {
                    let text = ident.value.clone();
                    return Side::Operand(Operand::Literal { text, class: None });
                }
            }
        }
        if let Expr::Collate { expr, collation } = expr {
            let name = collation.0.last().and_then(|part| part.as_ident());
            let name = name.map(|ident| ident.value.clone());
            return match self.side(expr) {
                Side::Target { scan, target, class, .. } => {
                    Side::Target { scan, target, collation: name, class }
                }
                other => other,
            };
        }
        if let Expr::UnaryOp { op: UnaryOperator::Plus, expr: inner } = expr {
            return self.plus_side(inner, expr);
        }
        self.wrapped(expr)
    }

    /// `+column` is the column, but no index may be used for it: on SQLite that is what the sign is
    /// written for, and PostgreSQL takes it for an operator.
    fn plus_side(&self, inner: &Expr, whole: &Expr) -> Side {
        match (self.side(inner), self.system()) {
            (Side::Target { scan, target: Target::Column(column), .. }, System::Postgres) => {
                let wrapped = whole.to_string();
                Side::Hidden { scan, rewrite: Some(Rewrite::MoveArithmetic { column, wrapped }) }
            }
            (Side::Target { scan, .. }, _) => Side::Hidden { scan, rewrite: None },
            (other, _) => other,
        }
    }

    fn column_side(&self, scan: usize, column: String) -> Side {
        let class = self
            .table_of(scan)
            .and_then(|table| table.column(&column))
            .map_or(TypeClass::Other, |column| column.class.clone());
        Side::Target { scan, target: Target::Column(column), collation: None, class }
    }

    /// An expression around columns, all of one table.
    fn wrapped(&self, expr: &Expr) -> Side {
        let mut scans = BTreeSet::new();
        let mut columns = BTreeSet::new();
        let mut clean = true;
        let followed = each(expr, &mut |below| match below {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => match self.resolve(below) {
                Resolved::Base { scan, column } => {
                    scans.insert(scan);
                    columns.insert(column);
                }
                Resolved::Other | Resolved::Unknown => clean = false,
            },
            Expr::Subquery(_) | Expr::Exists { .. } | Expr::InSubquery { .. } => clean = false,
            _ => {}
        });
        let Some(scan) = scans.iter().next().copied() else { return Side::Opaque };
        let table = self.table_of(scan);
        let (Some(table), true, true, 1) = (table, followed, clean, scans.len()) else {
            return Side::Opaque;
        };
        if let Expr::Cast { expr: inner, data_type, .. } = expr
            && let Resolved::Base { column, .. } = self.resolve(inner)
            && let Some(column) = table.column(&column)
        {
            return self.cast_side(scan, column, &data_type.to_string(), expr);
        }
        let only = columns.iter().next().and_then(|name| table.column(name));
        let direct = self.is_spelled_directly(expr, scan);
        let sql = canonical(expr, table, self.system()).filter(|_| direct);
        if let (Some(column), 1) = (only, columns.len())
            && let Some(rewrite) = self.rewrite(expr, column, sql.as_deref())
        {
            return Side::Hidden { scan, rewrite: Some(rewrite) };
        }
        let Some(sql) = sql else { return Side::Hidden { scan, rewrite: None } };
        if !self.is_immutable(expr, table) {
            return Side::Hidden { scan, rewrite: Some(Rewrite::NotImmutable { wrapped: sql }) };
        }
        let target = Target::Expression(sql);
        Side::Target { scan, target, collation: None, class: TypeClass::Other }
    }

    /// A cast of a column: nothing, a day cut out of a moment, or the wrong side cast.
    fn cast_side(&self, scan: usize, column: &Column, to: &str, expr: &Expr) -> Side {
        let target = TypeClass::of(to);
        if target == column.class || target.is_text() && column.class == TypeClass::Enum {
            return self.column_side(scan, column.name.clone());
        }
        let moment = matches!(column.class, TypeClass::Timestamp | TypeClass::TimestampTz);
        let rewrite = if moment && matches!(target, TypeClass::Date | TypeClass::Time) {
            let wrapped = self
                .table_of(scan)
                .filter(|_| self.is_spelled_directly(expr, scan))
                .and_then(|table| canonical(expr, table, self.system()))
                .unwrap_or_else(|| expr.to_string());
            Rewrite::HalfOpenRange { column: column.name.clone(), wrapped }
        } else {
            Rewrite::CastTheValue { column: column.name.clone(), to: column.type_name.clone() }
        };
        Side::Hidden { scan, rewrite: Some(rewrite) }
    }

    /// What to write instead, where that is better than any index.
    fn rewrite(&self, expr: &Expr, column: &Column, sql: Option<&str>) -> Option<Rewrite> {
        let wrapped = sql.map_or_else(|| expr.to_string(), str::to_owned);
        let column_name = column.name.clone();
        let is_column = |expr: &Expr| matches!(self.resolve(expr), Resolved::Base { .. });
        match expr {
            Expr::BinaryOp { left, op, right }
                if matches!(
                    op,
                    BinaryOperator::Plus
                        | BinaryOperator::Minus
                        | BinaryOperator::Multiply
                        | BinaryOperator::Divide
                ) && (is_column(left) && operand(right).is_some()
                    || is_column(right) && operand(left).is_some()) =>
            {
                Some(Rewrite::MoveArithmetic { column: column_name, wrapped })
            }
            Expr::Extract { .. } | Expr::AtTimeZone { .. } => {
                Some(Rewrite::HalfOpenRange { column: column_name, wrapped })
            }
            Expr::Function(function)
                if CALENDAR.contains(&function_name(&function.name).as_str()) =>
            {
                Some(Rewrite::HalfOpenRange { column: column_name, wrapped })
            }
            Expr::Cast { expr, .. } => match bare(expr) {
                // The cast of a calendar function is a calendar function.
                inner @ (Expr::Function(_) | Expr::AtTimeZone { .. }) => {
                    self.rewrite(inner, column, sql)
                }
                _ => None,
            },
            _ => None,
        }
    }

    /// Whether an index may hold the expression.
    fn is_immutable(&self, expr: &Expr, table: &Table) -> bool {
        let mut immutable = true;
        each(expr, &mut |below| match below {
            Expr::Function(function) => {
                let name = function_name(&function.name);
                immutable &= match self.catalog.functions.get(&name) {
                    Some(volatility) => *volatility == Volatility::Immutable,
                    None if name == "to_tsvector" => {
                        children(below).is_some_and(|arguments| arguments.len() == 2)
                    }
                    None => IMMUTABLE.contains(&name.as_str()),
                };
            }
            Expr::Cast { expr, data_type, .. } => {
                let to = TypeClass::of(&data_type.to_string());
                let dated = matches!(
                    to,
                    TypeClass::Date
                        | TypeClass::Timestamp
                        | TypeClass::TimestampTz
                        | TypeClass::Time
                );
                // From and to texts, moments are read by settings of the session.
                immutable &= !dated || operand(expr).is_some();
                immutable &= !(to.is_text() && self.is_moment(expr, table));
            }
            Expr::BinaryOp { op: BinaryOperator::StringConcat, left, right } => {
                immutable &= !self.is_moment(left, table) && !self.is_moment(right, table);
            }
            Expr::AtTimeZone { .. } | Expr::Extract { .. } => immutable = false,
            _ => {}
        });
        immutable
    }

    fn is_moment(&self, expr: &Expr, table: &Table) -> bool {
        let Resolved::Base { column, .. } = self.resolve(expr) else { return false };
        table.column(&column).is_some_and(|column| {
            matches!(
                column.class,
                TypeClass::Date | TypeClass::Timestamp | TypeClass::TimestampTz | TypeClass::Time
            )
        })
    }
}
