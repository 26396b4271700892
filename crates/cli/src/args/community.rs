//! The commands of missions, achievements, badges, the story, the store, the outbox and warming.

use clap::{Args, Subcommand};

/// How a list is walked.
#[derive(Args)]
pub(crate) struct Paging {
    /// How many (1 to 200)
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) limit: u32,
    /// Go on after this cursor, which the previous page gave
    #[arg(long, value_name = "CURSOR")]
    pub(crate) after: Option<String>,
}

#[derive(Subcommand)]
pub(crate) enum MissionCommand {
    /// List missions, or how far one member is with each
    #[command(after_help = "\
Examples:
  guildhall mission list
  guildhall mission list --all --limit 100
  guildhall mission list --user @ada")]
    List {
        /// Show how far this member is with the missions that are switched on
        #[arg(long, value_name = "USER", conflicts_with_all = ["all", "after"])]
        user: Option<String>,
        /// Those that are switched off, too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Make progress with one objective of a mission; completing it pays its rewards, once
    #[command(after_help = "\
Examples:
  guildhall mission advance @ada dig_deep
  guildhall mission advance @ada dig_deep 3 --objective 1 --key dig-17

Repeating a command with the same --key gives the first result and no second progress.")]
    Advance {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
        /// The mission's slug
        mission: String,
        /// By how much, more than zero; where the greatest counts, how much it is
        #[arg(default_value = "1", allow_hyphen_values = true)]
        amount: String,
        /// Which objective, from 0
        #[arg(long, default_value_t = 0, value_name = "N")]
        objective: u16,
        /// A once-only key: repeating the command with it changes nothing
        #[arg(long, value_name = "K")]
        key: Option<String>,
    },
    /// Complete a mission for the current period, whether or not its objectives are met
    Complete {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
        /// The mission's slug
        mission: String,
        /// A once-only key: repeating the command with it changes nothing
        #[arg(long, value_name = "K")]
        key: Option<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum AchievementCommand {
    /// List achievements, or what one member has and what is left
    #[command(after_help = "\
Examples:
  guildhall achievement list --category quiz
  guildhall achievement list --user @ada")]
    List {
        /// Show what this member has, and how far the member is with the others
        #[arg(long, value_name = "USER", conflicts_with_all = ["all", "after", "category"])]
        user: Option<String>,
        /// Only those of this category
        #[arg(long, value_name = "SLUG")]
        category: Option<String>,
        /// Inactive ones, too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Give a member every achievement and badge whose rule the member fulfils by now
    Evaluate {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
    },
    /// Give a member an achievement, whatever its criteria say; it pays once
    Unlock {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
        /// The achievement's slug
        achievement: String,
        /// What for: lower-case letters, digits, _ . : and -
        #[arg(long, default_value = "manual", value_name = "S")]
        source: String,
    },
}

#[derive(Subcommand)]
pub(crate) enum BadgeCommand {
    /// List badges
    List {
        /// Inactive ones, too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Give a member a badge, once, and the VIP standing it brings
    #[command(after_help = "\
Examples:
  guildhall badge award @ada 3
  guildhall badge award @ada 'Early bird' --by @root --force")]
    Award {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
        /// The badge's id or name
        badge: String,
        /// Who gives it
        #[arg(long, value_name = "USER")]
        by: Option<String>,
        /// Also when the badge has a rule that the member does not fulfil
        #[arg(long)]
        force: bool,
    },
    /// Take a badge from a member, and the VIP standing it brought
    Revoke {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
        /// The badge's id or name
        badge: String,
        /// Who takes it
        #[arg(long, value_name = "USER")]
        by: Option<String>,
        /// In words
        #[arg(long, value_name = "TEXT")]
        reason: Option<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum NarrativeCommand {
    /// Look for faults of the story: fragments that nothing leads to, dead ends, circles, ways to
    /// nowhere; exit code 1 when there is any
    Check,
}

#[derive(Subcommand)]
pub(crate) enum StoreCommand {
    /// List what can be bought
    List {
        /// Only reward, avatar, xp_boost, name_color or custom
        #[arg(long, value_name = "KIND")]
        kind: Option<String>,
        /// What cannot be bought, too
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        paging: Paging,
    },
    /// Buy a thing for a member, who pays its price
    #[command(after_help = "\
Examples:
  guildhall store buy @ada 7 --key order-1204

Repeating a command with the same --key gives the first result and no second purchase.")]
    Buy {
        /// ID, PROVIDER:ID such as telegram:700000001, or @username
        user: String,
        /// The thing's id
        #[arg(allow_hyphen_values = true)]
        item: String,
        /// A once-only key: repeating the command with it changes nothing
        #[arg(long, value_name = "K")]
        key: Option<String>,
    },
}

#[derive(Subcommand)]
pub(crate) enum OutboxCommand {
    /// Show how many events wait to be handed out, and how long the oldest has
    Status,
}

#[derive(Args)]
#[command(after_help = "\
It fills a cache that others read: give --redis. Without it everything is read once into the memory
of this very process, which shows that it can be read and leaves nothing behind.

Examples:
  guildhall warm --redis redis://cache
  guildhall warm --only missions,story,achievements
  guildhall warm --members 20000 --concurrency 16")]
pub(crate) struct WarmArgs {
    /// Only these parts: levels, missions, story, lore, achievements, badges, store, lists, members
    #[arg(long, value_name = "PART", value_delimiter = ',')]
    pub(crate) only: Vec<String>,
    /// How many members, those last active first (0 to 100000)
    #[arg(long, default_value_t = 500, value_name = "N")]
    pub(crate) members: u32,
    /// How many entries of each catalogue (0 to 20000)
    #[arg(long, default_value_t = 2_000, value_name = "N")]
    pub(crate) entries: u32,
    /// How many reads at a time (1 to 256)
    #[arg(long, default_value_t = 8, value_name = "N")]
    pub(crate) concurrency: u32,
}
