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

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    once_keys (idem_key) {
        idem_key -> Text,
        operation -> Text,
        user_id -> BigInt,
        request -> Text,
        result -> Nullable<JsonText>,
        created_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    reward_log (id) {
        id -> BigInt,
        user_id -> BigInt,
        kind -> Text,
        reward_key -> Nullable<Text>,
        amount -> Nullable<BigInt>,
        source -> Text,
        once_key -> Text,
        granted_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    outbox (id) {
        id -> BigInt,
        kind -> Text,
        user_id -> BigInt,
        payload -> JsonText,
        correlation_id -> Nullable<Text>,
        created_at -> UtcTime,
        published_at -> Nullable<UtcTime>,
        leased_until -> Nullable<UtcTime>,
        lease_token -> Nullable<BigInt>,
        attempts -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    user_preferences (user_id) {
        user_id -> BigInt,
        reading_level -> Text,
        theme -> Text,
        notify_email -> Bool,
        notify_sms -> Bool,
        offline_limit_mb -> BigInt,
        auto_download -> Bool,
        extra -> JsonText,
        updated_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_languages (user_id, language) {
        user_id -> BigInt,
        language -> Text,
        is_primary -> Bool,
        proficiency -> Nullable<Text>,
        created_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_accessibility (user_id) {
        user_id -> BigInt,
        font_size -> Integer,
        font_family -> Nullable<Text>,
        line_height -> Integer,
        high_contrast -> Bool,
        large_text -> Bool,
        screen_reader -> Bool,
        text_to_speech -> Bool,
        reduce_motion -> Bool,
        keyboard_navigation -> Bool,
        color_blind_mode -> Text,
        updated_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    interest_categories (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        description -> Nullable<Text>,
        icon_url -> Nullable<Text>,
        color -> Nullable<Text>,
        is_active -> Bool,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_interests (user_id, category_id) {
        user_id -> BigInt,
        category_id -> BigInt,
        level -> Integer,
        selected_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    onboarding (user_id) {
        user_id -> BigInt,
        language -> Bool,
        interests -> Bool,
        reading_level -> Bool,
        accessibility -> Bool,
        feature_tour -> Bool,
        celebration -> Bool,
        completed_at -> Nullable<UtcTime>,
        updated_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    store_items (id) {
        id -> BigInt,
        title -> Text,
        title_key -> Text,
        description -> Nullable<Text>,
        kind -> Text,
        cost -> BigInt,
        required_points -> BigInt,
        required_level -> BigInt,
        stock -> Nullable<BigInt>,
        image_url -> Nullable<Text>,
        effect -> Nullable<JsonText>,
        is_active -> Bool,
        created_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_items (user_id, item_id) {
        user_id -> BigInt,
        item_id -> BigInt,
        kind -> Text,
        acquired_at -> UtcTime,
        price_paid -> BigInt,
        equipped -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    missions (id) {
        id -> Text,
        title -> Text,
        description -> Nullable<Text>,
        search_key -> Text,
        category -> Text,
        cadence -> Text,
        cooldown_s -> BigInt,
        starts_at -> Nullable<UtcTime>,
        ends_at -> Nullable<UtcTime>,
        requires_action -> Bool,
        action_data -> Nullable<JsonText>,
        sort_order -> BigInt,
        is_active -> Bool,
        legacy_key -> Nullable<Text>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    mission_objectives (mission_id, idx) {
        mission_id -> Text,
        idx -> BigInt,
        kind -> Text,
        key -> Text,
        target -> BigInt,
        mode -> Text,
        description -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    mission_rewards (mission_id, idx) {
        mission_id -> Text,
        idx -> BigInt,
        kind -> Text,
        key -> Nullable<Text>,
        amount -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_missions (user_id, mission_id, period) {
        user_id -> BigInt,
        mission_id -> Text,
        period -> Text,
        nth -> Nullable<BigInt>,
        status -> Text,
        started_at -> UtcTime,
        completed_at -> Nullable<UtcTime>,
        rewarded_entry_id -> Nullable<BigInt>,
        paid_elsewhere -> Bool,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_objective_progress (user_id, mission_id, period, idx) {
        user_id -> BigInt,
        mission_id -> Text,
        period -> Text,
        idx -> BigInt,
        value -> BigInt,
        updated_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    fragments (id) {
        id -> Text,
        title -> Text,
        content -> Text,
        search_key -> Text,
        kind -> Text,
        character -> Nullable<Text>,
        chapter_level -> BigInt,
        auto_next_id -> Nullable<Text>,
        is_milestone -> Bool,
        is_start -> Bool,
        is_active -> Bool,
        legacy_key -> Nullable<Text>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    fragment_choices (id) {
        id -> BigInt,
        fragment_id -> Text,
        idx -> BigInt,
        text -> Text,
        destination_id -> Text,
        cost_points -> BigInt,
        reward_points -> BigInt,
        karma_delta -> BigInt,
        is_active -> Bool,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    requirements (owner_kind, owner_id, idx) {
        owner_kind -> Text,
        owner_id -> Text,
        idx -> BigInt,
        kind -> Text,
        key -> Nullable<Text>,
        amount -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    fragment_effects (fragment_id, idx) {
        fragment_id -> Text,
        idx -> BigInt,
        trigger -> Text,
        kind -> Text,
        key -> Nullable<Text>,
        amount -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_narrative (user_id) {
        user_id -> BigInt,
        current_fragment_id -> Nullable<Text>,
        karma -> BigInt,
        started_at -> UtcTime,
        last_activity_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_fragments (user_id, fragment_id) {
        user_id -> BigInt,
        fragment_id -> Text,
        first_visited_at -> UtcTime,
        last_visited_at -> UtcTime,
        visits -> BigInt,
        completed_at -> Nullable<UtcTime>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_decisions (id) {
        id -> BigInt,
        user_id -> BigInt,
        fragment_id -> Text,
        choice_id -> BigInt,
        made_at -> UtcTime,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    lore_pieces (id) {
        id -> BigInt,
        code -> Text,
        title -> Text,
        description -> Nullable<Text>,
        content_type -> Text,
        content -> Text,
        category -> Nullable<Text>,
        is_main_story -> Bool,
        is_active -> Bool,
        legacy_key -> Nullable<Text>,
        created_at -> UtcTime,
        updated_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    user_lore (user_id, lore_id) {
        user_id -> BigInt,
        lore_id -> BigInt,
        unlocked_at -> UtcTime,
        source -> Text,
        context -> Nullable<JsonText>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    hint_combinations (code) {
        code -> Text,
        pieces_key -> Text,
        reward_lore_id -> BigInt,
        legacy_key -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    hint_combination_pieces (code, lore_id) {
        code -> Text,
        lore_id -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    achievements (id) {
        id -> Text,
        title -> Text,
        description -> Nullable<Text>,
        category -> Text,
        tier -> Text,
        icon_url -> Nullable<Text>,
        reward_text -> Nullable<Text>,
        reward_points -> BigInt,
        hidden -> Bool,
        sort_order -> Integer,
        is_active -> Bool,
        legacy_key -> Nullable<Text>,
        created_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;

    achievement_criteria (achievement_id, idx) {
        achievement_id -> Text,
        idx -> Integer,
        metric -> Text,
        comparison -> Text,
        threshold -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::{JsonText, UtcTime};

    user_achievements (user_id, achievement_id) {
        user_id -> BigInt,
        achievement_id -> Text,
        unlocked_at -> UtcTime,
        source -> Text,
        points_awarded -> BigInt,
        context -> Nullable<JsonText>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    badges (id) {
        id -> BigInt,
        name -> Text,
        name_key -> Text,
        description -> Nullable<Text>,
        icon -> Nullable<Text>,
        emoji -> Nullable<Text>,
        tier -> Text,
        metric -> Nullable<Text>,
        threshold -> Nullable<BigInt>,
        grants_vip -> Bool,
        vip_duration_days -> Nullable<Integer>,
        auto_permissions -> Bool,
        revocable -> Bool,
        is_active -> Bool,
        created_at -> UtcTime,
        version -> BigInt,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    vip_grants (id) {
        id -> BigInt,
        user_id -> BigInt,
        source -> Text,
        source_ref -> Nullable<Text>,
        granted_at -> UtcTime,
        expires_at -> Nullable<UtcTime>,
        revoked_at -> Nullable<UtcTime>,
        revoked_reason -> Nullable<Text>,
        notes -> Nullable<Text>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    vip_events (id) {
        id -> BigInt,
        user_id -> BigInt,
        kind -> Text,
        grant_id -> BigInt,
        at -> UtcTime,
        actor -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    user_badges (id) {
        id -> BigInt,
        user_id -> BigInt,
        badge_id -> BigInt,
        awarded_at -> UtcTime,
        awarded_by -> Nullable<BigInt>,
        source -> Text,
        vip_grant_id -> Nullable<BigInt>,
    }
}

diesel::table! {
    use diesel::sql_types::*;
    use crate::types::UtcTime;

    badge_events (id) {
        id -> BigInt,
        user_id -> BigInt,
        badge_id -> BigInt,
        kind -> Text,
        actor -> Nullable<BigInt>,
        reason -> Nullable<Text>,
        at -> UtcTime,
    }
}

diesel::joinable!(achievement_criteria -> achievements (achievement_id));
diesel::joinable!(external_accounts -> users (user_id));
diesel::joinable!(fragment_choices -> fragments (fragment_id));
diesel::joinable!(onboarding -> users (user_id));
diesel::joinable!(point_accounts -> users (user_id));
diesel::joinable!(user_accessibility -> users (user_id));
diesel::joinable!(user_achievements -> achievements (achievement_id));
diesel::joinable!(user_achievements -> users (user_id));
diesel::joinable!(user_badges -> badges (badge_id));
diesel::joinable!(user_badges -> users (user_id));
diesel::joinable!(user_fragments -> fragments (fragment_id));
diesel::joinable!(user_interests -> interest_categories (category_id));
diesel::joinable!(user_items -> store_items (item_id));
diesel::joinable!(user_lore -> lore_pieces (lore_id));
diesel::joinable!(user_preferences -> users (user_id));
diesel::joinable!(user_stats -> users (user_id));
diesel::joinable!(vip_grants -> users (user_id));
diesel::allow_tables_to_appear_in_same_query!(
    achievement_criteria,
    achievements,
    badge_events,
    badges,
    external_accounts,
    fragment_choices,
    fragment_effects,
    fragments,
    hint_combination_pieces,
    hint_combinations,
    imported_members,
    interest_categories,
    ledger_purges,
    levels,
    lore_pieces,
    mission_objectives,
    mission_rewards,
    missions,
    onboarding,
    point_accounts,
    point_entries,
    point_holds,
    requirements,
    store_items,
    user_accessibility,
    user_achievements,
    user_activity_days,
    user_badges,
    user_counters,
    user_decisions,
    user_fragments,
    user_interests,
    user_items,
    user_lore,
    user_missions,
    user_narrative,
    user_objective_progress,
    user_preferences,
    user_stats,
    users,
    vip_grants,
);
