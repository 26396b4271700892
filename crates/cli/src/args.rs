//! What the program understands.

mod advise;
mod community;
mod performance;

use std::path::PathBuf;

pub(crate) use advise::AdviseArgs;
use clap::{Args, Parser, Subcommand, ValueEnum};
pub(crate) use community::{
    AchievementCommand, BadgeCommand, MissionCommand, NarrativeCommand, OutboxCommand, Paging,
    StoreCommand, WarmArgs,
};
pub(crate) use performance::{ExplainArgs, ReportArgs};

const EXAMPLES: &str = "\
Examples:
  guildhall demo                                   see it work; needs nothing installed
  guildhall import bot.sqlite                      bring a bot's members and catalogues along
  guildhall leaderboard --limit 5                  who leads
  guildhall points award @ada 12.5 --source quiz   give points, once
  guildhall mission advance @ada dig_deep          make progress, and pay what it completes
  guildhall narrative check                        find the faults of the story
  guildhall verify                                 audit every ledger
  guildhall health --database postgres://bot:secret@db/bot --redis redis://cache

The database is a SQLite file (sqlite://path) or PostgreSQL (postgres://…); without
--database, DATABASE_URL or a configuration file it is guildhall.db in the working directory.
A member is named by id (42), by an account elsewhere (telegram:700000001) or by username (@ada).

Exit codes: 0 done, 1 failed, 2 bad usage, configuration or input.
With --json, results are on standard output and errors on standard error, in a stable schema.";

const GLOBAL: &str = "Options of every command";

/// The data layer for community bots and gamified apps: members, points, levels, missions,
/// stories, achievements, a store.
#[derive(Parser)]
#[command(name = "guildhall", version, after_help = EXAMPLES, max_term_width = 100)]
#[command(subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Cli {
    /// The database: sqlite://path or postgres://user:password@host/database
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL)]
    pub(crate) database: Option<String>,
    /// A Redis server to cache in: redis://host:6379
    #[arg(long, global = true, value_name = "URL", help_heading = GLOBAL)]
    pub(crate) redis: Option<String>,
    /// A TOML file with settings [default: $GUILDHALL_CONFIG, or guildhall.toml if it exists]
    #[arg(long, global = true, value_name = "FILE", help_heading = GLOBAL)]
    pub(crate) config: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true, help_heading = GLOBAL)]
    pub(crate) json: bool,
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Subcommand)]
pub(crate) enum Command {
    /// Make up a community, put it under load and show what came of it
    Demo(DemoArgs),
    /// Bring a legacy bot along: members, missions, stories, achievements, badges, lore, the store
    Import(ImportArgs),
    /// Show or apply the migrations of the tables
    Migrate {
        /// What to do [default: status]
        #[arg(value_enum)]
        action: Option<MigrateAction>,
    },
    /// Probe database, cache and pool
    Health,
    /// Say which indexes are missing, and build them when asked to
    Advise(AdviseArgs),
    /// Tell how database and cache are doing, and which statements take the time
    Report(ReportArgs),
    /// Show how the database runs a statement
    Explain(ExplainArgs),
    /// Look at members
    #[command(subcommand)]
    User(UserCommand),
    /// Show who leads
    Leaderboard(LeaderboardArgs),
    /// Give, take and send points, and look at a member's ledger
    #[command(subcommand)]
    Points(PointsCommand),
    /// List missions, make progress with them, complete them
    #[command(subcommand)]
    Mission(MissionCommand),
    /// List achievements, unlock them by rule or by hand
    #[command(subcommand)]
    Achievement(AchievementCommand),
    /// List badges, give and take them
    #[command(subcommand)]
    Badge(BadgeCommand),
    /// Look at the story
    #[command(subcommand)]
    Narrative(NarrativeCommand),
    /// List what is in the store, and buy
    #[command(subcommand)]
    Store(StoreCommand),
    /// Look at the outbox
    #[command(subcommand)]
    Outbox(OutboxCommand),
    /// Audit the ledgers of all members; exit code 1 when anything is broken
    Verify,
    /// Load into the cache what will be asked for; exit code 1 when anything could not be
    Warm(WarmArgs),
    /// Look into the shared cache, invalidate, compare it with the database
    #[command(subcommand)]
    Cache(CacheCommand),
    /// Look at the configuration
    #[command(subcommand)]
    Config(ConfigCommand),
    /// Write without pause and record what was acknowledged: a soak and crash test
    Load(LoadArgs),
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum MigrateAction {
    /// List the migrations and whether the database has them; changes nothing
    Status,
    /// Apply what the database lacks; programs that start together apply each once
    Up,
}

#[derive(Args)]
#[command(after_help = "\
Without --database the demo makes a temporary SQLite file and removes it at the end; settings of
files and of the environment that name a database are not used, so that no real one is filled by
accident. With --database the same runs there, and the made-up community stays; a database that
has members already is refused.

Examples:
  guildhall demo
  guildhall demo --members 100000 --seconds 20
  guildhall demo --database postgres://me@localhost/scratch --redis redis://localhost")]
pub(crate) struct DemoArgs {
    /// How many members to make up (10 to 1000000)
    #[arg(long, default_value_t = 10_000, value_name = "N")]
    pub(crate) members: u32,
    /// How long to keep up the load (1 to 3600)
    #[arg(long, default_value_t = 5, value_name = "S")]
    pub(crate) seconds: u32,
    /// How many tasks read and write at once (1 to 1024)
    #[arg(long, default_value_t = 32, value_name = "N")]
    pub(crate) tasks: u32,
    /// Another seed makes up another community
    #[arg(long, default_value_t = 42, value_name = "N")]
    pub(crate) seed: u64,
    /// Keep the SQLite file
    #[arg(long)]
    pub(crate) keep: bool,
}

#[derive(Args)]
#[command(after_help = "\
The kind of the file is found out from its content:
  a bot's SQLite database   members, their points, levels and VIP standing; missions, achievements,
                            badges, lore, the story, rewards (which become the store), and what
                            members have of each
  a JSON user store         members
  a story in JSON           fragments and their choices
  a script of achievements  achievements

Running an import again changes nothing; one that was broken off goes on where it stopped. The
source is opened read-only. --undo deletes the members whom the import created, with all of theirs;
levels, missions, achievements, badges, the story, lore and rewards stay.

Examples:
  guildhall import community-bot.sqlite --dry-run
  guildhall import community-bot.sqlite --database sqlite://x.db
  guildhall import users.json --undo")]
pub(crate) struct ImportArgs {
    /// The legacy database or JSON store
    pub(crate) file: PathBuf,
    /// Read and check everything, write nothing
    #[arg(long)]
    pub(crate) dry_run: bool,
    /// Take an earlier import of this file back: delete what it created
    #[arg(long, conflicts_with = "dry_run")]
    pub(crate) undo: bool,
    /// What the source is called; a second bot of the same kind needs a name of its own
    #[arg(long, value_name = "NAME")]
    pub(crate) source: Option<String>,
    /// The zone of times without an offset, such as Europe/Madrid
    #[arg(long, value_name = "ZONE", default_value = "UTC")]
    pub(crate) zone: String,
}

#[derive(Subcommand)]
pub(crate) enum UserCommand {
    /// Show one member: who it is, points, rank, profile, missions, achievements, story
    #[command(after_help = "\
Examples:
  guildhall user show 42
  guildhall user show telegram:700000001
  guildhall user show @ada --json")]
    Show {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
    },
}

#[derive(Args)]
#[command(after_help = "Members with equal values share a rank. Only active members with a value \
above zero are ranked.")]
pub(crate) struct LeaderboardArgs {
    /// Rank by balance, lifetime_earned, xp or achievements
    #[arg(long, default_value = "balance")]
    pub(crate) metric: String,
    /// How many rows (1 to 100)
    #[arg(long, default_value_t = 10, value_name = "N")]
    pub(crate) limit: u32,
    /// How many rows to pass over (0 to 10000)
    #[arg(long, default_value_t = 0, value_name = "N")]
    pub(crate) offset: u32,
}

#[derive(Subcommand)]
pub(crate) enum PointsCommand {
    /// Give points and experience; multipliers of roles and events apply
    #[command(after_help = "\
Examples:
  guildhall points award @ada 12.5 --source quiz --key quiz-7:ada
  guildhall points award 42 1

Repeating a command with the same --key gives the first result and no second award.")]
    Award(MoveArgs),
    /// Take points; refused when fewer are available
    Deduct(MoveArgs),
    /// Send points from one member to another
    Transfer {
        /// The sender
        from: String,
        /// The receiver
        to: String,
        /// How many points, such as 12.5
        #[arg(allow_hyphen_values = true)]
        amount: String,
        /// A once-only key: repeating the command with it changes nothing
        #[arg(long, value_name = "K")]
        key: Option<String>,
        /// In words
        #[arg(long, value_name = "TEXT")]
        description: Option<String>,
    },
    /// Show a member's ledger, newest first
    History {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
        /// How many entries (1 to 200)
        #[arg(long, default_value_t = 20, value_name = "N")]
        limit: u32,
        /// Go on after this cursor, which the previous page gave
        #[arg(long, value_name = "CURSOR")]
        after: Option<String>,
        /// Only entries of this source
        #[arg(long, value_name = "S")]
        source: Option<String>,
    },
}

#[derive(Args)]
pub(crate) struct MoveArgs {
    /// ID, PROVIDER:ID such as telegram:700000001, or @username
    pub(crate) user: String,
    /// How many points, such as 12.5
    #[arg(allow_hyphen_values = true)]
    pub(crate) amount: String,
    /// What for: lower-case letters, digits, _ . : and -
    #[arg(long, default_value = "manual", value_name = "S")]
    pub(crate) source: String,
    /// A once-only key: repeating the command with it changes nothing
    #[arg(long, value_name = "K")]
    pub(crate) key: Option<String>,
    /// The thing within the source, such as a message id
    #[arg(long = "ref", value_name = "R")]
    pub(crate) reference: Option<String>,
    /// In words
    #[arg(long, value_name = "TEXT")]
    pub(crate) description: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum CacheCommand {
    /// Count the entries in Redis by namespace; walks over all of them
    Stats,
    /// Invalidate everything, one namespace, or what matches a pattern
    #[command(after_help = "\
Examples:
  guildhall cache clear                       everything, at a cost that does not grow with it
  guildhall cache clear --namespace points    everything of one namespace, likewise
  guildhall cache clear --pattern 'user:42:*' frees what matches; walks over all entries")]
    Clear {
        /// Only the entries of this namespace
        #[arg(long, value_name = "NAME", conflicts_with = "pattern")]
        namespace: Option<String>,
        /// Only the entries whose keys match this glob pattern
        #[arg(long, value_name = "GLOB")]
        pattern: Option<String>,
    },
    /// Invalidate tags such as user:42, in every process
    Invalidate {
        /// The tags
        #[arg(required = true, value_name = "TAG")]
        tags: Vec<String>,
    },
    /// List the keys that match a glob pattern; walks over all entries
    Keys {
        /// Such as user:42:*
        #[arg(default_value = "*")]
        pattern: String,
        /// How many (1 to 10000)
        #[arg(long, default_value_t = 100, value_name = "N")]
        limit: u32,
    },
    /// Compare cached members and accounts with the database; exit code 1 when any is older
    Audit {
        /// How many members, those last active first (1 to 100000)
        #[arg(long, default_value_t = 1_000, value_name = "N")]
        sample: u32,
    },
}

#[derive(Subcommand)]
pub(crate) enum ConfigCommand {
    /// Show every effective setting and where it came from; secrets are masked
    Show,
    /// Print the reference of all settings as a Markdown table
    Reference,
}

#[derive(Args)]
#[command(after_help = "\
Each task awards points to a member of its own, each award with a once-only key. When an award was
acknowledged by the database, a line `key amount user` is appended to the file. Kill the program
at any moment; afterwards nothing acknowledged may be missing:

  guildhall load --acks acks.txt --seconds 60 & sleep 5; kill -9 $!
  guildhall load --check acks.txt && guildhall verify")]
pub(crate) struct LoadArgs {
    /// How many tasks write at once (1 to 1024)
    #[arg(long, default_value_t = 16, value_name = "N")]
    pub(crate) tasks: u32,
    /// How long (1 to 86400)
    #[arg(long, default_value_t = 10, value_name = "S")]
    pub(crate) seconds: u32,
    /// Append every acknowledged write to this file
    #[arg(long, value_name = "FILE", required_unless_present = "check")]
    pub(crate) acks: Option<PathBuf>,
    /// Write nothing; check that every write in this file is in the ledger
    #[arg(long, value_name = "FILE", conflicts_with = "acks")]
    pub(crate) check: Option<PathBuf>,
}
