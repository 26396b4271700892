//! One member of a JSON store.

use std::collections::HashSet;
use std::fmt;
use std::hash::{BuildHasher, BuildHasherDefault, DefaultHasher};

use guildhall_domain::{
    ExternalId, ImportedMember, ImportedVip, LanguageTag, NewExternal, NewUser, Nickname, Points,
    Provider, UiState, Xp,
};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};

use crate::fields::Fields;
use crate::findings::Findings;
use crate::record::ReadOptions;
use crate::value::Value;

/// The language of members of whom none is known, as the bot has it.
const LANGUAGE: &str = "ru";

const KNOWN: [&str; 13] = [
    "user_id",
    "telegram_id",
    "username",
    "faceit_player_id",
    "faceit_nickname",
    "last_checked_match_id",
    "waiting_for_nickname",
    "language",
    "notifications_enabled",
    "created_at",
    "last_active_at",
    "total_requests",
    "subscription",
];

/// The fields of a record, in the order of the file. Of a name that appears twice the last counts.
pub(super) struct Fieldset(Vec<(String, Value)>);

impl Fieldset {
    /// More fields than this are no member's; the rest is not kept.
    const FIELDS_MAX: usize = 200;

    pub(super) fn collect<'de, A: MapAccess<'de>>(mut map: A) -> Result<Self, A::Error> {
        let mut fields = Vec::with_capacity(KNOWN.len());
        while let Some(name) = map.next_key::<String>()? {
            let value = map.next_value()?;
            if fields.len() < Self::FIELDS_MAX || KNOWN.contains(&name.as_str()) {
                fields.push((name, value));
            }
        }
        Ok(Self(fields))
    }

    fn get(&self, name: &str) -> &Value {
        let found = self.0.iter().rev().find(|(other, _)| other == name);
        found.map_or(&Value::Null, |(_, value)| value)
    }

    pub(super) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(super) fn looks_like_member(&self) -> bool {
        self.0.iter().any(|(name, _)| name == "user_id" || name == "telegram_id")
    }

    /// The Telegram id: `user_id`, else `telegram_id`, else the key it stands under.
    pub(super) fn id(&self, name: Option<&str>) -> Option<u64> {
        let fields = [self.get("user_id"), self.get("telegram_id")];
        let id = match fields.into_iter().find(|value| !value.is_blank()) {
            Some(value) => value.whole(),
            None => name.and_then(|name| name.trim().parse().ok()),
        };
        id.and_then(|id| u64::try_from(id).ok()).filter(|id| *id > 0)
    }
}

impl<'de> Deserialize<'de> for Fieldset {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Self, D::Error> {
        struct Object;
        impl<'de> Visitor<'de> for Object {
            type Value = Fieldset;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a member's object")
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Fieldset, A::Error> {
                Fieldset::collect(map)
            }
        }
        json.deserialize_map(Object)
    }
}

pub(super) fn member(
    id: u64,
    record: &Fieldset,
    options: &ReadOptions,
    findings: &mut Findings,
) -> ImportedMember {
    let key = id.to_string();
    note_unread(record, &key, findings);
    let mut fields = Fields { table: "users", key: &key, zone: &options.zone, findings };
    let created_at = fields.time("created_at", record.get("created_at")).unwrap_or_else(|| {
        fields.warn("created_at", "is missing; taken as now");
        options.now
    });
    let language = match record.get("language") {
        absent if absent.is_blank() => LanguageTag::parse(LANGUAGE).ok(),
        language => fields.text("language", language).or_else(|| LanguageTag::parse(LANGUAGE).ok()),
    };
    let mut externals = vec![NewExternal::telegram(id)];
    externals.extend(player(&mut fields, record));
    let username = fields.text("username", record.get("username"));
    let waiting = fields.flag("waiting_for_nickname", record.get("waiting_for_nickname"), false);
    let waiting = if waiting { UiState::parse("waiting_for_nickname").ok() } else { None };
    let notifications = record.get("notifications_enabled");
    ImportedMember {
        user: NewUser { username, language, externals, ..NewUser::default() },
        vip: ImportedVip::default(),
        ui_state: waiting.or_else(|| Some(UiState::root())),
        notifications_enabled: fields.flag("notifications_enabled", notifications, true),
        last_checked_match_id: fields
            .text("last_checked_match_id", record.get("last_checked_match_id")),
        total_requests: fields.count("total_requests", record.get("total_requests")),
        last_active_at: fields.time("last_active_at", record.get("last_active_at")),
        last_reminder_sent_at: None,
        created_at,
        stats: None,
        entries: Vec::new(),
        balance: Points::ZERO,
        xp_at_least: Xp::ZERO,
        source_key: key,
    }
}

/// The FACEIT account.
fn player(fields: &mut Fields<'_>, record: &Fieldset) -> Option<NewExternal> {
    let id: Option<ExternalId> = fields.text("faceit_player_id", record.get("faceit_player_id"));
    let nickname: Option<Nickname> = fields.text("faceit_nickname", record.get("faceit_nickname"));
    let Some(id) = id else {
        if nickname.is_some() {
            fields.warn("faceit_nickname", "has no faceit_player_id; left out");
        }
        return None;
    };
    let account = NewExternal::new(Provider::Faceit, id);
    Some(match nickname {
        Some(nickname) => account.nickname(nickname),
        None => account,
    })
}

/// An account belongs to one member: the first keeps it.
pub(super) fn unlink_known_player(
    member: &mut ImportedMember,
    known: &mut HashSet<u128>,
    findings: &mut Findings,
) {
    let externals = &mut member.user.externals;
    let Some(at) = externals.iter().position(|external| external.provider == Provider::Faceit)
    else {
        return;
    };
    if !known.insert(fingerprint(externals[at].external_id.as_str())) {
        externals.remove(at);
        let message = "belongs to an earlier member; left out";
        findings.warn("users", &member.source_key, Some("faceit_player_id"), message);
    }
}

/// 128 bits of an id, to hold millions of them in little memory. A UUID is its own.
fn fingerprint(id: &str) -> u128 {
    let hex: String = id.chars().filter(|c| *c != '-').collect();
    if let (32, 36, Ok(bits)) = (hex.len(), id.len(), u128::from_str_radix(&hex, 16)) {
        return bits;
    }
    let hash =
        |salt: u8| u128::from(BuildHasherDefault::<DefaultHasher>::default().hash_one((salt, id)));
    hash(0) << 64 | hash(1)
}

/// The subscription, whose tables come later, and fields that nobody knows.
fn note_unread(record: &Fieldset, key: &str, findings: &mut Findings) {
    match record.get("subscription") {
        Value::Null => {}
        Value::Object(names) => {
            findings.not_read("users.subscription", 1);
            for name in names {
                findings.column_not_read("users.subscription", name, 1);
            }
        }
        _ => findings.warn("users", key, Some("subscription"), "is not an object; left out"),
    }
    for (name, value) in &record.0 {
        if !KNOWN.contains(&name.as_str()) && !value.is_blank() {
            findings.column_not_read("users", name, 1);
        }
    }
}
