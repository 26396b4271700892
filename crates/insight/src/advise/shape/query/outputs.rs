//! What a `SELECT` hands on: its columns, and which of them are base columns unchanged.

use sqlparser::ast::{Expr, SelectItem, SelectItemQualifiedWildcardKind};

use super::super::scope::{Output, Reader, Resolved, Source};
use super::sources::all_outputs;
use crate::advise::tree::{bare, each, function_name, is_aggregate};

/// The most columns of a sub-query that are told apart.
const OUTPUTS_MAX: usize = 1_664;

/// What a projection does.
#[derive(Default)]
pub(super) struct Projection {
    pub(super) outputs: Vec<Output>,
    /// Whether rows are put together.
    pub(super) aggregated: bool,
    /// Whether a window looks at rows before the limit cuts.
    pub(super) windowed: bool,
    /// The column of which only the least or the greatest is asked.
    pub(super) extreme: Option<(usize, String)>,
}

impl Reader<'_> {
    pub(super) fn projection(&mut self, items: &[SelectItem]) -> Projection {
        let mut found = Projection::default();
        for item in items {
            match item {
                SelectItem::Wildcard(_) => {
                    let sources: Vec<Source> = self.sources_here().collect();
                    found.outputs.extend(sources.iter().flat_map(|one| self.whole(one)));
                }
                SelectItem::QualifiedWildcard(
                    SelectItemQualifiedWildcardKind::ObjectName(name),
                    _,
                ) => {
                    let ident = name.0.last().and_then(|part| part.as_ident());
                    let source = ident.and_then(|ident| self.source_named(ident));
                    match source {
                        Some(source) => found.outputs.extend(self.whole(&source)),
                        None => self.reads_all(),
                    }
                }
                SelectItem::UnnamedExpr(expr) => self.output(expr, None, &mut found),
                SelectItem::ExprWithAlias { expr, alias } => {
                    self.output(expr, Some(self.folded(alias)), &mut found);
                }
                _ => self.reads_all(),
            }
        }
        // As many as a row may have; what is beyond is of no table.
        found.outputs.truncate(OUTPUTS_MAX);
        if items.len() != 1 {
            found.extreme = None;
        }
        found
    }

    fn sources_here(&self) -> impl Iterator<Item = Source> {
        let frame = self.frames.last();
        frame.into_iter().flat_map(|frame| frame.bindings.iter().map(|one| one.source.clone()))
    }

    fn source_named(&self, ident: &sqlparser::ast::Ident) -> Option<Source> {
        let mut bindings = self.frames.iter().rev().flat_map(|frame| &frame.bindings);
        bindings.find(|one| self.is_named(ident, &one.alias)).map(|one| one.source.clone())
    }

    /// All columns of a source.
    fn whole(&mut self, source: &Source) -> Vec<Output> {
        match source {
            Source::Scan(scan) => {
                self.reads(*scan, |reads| reads.all = true);
                let table = self.table_of(*scan);
                let columns = table.into_iter().flat_map(|table| table.columns.iter());
                all_outputs(*scan, columns.map(|column| column.name.clone()))
            }
            Source::Derived(outputs) => {
                for output in outputs {
                    if let Some((scan, column)) = &output.origin {
                        self.reads(*scan, |reads| {
                            reads.columns.insert(column.clone());
                        });
                    }
                }
                outputs.clone()
            }
            Source::Opaque => Vec::new(),
        }
    }

    fn output(&mut self, expr: &Expr, alias: Option<String>, found: &mut Projection) {
        self.visit(expr, false);
        let origin = match self.resolve(expr) {
            Resolved::Base { scan, column } => Some((scan, column)),
            _ => None,
        };
        each(expr, &mut |below| {
            if let Expr::Function(function) = below {
                found.windowed |= function.over.is_some();
                found.aggregated |= is_aggregate(function);
            }
        });
        found.extreme = self.extreme(expr);
        let own = match bare(expr) {
            Expr::Identifier(ident) => self.folded(ident),
            Expr::CompoundIdentifier(parts) => {
                parts.last().map_or_else(String::new, |ident| self.folded(ident))
            }
            Expr::Function(function) => function_name(&function.name),
            _ => String::new(),
        };
        found.outputs.push(Output { name: alias.unwrap_or(own), origin });
    }

    fn extreme(&self, expr: &Expr) -> Option<(usize, String)> {
        let Expr::Function(function) = bare(expr) else { return None };
        let name = function_name(&function.name);
        let arguments = crate::advise::tree::arguments(function)?;
        let ([column], "min" | "max", None) =
            (arguments.as_slice(), name.as_str(), &function.filter)
        else {
            return None;
        };
        match self.resolve(column) {
            Resolved::Base { scan, column } => Some((scan, column)),
            _ => None,
        }
    }
}
