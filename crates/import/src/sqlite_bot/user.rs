//! Members: `users` and `user_stats`.

use diesel::QueryableByName;
use diesel::sql_types::{Nullable, Text};
use guildhall_domain::{
    ImportedEntry, ImportedMember, NewExternal, NewUser, Points, UserId, UserStats, Xp,
};

use super::ledger::{self, LedgerRow};
use super::schema::Schema;
use super::side::SideRow;
use super::vip::{self, AccessRow, SubscriptionRow, VipTransactionRow, side_row};
use crate::facts::Fact;
use crate::fields::Fields;
use crate::findings::Findings;
use crate::record::{ReadOptions, Record};
use crate::value::Value;

macro_rules! user_row {
    ($($column:ident),+ $(,)?) => {
        #[derive(QueryableByName)]
        pub(super) struct UserRow {
            $(#[diesel(sql_type = Nullable<Text>)] pub(super) $column: Value,)+
        }

        impl UserRow {
            pub(super) const COLUMNS: &'static [&'static str] = &[$(stringify!($column)),+];
        }
    };
}

user_row! {
    id, username, first_name, last_name, points, created_at, role, vip_expires_at, vip_until,
    last_reminder_sent_at, menu_state, is_admin, achievements, missions_completed,
}

side_row! {
    StatsRow("user_stats", "user_id", user_id) {
        user_id, last_activity_at, last_checkin_at, last_daily_gift_at, messages_sent,
        checkin_streak, days_active, last_reaction_at,
    }
}

/// Everything in other tables that belongs to a member.
pub(super) struct Belongings {
    pub(super) stats: Vec<StatsRow>,
    pub(super) ledger: Vec<LedgerRow>,
    pub(super) subscriptions: Vec<SubscriptionRow>,
    pub(super) transactions: Vec<VipTransactionRow>,
    pub(super) access: Vec<AccessRow>,
}

pub(super) fn query(schema: &Schema, after: Option<i64>) -> String {
    format!(
        "SELECT {} FROM users {} ORDER BY id",
        schema.select_list("users", UserRow::COLUMNS),
        after.map_or_else(String::new, |id| format!("WHERE id > {id}")),
    )
}

/// The member's id there, which is the Telegram id; without one the row is skipped.
pub(super) fn identify(
    row: &UserRow,
    index: usize,
    previous: Option<i64>,
    findings: &mut Findings,
) -> Option<i64> {
    let key = row.id.key().unwrap_or_else(|| format!("#{}", index + 1));
    let reason = match row.id {
        Value::Int(id) if Some(id) == previous => "its id appears twice; the first is kept",
        Value::Int(id) if id > 0 => return Some(id),
        _ => "its id is not a positive whole number",
    };
    findings.skip("users", &key, reason);
    None
}

pub(super) fn member(
    id: i64,
    row: &UserRow,
    belongings: Belongings,
    facts: Vec<Fact>,
    options: &ReadOptions,
    findings: &mut Findings,
) -> Record {
    let key = id.to_string();
    let mut fields = Fields { table: "users", key: &key, zone: &options.zone, findings };
    let created_at = fields.time("created_at", &row.created_at).unwrap_or_else(|| {
        fields.warn("created_at", "is missing; taken as now");
        options.now
    });
    let role = role(&mut fields, &row.role);
    let user = NewUser {
        username: fields.text("username", &row.username),
        first_name: fields.text("first_name", &row.first_name),
        last_name: fields.text("last_name", &row.last_name),
        is_admin: fields.flag("is_admin", &row.is_admin, false) || role == "admin",
        externals: vec![NewExternal::telegram(id.unsigned_abs())],
        ..NewUser::default()
    };
    let ui_state = fields.text("menu_state", &row.menu_state);
    let last_reminder_sent_at = fields.time("last_reminder_sent_at", &row.last_reminder_sent_at);
    let entries = ledger::entries(&belongings.ledger, created_at, options, fields.findings);
    let balance = balance(&mut fields, &row.points, &entries);
    let vip = vip::standing(row, role, &belongings, &key, options, findings);
    let stats = belongings.stats.first().map(|row| stats(row, &key, options, findings));
    let last_active_at = belongings.stats.first().and_then(|row| {
        let table = StatsRow::TABLE;
        let mut fields = Fields { table, key: &key, zone: &options.zone, findings };
        fields.time("last_activity_at", &row.last_activity_at)
    });
    let rows = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
    let side_rows = [
        rows(belongings.stats.len()),
        rows(belongings.subscriptions.len()),
        rows(belongings.transactions.len()),
        rows(belongings.access.len()),
    ];
    let member = ImportedMember {
        source_key: key,
        user,
        vip,
        ui_state,
        notifications_enabled: true,
        last_checked_match_id: None,
        total_requests: 0,
        last_active_at,
        last_reminder_sent_at,
        created_at,
        stats,
        xp_at_least: experience(&entries, balance),
        entries,
        balance,
    };
    Record { member, position: id, side_rows, facts }
}

fn role(fields: &mut Fields<'_>, value: &Value) -> &'static str {
    let role = value.key().unwrap_or_default();
    match role.trim().to_lowercase().as_str() {
        "admin" => "admin",
        "vip" => "vip",
        "free" | "" => "free",
        _ => {
            fields.warn("role", "is unknown; taken as free");
            "free"
        }
    }
}

/// What the member owns. Without a usable number the ledger decides; less than nothing is nothing.
fn balance(fields: &mut Fields<'_>, value: &Value, entries: &[ImportedEntry]) -> Points {
    let sum: i128 = entries.iter().map(|entry| i128::from(entry.amount.minor())).sum();
    let balance = fields.points("points", value).unwrap_or_else(|| {
        if !entries.is_empty() {
            fields.warn("points", "is missing; taken from the ledger");
        }
        i64::try_from(sum).ok().and_then(|sum| Points::from_minor(sum).ok()).unwrap_or_default()
    });
    if balance < Points::ZERO {
        fields.warn("points", "is negative; taken as 0.00");
        return Points::ZERO;
    }
    balance
}

/// Everything ever earned, and at least the balance.
fn experience(entries: &[ImportedEntry], balance: Points) -> Xp {
    let earned = entries.iter().map(|entry| i128::from(entry.amount.minor().max(0))).sum::<i128>();
    let earned = earned.max(i128::from(balance.minor()));
    i64::try_from(earned).ok().and_then(|earned| Xp::from_minor(earned).ok()).unwrap_or(Xp::MAX)
}

fn stats(row: &StatsRow, key: &str, options: &ReadOptions, findings: &mut Findings) -> UserStats {
    let mut fields = Fields { table: StatsRow::TABLE, key, zone: &options.zone, findings };
    let streak = fields.count("checkin_streak", &row.checkin_streak);
    let streak = u32::try_from(streak.min(i32::MAX.unsigned_abs().into())).unwrap_or_default();
    let last_checkin = fields.time("last_checkin_at", &row.last_checkin_at);
    UserStats {
        messages_sent: fields.count("messages_sent", &row.messages_sent),
        last_reaction_award_at: fields.time("last_reaction_at", &row.last_reaction_at),
        checkin_streak: streak,
        longest_streak: streak,
        // The day on the bot's own calendar, which is that of its naive times.
        last_checkin_day: last_checkin.map(|at| options.zone.day_of(at)),
        last_gift_at: fields.time("last_daily_gift_at", &row.last_daily_gift_at),
        days_active: fields.count("days_active", &row.days_active),
        ..UserStats::at_zero(UserId(0)) // The storage draws the id.
    }
}
