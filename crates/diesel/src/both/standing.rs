//! What requirements look at in a member, compiled once per backend.

use std::collections::BTreeSet;

use crate::run::RunQueryDsl;
use diesel::prelude::*;
use guildhall_domain::{
    Access, BadgeId, Points, Requirement, Slug, Standing, Timestamp, UserId, unmet,
};
use guildhall_repository::StorageError;

use super::Conn;
use super::narrative::OF_FRAGMENT;
use crate::fault::Worked;
use crate::rows::{RequirementRow, UserRow, corrupt};
use crate::schema::{
    fragments, lore_pieces, point_accounts, requirements, user_achievements, user_badges,
    user_fragments, user_lore, user_missions, users,
};

/// One statement for the member and one for each kind of thing that is asked for.
pub(super) async fn standing_on(
    conn: &mut Conn,
    user: UserId,
    wanted: &[Requirement],
) -> Worked<Standing> {
    let member = users::table
        .inner_join(point_accounts::table)
        .filter(users::id.eq(user.0))
        .filter(users::deleted_at.is_null())
        .select((
            UserRow::as_select(),
            (point_accounts::balance, point_accounts::held, point_accounts::level),
        ));
    let member: Option<(UserRow, (i64, i64, i64))> = member.first(conn).await.optional()?;
    let (row, (balance, held, level)) =
        member.ok_or_else(|| StorageError::not_found("user", user))?;
    let member = row.into_user()?;
    let level = u32::try_from(level);
    let asked = Asked::of(wanted);
    Ok(Standing {
        user,
        is_admin: member.is_admin,
        vip: member.vip,
        balance: Points::from_minor(balance)?,
        held: Points::from_minor(held)?,
        level: level.map_err(|error| corrupt("account", user)(error.into()))?,
        lore: lore_on(conn, user, asked.lore).await?,
        missions: missions_on(conn, user, asked.missions).await?,
        fragments: fragments_on(conn, user, asked.fragments).await?,
        badges: badges_on(conn, user, asked.badges).await?,
        achievements: achievements_on(conn, user, asked.achievements).await?,
    })
}

/// Of which things the member's own are looked for.
#[derive(Default)]
struct Asked {
    lore: Vec<String>,
    missions: Vec<String>,
    fragments: Vec<String>,
    badges: Vec<i64>,
    achievements: Vec<String>,
}

impl Asked {
    fn of(wanted: &[Requirement]) -> Self {
        let mut asked = Self::default();
        for requirement in wanted {
            match requirement {
                Requirement::Lore(code) => asked.lore.push(code.to_string()),
                Requirement::Mission(id) => asked.missions.push(id.to_string()),
                Requirement::Fragment(id) => asked.fragments.push(id.to_string()),
                Requirement::Badge(id) => asked.badges.push(id.0),
                Requirement::Achievement(id) => asked.achievements.push(id.to_string()),
                Requirement::Role(_)
                | Requirement::Vip
                | Requirement::Points(_)
                | Requirement::Level(_) => {}
            }
        }
        asked
    }
}

fn slugs(found: Vec<String>) -> Worked<BTreeSet<Slug>> {
    found.into_iter().map(|slug| Ok(Slug::try_from(slug)?)).collect()
}

async fn lore_on(conn: &mut Conn, user: UserId, codes: Vec<String>) -> Worked<BTreeSet<Slug>> {
    if codes.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = user_lore::table
        .inner_join(lore_pieces::table)
        .filter(user_lore::user_id.eq(user.0))
        .filter(lore_pieces::code.eq_any(codes))
        .select(lore_pieces::code);
    slugs(found.load(conn).await?)
}

async fn missions_on(conn: &mut Conn, user: UserId, ids: Vec<String>) -> Worked<BTreeSet<Slug>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = user_missions::table
        .filter(user_missions::user_id.eq(user.0))
        .filter(user_missions::mission_id.eq_any(ids))
        .filter(user_missions::status.eq("completed"))
        .select(user_missions::mission_id)
        .distinct();
    slugs(found.load(conn).await?)
}

async fn fragments_on(conn: &mut Conn, user: UserId, ids: Vec<String>) -> Worked<BTreeSet<Slug>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = user_fragments::table
        .filter(user_fragments::user_id.eq(user.0))
        .filter(user_fragments::fragment_id.eq_any(ids))
        .filter(user_fragments::completed_at.is_not_null())
        .select(user_fragments::fragment_id);
    slugs(found.load(conn).await?)
}

async fn badges_on(conn: &mut Conn, user: UserId, ids: Vec<i64>) -> Worked<BTreeSet<BadgeId>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found: Vec<i64> = user_badges::table
        .filter(user_badges::user_id.eq(user.0))
        .filter(user_badges::badge_id.eq_any(ids))
        .select(user_badges::badge_id)
        .load(conn)
        .await?;
    Ok(found.into_iter().map(BadgeId).collect())
}

async fn achievements_on(
    conn: &mut Conn,
    user: UserId,
    ids: Vec<String>,
) -> Worked<BTreeSet<Slug>> {
    if ids.is_empty() {
        return Ok(BTreeSet::new());
    }
    let found = user_achievements::table
        .filter(user_achievements::user_id.eq(user.0))
        .filter(user_achievements::achievement_id.eq_any(ids))
        .select(user_achievements::achievement_id);
    slugs(found.load(conn).await?)
}

pub(super) async fn can_access_on(
    conn: &mut Conn,
    user: UserId,
    fragment: &str,
    now: Timestamp,
) -> Worked<Access> {
    let is_active = fragments::table.find(fragment).select(fragments::is_active);
    let is_active: Option<bool> = is_active.first(conn).await.optional()?;
    let wanted: Vec<RequirementRow> = requirements::table
        .filter(requirements::owner_kind.eq(OF_FRAGMENT))
        .filter(requirements::owner_id.eq(fragment))
        .order(requirements::idx)
        .select(RequirementRow::as_select())
        .load(conn)
        .await?;
    let wanted = wanted.into_iter().map(RequirementRow::into_requirement);
    let wanted = wanted.collect::<Result<Vec<_>, _>>();
    let wanted = wanted.map_err(|error| corrupt("fragment", fragment)(error.into()))?;
    let standing = standing_on(conn, user, &wanted).await?;
    if is_active != Some(true) {
        return Ok(Access { allowed: false, unmet: Vec::new() });
    }
    let unmet = unmet(&wanted, &standing, now);
    Ok(Access { allowed: unmet.is_empty(), unmet })
}
