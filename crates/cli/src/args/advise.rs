//! How the program is asked for index advice.

use std::path::PathBuf;

use clap::Args;

#[derive(Args)]
#[command(after_help = "\
Without --workload the statements are those that a PostgreSQL server with pg_stat_statements has
counted. A workload file is plain SQL, statements divided by `;`, and serves any database, whoever
made its tables. A comment before a statement may say what is known of it:

  -- calls: 1200, mean_ms: 3.5
  SELECT * FROM letters WHERE reader = $1 ORDER BY sent DESC LIMIT 20;

Nothing is changed without --apply. Every figure in the report says where it comes from.

Examples:
  guildhall advise
  guildhall advise --workload queries.sql --database sqlite://shop.db
  guildhall advise --budget 50MB --script indexes.sql
  guildhall advise --migration faster_inbox
  guildhall advise --apply")]
pub(crate) struct AdviseArgs {
    /// Statements to advise on, instead of those that the server has counted
    #[arg(long, value_name = "FILE")]
    pub(crate) workload: Option<PathBuf>,
    /// What all new indexes may take: a share of the tables' bytes, or bytes (KB, MB, GB)
    #[arg(long, default_value = "20%", value_name = "SIZE")]
    pub(crate) budget: String,
    /// Leave out statements that were called less often
    #[arg(long, default_value_t = 1, value_name = "N")]
    pub(crate) min_calls: u64,
    /// Build what is advised: on PostgreSQL concurrently, on SQLite writers wait
    #[arg(long, conflicts_with_all = ["script", "migration"])]
    pub(crate) apply: bool,
    /// Write what is advised as a script for a person to run
    #[arg(long, value_name = "FILE", conflicts_with = "migration")]
    pub(crate) script: Option<PathBuf>,
    /// Write what is advised as Diesel migrations, one an index, under `migrations/`
    #[arg(long, value_name = "NAME")]
    pub(crate) migration: Option<String>,
}
