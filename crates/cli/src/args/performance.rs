//! How the program is asked about performance.

use clap::Args;

#[derive(Args)]
#[command(after_help = "\
The report is about the database and the cache, whoever uses them. On PostgreSQL with the extension
pg_stat_statements it tells which statements took the time of these seconds; what a server or SQLite
does not count is not made up. What an application itself measured is in its own
`Guildhall::performance_report`.

Examples:
  guildhall report
  guildhall report --watch --seconds 2
  guildhall report --json --limit 100")]
pub(crate) struct ReportArgs {
    /// Show it again and again, until Ctrl-C
    #[arg(long)]
    pub(crate) watch: bool,
    /// How long to look at the server's counters (1 to 3600)
    #[arg(long, default_value_t = 5, value_name = "S")]
    pub(crate) seconds: u32,
    /// How many statements (1 to 1000)
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
}

#[derive(Args)]
#[command(after_help = "\
The statement is planned, never run, and the plan is shown without values.

Examples:
  guildhall explain 1f09ab34c2d7e650
  guildhall explain --sql 'SELECT * FROM users WHERE username_key = $1'")]
pub(crate) struct ExplainArgs {
    /// Of a statement that the server has seen, as `guildhall report` shows it
    #[arg(required_unless_present = "sql", conflicts_with = "sql")]
    pub(crate) fingerprint: Option<String>,
    /// A statement of your own; values may be placeholders
    #[arg(long, value_name = "TEXT")]
    pub(crate) sql: Option<String>,
}
