//! The tables, one definition for both databases.
#![expect(missing_docs, reason = "`migrations/` says what each column is for")]

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    users (id) {
        id -> BigInt,
        username -> Nullable<Text>,
        username_key -> Nullable<Text>,
        first_name -> Nullable<Text>,
        last_name -> Nullable<Text>,
        display_name -> Nullable<Text>,
        name_key -> Text,
        bio -> Nullable<Text>,
        avatar_url -> Nullable<Text>,
        email -> Nullable<Text>,
        email_key -> Nullable<Text>,
        email_verified -> Bool,
        phone -> Nullable<Text>,
        phone_verified -> Bool,
        language -> Text,
        is_admin -> Bool,
        is_active -> Bool,
        notifications_enabled -> Bool,
        vip_kind -> Text,
        vip_expires_at -> Nullable<UtcTime>,
        ui_state -> Text,
        last_checked_match_id -> Nullable<Text>,
        total_requests -> BigInt,
        last_active_at -> Nullable<UtcTime>,
        last_login_at -> Nullable<UtcTime>,
        last_reminder_sent_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        deleted_at -> Nullable<UtcTime>,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    external_accounts (user_id, provider) {
        user_id -> BigInt,
        provider -> Text,
        external_id -> Text,
        nickname -> Nullable<Text>,
        nickname_key -> Nullable<Text>,
        email -> Nullable<Text>,
        linked_at -> UtcTime,
        data -> Nullable<JsonText>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{CalendarDay, UtcTime};

    user_stats (user_id) {
        user_id -> BigInt,
        messages_sent -> BigInt,
        last_message_award_at -> Nullable<UtcTime>,
        last_reaction_award_at -> Nullable<UtcTime>,
        checkin_streak -> BigInt,
        longest_streak -> BigInt,
        last_checkin_day -> Nullable<CalendarDay>,
        last_gift_at -> Nullable<UtcTime>,
        days_active -> BigInt,
        content_read -> BigInt,
        reading_minutes -> BigInt,
        reading_streak -> BigInt,
        last_read_day -> Nullable<CalendarDay>,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_counters (user_id, counter) {
        user_id -> BigInt,
        counter -> Text,
        value -> BigInt,
        fold -> Text,
        updated_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::CalendarDay;

    user_activity_days (user_id, day) {
        user_id -> BigInt,
        day -> CalendarDay,
        actions -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    health_probe (id) {
        id -> BigInt,
        probed_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    levels (level) {
        level -> BigInt,
        name -> Text,
        min_xp -> BigInt,
        reward_text -> Nullable<Text>,
        unlocks_lore_code -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    point_accounts (user_id) {
        user_id -> BigInt,
        balance -> BigInt,
        held -> BigInt,
        lifetime_earned -> BigInt,
        lifetime_spent -> BigInt,
        xp -> BigInt,
        level -> BigInt,
        xp_boost_bp -> Integer,
        next_seq -> BigInt,
        is_listed -> Bool,
        is_closed -> Bool,
        updated_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    point_entries (id) {
        id -> BigInt,
        user_id -> BigInt,
        seq -> BigInt,
        amount -> BigInt,
        balance_after -> BigInt,
        kind -> Text,
        source -> Text,
        source_ref -> Nullable<Text>,
        description -> Nullable<Text>,
        base_amount -> Nullable<BigInt>,
        multiplier_bp -> Nullable<Integer>,
        counterpart_user_id -> Nullable<BigInt>,
        transfer_id -> Nullable<Text>,
        idem_key -> Nullable<Text>,
        created_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    point_holds (id) {
        id -> BigInt,
        user_id -> BigInt,
        amount -> BigInt,
        reason -> Text,
        #[sql_name = "ref"]
        reference -> Text,
        status -> Text,
        expires_at -> Nullable<UtcTime>,
        created_at -> UtcTime,
        settled_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    ledger_purges (user_id) {
        user_id -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    imports (id) {
        id -> BigInt,
        source -> Text,
        phase -> Text,
        checkpoint -> Nullable<Text>,
        started_at -> UtcTime,
        finished_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    import_lock (id) {
        id -> BigInt,
        owner -> Nullable<Text>,
        leased_until -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    imported_members (import_id, source_key) {
        import_id -> BigInt,
        source_key -> Text,
        user_id -> BigInt,
        merged -> Bool,
        balance -> BigInt,
        entries -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    cache_invalidations (id) {
        id -> BigInt,
        targets -> Text,
        noted_at -> UtcTime,
    }
}

diesel::joinable!(external_accounts -> users (user_id));
diesel::joinable!(point_accounts -> users (user_id));
diesel::joinable!(user_stats -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    external_accounts,
    imported_members,
    ledger_purges,
    levels,
    point_accounts,
    point_entries,
    point_holds,
    user_activity_days,
    user_counters,
    user_stats,
    users,
);
