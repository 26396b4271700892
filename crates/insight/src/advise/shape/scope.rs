//! What a name stands for, and the reader that goes through a statement.

use sqlparser::ast::{Expr, Ident, ObjectName, ObjectNamePart, Query};

use super::{Reads, Rewrite, Scan, Shape};
use crate::advise::canon::column_of;
use crate::advise::tree::{bare, each};
use crate::catalog::{Catalog, Table, TableName};
use crate::fingerprint::System;
use crate::workload::Statement;

/// The most tables followed in one statement; a view may multiply them.
pub(super) const SCANS_MAX: usize = 64;
/// The most views followed in one statement.
const VIEWS_MAX: usize = 64;
/// The deepest nesting of views, sub-queries and common table expressions followed.
const DEPTH_MAX: usize = 24;

/// A column of a sub-query, and the base column it hands through unchanged.
#[derive(Clone, Debug)]
pub(super) struct Output {
    pub(super) name: String,
    pub(super) origin: Option<(usize, String)>,
}

/// What an alias stands for.
#[derive(Clone, Debug)]
pub(super) enum Source {
    Scan(usize),
    Derived(Vec<Output>),
    /// Functions, tables unknown: any column may be of it.
    Opaque,
}

#[derive(Clone, Debug)]
pub(super) struct Binding {
    pub(super) alias: String,
    pub(super) source: Source,
}

/// The names that one `SELECT` sees, before those of the ones around it.
#[derive(Debug, Default)]
pub(super) struct Frame {
    pub(super) bindings: Vec<Binding>,
    pub(super) ctes: Vec<(String, Source)>,
    /// Whether the rows found here may lead to rows of the frame around: as in `WHERE EXISTS`.
    pub(super) drives_outer: bool,
}

/// What a column name turned out to be.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Resolved {
    Base {
        scan: usize,
        column: String,
    },
    /// Calculated by a sub-query or a function.
    Other,
    /// Nobody has such a column: on SQLite `"x"` may be a text.
    Unknown,
}

/// Goes through one statement and notes what it asks.
pub(super) struct Reader<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) statement: &'a Statement,
    pub(super) frames: Vec<Frame>,
    pub(super) shape: Shape,
    pub(super) depth: usize,
    pub(super) views: usize,
}

impl<'a> Reader<'a> {
    pub(super) fn system(&self) -> System {
        self.catalog.system()
    }

    pub(super) fn table_of(&self, scan: usize) -> Option<&'a Table> {
        self.catalog.table(&self.shape.scans.get(scan)?.table)
    }

    pub(super) fn bind(&mut self, alias: String, source: Source) {
        if let Some(frame) = self.frames.last_mut() {
            frame.bindings.push(Binding { alias, source });
        }
    }

    pub(super) fn is_named(&self, ident: &Ident, name: &str) -> bool {
        match (self.system(), ident.quote_style) {
            (System::Postgres, Some(_)) => ident.value == name,
            _ => ident.value.eq_ignore_ascii_case(name),
        }
    }

    /// A new access of a table; `None` when there are too many.
    pub(super) fn scan(&mut self, table: TableName) -> Option<usize> {
        if self.shape.scans.len() >= SCANS_MAX {
            return None;
        }
        self.shape.scans.push(Scan::new(table));
        Some(self.shape.scans.len() - 1)
    }

    /// What a name in `FROM` stands for: a common table expression, a view, a table.
    pub(super) fn source_of(&mut self, name: &ObjectName) -> Source {
        let Some(name) = self.table_name(name) else { return Source::Opaque };
        if name.schema.is_none() {
            let ctes = self.frames.iter().rev().flat_map(|frame| frame.ctes.iter().rev());
            for (known, source) in ctes {
                if *known == name.name {
                    return source.clone();
                }
            }
        }
        if let Some(table) = self.catalog.table(&name) {
            let table = table.name.clone();
            return self.scan(table).map_or(Source::Opaque, Source::Scan);
        }
        if let Some(view) = self.catalog.view(&name) {
            let definition = view.definition.clone();
            return self.view(&definition);
        }
        self.shape.unknown.insert(name.to_string());
        Source::Opaque
    }

    fn view(&mut self, definition: &str) -> Source {
        use crate::advise::parse::{Parsed, parse};
        if self.views >= VIEWS_MAX {
            return Source::Opaque;
        }
        self.views += 1;
        match parse(definition, self.system()) {
            Parsed::Rows(tree) => match *tree {
                // A view's names are its own: it does not see the frames around it.
                sqlparser::ast::Statement::Query(query) => {
                    let frames = std::mem::take(&mut self.frames);
                    let outputs = self.query(&query, false);
                    self.frames = frames;
                    Source::Derived(outputs)
                }
                _ => Source::Opaque,
            },
            _ => Source::Opaque,
        }
    }

    /// The name as the database folds it.
    pub(super) fn table_name(&self, name: &ObjectName) -> Option<TableName> {
        let mut parts = Vec::new();
        for part in &name.0 {
            let ObjectNamePart::Identifier(ident) = part else { return None };
            parts.push(self.folded(ident));
        }
        let table = parts.pop()?;
        let name = TableName { schema: parts.pop(), name: table };
        if self.system() == System::Sqlite {
            let mut tables = self.catalog.tables.iter();
            let found = tables.find(|table| table.name.name.eq_ignore_ascii_case(&name.name));
            return Some(found.map_or(name, |table| table.name.clone()));
        }
        Some(name)
    }

    pub(super) fn folded(&self, ident: &Ident) -> String {
        match (self.system(), ident.quote_style) {
            (System::Postgres, None) => ident.value.to_ascii_lowercase(),
            _ => ident.value.clone(),
        }
    }

    /// What a column name stands for, seen from the innermost frame.
    pub(super) fn resolve(&self, expr: &Expr) -> Resolved {
        let (alias, column) = match bare(expr) {
            Expr::Identifier(column) => (None, column),
            Expr::CompoundIdentifier(parts) => match parts.as_slice() {
                [.., alias, column] => (Some(alias), column),
                _ => return Resolved::Unknown,
            },
            _ => return Resolved::Unknown,
        };
        for frame in self.frames.iter().rev() {
            let mut opaque = false;
            for binding in &frame.bindings {
                if alias.is_some_and(|alias| !self.is_named(alias, &binding.alias)) {
                    continue;
                }
                match &binding.source {
                    Source::Scan(scan) => {
                        let found = self
                            .table_of(*scan)
                            .and_then(|table| column_of(table, column, self.system()));
                        if let Some(found) = found {
                            return Resolved::Base { scan: *scan, column: found.to_owned() };
                        }
                    }
                    Source::Derived(outputs) => {
                        let output = outputs.iter().find(|one| self.is_named(column, &one.name));
                        match output.map(|output| &output.origin) {
                            Some(Some((scan, column))) => {
                                let column = column.clone();
                                return Resolved::Base { scan: *scan, column };
                            }
                            Some(None) => return Resolved::Other,
                            None => {}
                        }
                    }
                    Source::Opaque => opaque = true,
                }
            }
            if opaque {
                return Resolved::Other;
            }
        }
        Resolved::Unknown
    }

    /// Whether every name in an expression is the base table's own: an alias of a sub-query may be
    /// the name of another column.
    pub(super) fn is_spelled_directly(&self, expr: &Expr, scan: usize) -> bool {
        let Some(table) = self.table_of(scan) else { return false };
        let mut direct = true;
        let followed = each(expr, &mut |below| {
            let ident = match below {
                Expr::Identifier(ident) => Some(ident),
                Expr::CompoundIdentifier(parts) => parts.last(),
                _ => return,
            };
            let own = ident.and_then(|ident| column_of(table, ident, self.system()));
            direct &= match self.resolve(below) {
                Resolved::Base { scan: of, column } => of == scan && own == Some(column.as_str()),
                Resolved::Other | Resolved::Unknown => false,
            };
        });
        followed && direct
    }

    /// Notes the columns an expression reads and follows the sub-queries in it.
    pub(super) fn visit(&mut self, expr: &Expr, drives_outer: bool) {
        let mut columns = Vec::new();
        let mut queries: Vec<&Query> = Vec::new();
        let followed = each(expr, &mut |below| match below {
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => columns.push(below),
            Expr::Subquery(query) => queries.push(query),
            Expr::Exists { subquery, .. } | Expr::InSubquery { subquery, .. } => {
                queries.push(subquery);
            }
            _ => {}
        });
        for column in columns {
            if let Resolved::Base { scan, column } = self.resolve(column) {
                self.reads(scan, |reads| {
                    reads.columns.insert(column);
                });
            }
        }
        if !followed {
            self.reads_all();
        }
        for query in queries {
            self.query(query, drives_outer);
        }
    }

    /// Every table in sight is read whole, as far as anyone can tell.
    pub(super) fn reads_all(&mut self) {
        let sources: Vec<Source> = self
            .frames
            .iter()
            .flat_map(|frame| frame.bindings.iter().map(|binding| binding.source.clone()))
            .collect();
        for source in sources {
            if let Source::Scan(scan) = source {
                self.reads(scan, |reads| reads.all = true);
            }
        }
    }

    pub(super) fn reads(&mut self, scan: usize, note: impl FnOnce(&mut Reads)) {
        if let Some(scan) = self.shape.scans.get_mut(scan) {
            note(&mut scan.reads);
        }
    }

    pub(super) fn advise(&mut self, scan: usize, rewrite: Rewrite) {
        if !self.shape.rewrites.contains(&(scan, rewrite.clone())) {
            self.shape.rewrites.push((scan, rewrite));
        }
    }

    /// Runs something one level deeper; gives the empty answer when that is too deep.
    pub(super) fn deeper<T: Default>(&mut self, run: impl FnOnce(&mut Self) -> T) -> T {
        if self.depth >= DEPTH_MAX {
            return T::default();
        }
        self.depth += 1;
        let found = run(self);
        self.depth -= 1;
        found
    }
}
