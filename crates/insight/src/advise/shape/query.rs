//! Queries, and the queries within them.

mod outputs;
mod select;
mod sources;

use sqlparser::ast::{
    Delete, Expr, FromTable, Insert, LimitClause, OrderByKind, Query, SetExpr, Statement as Tree,
    TableObject, Update, UpdateTableFromKind, Values,
};

use super::scope::{Frame, Output, Reader, Source};
use super::values::operand;
use super::{Operand, Shape, Write};
use crate::advise::tree::is_deep;
use crate::catalog::Catalog;
use crate::workload::Statement;

/// What an unknown `LIMIT` is taken for: a page.
const LIMIT_DEFAULT: f64 = 100.0;

/// What a statement asks of the tables of a catalogue.
pub(crate) fn shape_of(tree: &Tree, statement: &Statement, catalog: &Catalog) -> Shape {
    let mut reader = Reader {
        catalog,
        statement,
        frames: Vec::new(),
        shape: Shape::default(),
        depth: 0,
        views: 0,
    };
    reader.statement(tree);
    reader.shape
}

/// The order and the limit around a `SELECT`.
#[derive(Default)]
pub(super) struct Tail<'q> {
    pub(super) order: Vec<&'q sqlparser::ast::OrderByExpr>,
    pub(super) limit: Option<f64>,
    pub(super) offset: f64,
}

impl Reader<'_> {
    fn statement(&mut self, tree: &Tree) {
        match tree {
            Tree::Query(query) => {
                self.query(query, false);
            }
            Tree::Update(update) => self.update(update),
            Tree::Delete(delete) => self.delete(delete),
            Tree::Insert(insert) => self.insert(insert),
            _ => {}
        }
    }

    /// Follows a query; gives its columns.
    pub(super) fn query(&mut self, query: &Query, drives_outer: bool) -> Vec<Output> {
        self.deeper(|reader| {
            reader.frames.push(Frame { drives_outer, ..Frame::default() });
            if let Some(with) = &query.with {
                for cte in &with.cte_tables {
                    let name = reader.folded(&cte.alias.name);
                    if with.recursive {
                        // Within itself it is what has been found so far.
                        reader.name_cte(name.clone(), Source::Opaque);
                    }
                    let mut outputs = reader.query(&cte.query, false);
                    for (output, column) in outputs.iter_mut().zip(&cte.alias.columns) {
                        output.name = reader.folded(&column.name);
                    }
                    if with.recursive {
                        // What a round hands on is not what the base table holds.
                        outputs.iter_mut().for_each(|output| output.origin = None);
                    }
                    reader.name_cte(name, Source::Derived(outputs));
                }
            }
            let tail = reader.tail(query);
            let outputs = reader.body(&query.body, &tail);
            reader.frames.pop();
            outputs
        })
    }

    fn name_cte(&mut self, name: String, source: Source) {
        if let Some(frame) = self.frames.last_mut() {
            frame.ctes.push((name, source));
        }
    }

    fn tail<'q>(&self, query: &'q Query) -> Tail<'q> {
        let order = match query.order_by.as_ref().map(|order| &order.kind) {
            Some(OrderByKind::Expressions(keys)) => keys.iter().collect(),
            _ => Vec::new(),
        };
        let (limit, offset) = match &query.limit_clause {
            Some(LimitClause::LimitOffset { limit, offset, .. }) => {
                (limit.as_ref(), offset.as_ref().map(|offset| &offset.value))
            }
            Some(LimitClause::OffsetCommaLimit { offset, limit }) => (Some(limit), Some(offset)),
            None => (None, None),
        };
        let fetch = query.fetch.as_ref().filter(|fetch| !fetch.percent);
        let limit = limit.or(fetch.and_then(|fetch| fetch.quantity.as_ref()));
        Tail {
            order,
            limit: limit.map(|limit| self.count(limit).unwrap_or(LIMIT_DEFAULT)),
            offset: offset.and_then(|offset| self.count(offset)).unwrap_or(0.0),
        }
    }

    /// A number of rows, written or bound.
    pub(super) fn count(&self, expr: &Expr) -> Option<f64> {
        let operand = (!is_deep(expr)).then(|| operand(expr)).flatten()?;
        let values = operand.values(self.statement);
        let counts = values.iter().filter_map(|value| value.parse::<f64>().ok());
        counts.filter(|count| *count >= 0.0).reduce(f64::max)
    }

    fn body(&mut self, body: &SetExpr, tail: &Tail<'_>) -> Vec<Output> {
        match body {
            SetExpr::Select(select) => self.select(select, tail),
            SetExpr::Query(query) => self.query(query, false),
            SetExpr::SetOperation { left, right, .. } => {
                // What is sorted and cut is the whole, not one side.
                let outer = self.frames.last().is_some_and(|frame| frame.drives_outer);
                let mut outputs = self.branch(left, outer);
                self.branch(right, outer);
                outputs.iter_mut().for_each(|output| output.origin = None);
                outputs
            }
            SetExpr::Insert(tree)
            | SetExpr::Update(tree)
            | SetExpr::Delete(tree)
            | SetExpr::Merge(tree) => {
                self.statement(tree);
                Vec::new()
            }
            SetExpr::Values(Values { rows, .. }) => {
                for row in rows {
                    for value in &row.content {
                        self.visit(value, false);
                    }
                }
                Vec::new()
            }
            SetExpr::Table(_) => Vec::new(),
        }
    }

    fn branch(&mut self, body: &SetExpr, drives_outer: bool) -> Vec<Output> {
        self.deeper(|reader| {
            reader.frames.push(Frame { drives_outer, ..Frame::default() });
            let outputs = reader.body(body, &Tail::default());
            reader.frames.pop();
            outputs
        })
    }

    fn update(&mut self, update: &Update) {
        self.frames.push(Frame::default());
        let target = self.from(std::slice::from_ref(&update.table));
        match &update.from {
            Some(UpdateTableFromKind::BeforeSet(from) | UpdateTableFromKind::AfterSet(from)) => {
                self.from(from);
            }
            None => {}
        }
        let mut columns = std::collections::BTreeSet::new();
        let table = target.first().and_then(|scan| self.table_of(*scan));
        for assignment in &update.assignments {
            use sqlparser::ast::AssignmentTarget::{ColumnName, Tuple};
            let names = match &assignment.target {
                ColumnName(name) => std::slice::from_ref(name),
                Tuple(names) => names.as_slice(),
            };
            for name in names {
                let ident = name.0.last().and_then(|part| part.as_ident());
                let column = ident.zip(table).and_then(|(ident, table)| {
                    crate::advise::canon::column_of(table, ident, self.system())
                });
                columns.extend(column.map(str::to_owned));
            }
            self.visit(&assignment.value, false);
        }
        if let Some(table) = table {
            self.shape.writes.push((table.name.clone(), Write::Update(columns)));
        }
        self.written(&target, update.selection.as_ref());
    }

    fn delete(&mut self, delete: &Delete) {
        self.frames.push(Frame::default());
        let (FromTable::WithFromKeyword(from) | FromTable::WithoutKeyword(from)) = &delete.from;
        let target = self.from(from);
        if let Some(using) = &delete.using {
            self.from(using);
        }
        for scan in &target {
            if let Some(table) = self.table_of(*scan) {
                self.shape.writes.push((table.name.clone(), Write::Delete));
            }
        }
        self.written(&target, delete.selection.as_ref());
    }

    /// A row that is written is read whole.
    fn written(&mut self, target: &[usize], selection: Option<&Expr>) {
        if let Some(selection) = selection {
            self.conditions(selection);
        }
        for scan in target {
            self.reads(*scan, |reads| reads.all = true);
        }
        self.frames.pop();
    }

    fn insert(&mut self, insert: &Insert) {
        self.frames.push(Frame::default());
        if let TableObject::TableName(name) = &insert.table
            && let Some(table) = self.table_name(name)
            && let Some(table) = self.catalog.table(&table)
        {
            self.shape.writes.push((table.name.clone(), Write::Insert));
        }
        if let Some(source) = &insert.source {
            self.query(source, false);
        }
        self.frames.pop();
    }
}

/// Whether an operand is nothing but a number that is small.
pub(super) fn is_position(operand: &Operand) -> Option<usize> {
    match operand {
        Operand::Literal { text, class: None } => text.parse().ok(),
        _ => None,
    }
}
