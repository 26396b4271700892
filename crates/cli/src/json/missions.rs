//! Missions, and what an act sets off.

use guildhall_adapter::domain::{
    DomainEvent, MemberMission, Mission, Objective, ObjectiveProgress, Outcome, Reward,
};
use guildhall_adapter::service::{self, Done, MissionAdvance};
use serde::Serialize;

use super::{levels_reached, text};

/// `mission list`.
#[derive(Serialize)]
pub(crate) struct Missions {
    pub(crate) items: Vec<MissionItem>,
    pub(crate) next_cursor: Option<String>,
}

#[derive(Serialize)]
pub(crate) struct MissionItem {
    id: String,
    title: String,
    description: Option<String>,
    category: &'static str,
    cadence: &'static str,
    cooldown_s: u32,
    is_active: bool,
    starts_at: Option<String>,
    ends_at: Option<String>,
    objectives: Vec<Asked>,
    rewards: Vec<Paid>,
    standing: Option<Standing>,
}

#[derive(Serialize)]
struct Asked {
    kind: &'static str,
    key: String,
    target: u64,
    mode: &'static str,
    description: Option<String>,
}

/// `amount` is decimal text of points and experience, `key` names everything else.
#[derive(Serialize)]
struct Paid {
    kind: &'static str,
    key: Option<String>,
    amount: Option<String>,
}

#[derive(Serialize)]
struct Standing {
    period: String,
    availability: &'static str,
    next_at: Option<String>,
    status: Option<&'static str>,
    progress_bp: i32,
    objectives: Vec<Counted>,
}

#[derive(Serialize)]
struct Counted {
    idx: u16,
    value: u64,
    target: u64,
}

impl From<&Objective> for Asked {
    fn from(objective: &Objective) -> Self {
        Self {
            kind: objective.kind.as_str(),
            key: objective.key.to_string(),
            target: objective.target,
            mode: objective.mode.as_str(),
            description: text(objective.description.as_ref()),
        }
    }
}

impl From<&Reward> for Paid {
    fn from(reward: &Reward) -> Self {
        let amount = match reward {
            Reward::Points(amount) => Some(amount.to_string()),
            Reward::Xp(xp) => Some(xp.to_string()),
            Reward::Lore(_) | Reward::Badge(_) | Reward::Achievement(_) => None,
        };
        Self { kind: reward.kind(), key: reward.key(), amount }
    }
}

impl From<&Mission> for MissionItem {
    fn from(mission: &Mission) -> Self {
        Self {
            id: mission.id.to_string(),
            title: mission.title.to_string(),
            description: text(mission.description.as_ref()),
            category: mission.category.as_str(),
            cadence: mission.cadence.as_str(),
            cooldown_s: mission.cooldown_s,
            is_active: mission.is_active,
            starts_at: text(mission.starts_at),
            ends_at: text(mission.ends_at),
            objectives: mission.objectives.iter().map(Asked::from).collect(),
            rewards: mission.rewards.iter().map(Paid::from).collect(),
            standing: None,
        }
    }
}

impl From<&MemberMission> for MissionItem {
    fn from(found: &MemberMission) -> Self {
        let standing = &found.standing;
        let current = standing.current.as_ref();
        let standing = Standing {
            period: standing.period.to_string(),
            availability: standing.availability.as_str(),
            next_at: text(standing.next_at),
            status: current.map(|row| row.status.as_str()),
            progress_bp: found.progress().get(),
            objectives: current.map_or_else(Vec::new, |row| counted(&row.objectives)),
        };
        Self { standing: Some(standing), ..Self::from(&found.mission) }
    }
}

fn counted(objectives: &[ObjectiveProgress]) -> Vec<Counted> {
    let counted =
        |it: &ObjectiveProgress| Counted { idx: it.idx, value: it.value, target: it.target };
    objectives.iter().map(counted).collect()
}

/// `mission advance`, `mission complete`.
#[derive(Serialize)]
pub(crate) struct Advanced {
    replayed: bool,
    #[serde(flatten)]
    advance: Advance,
    effects: Effects,
}

/// How far a mission came.
#[derive(Serialize)]
struct Advance {
    mission: String,
    period: String,
    progress_bp: i32,
    completed: bool,
    objectives: Vec<Counted>,
}

impl From<&MissionAdvance> for Advance {
    fn from(advance: &MissionAdvance) -> Self {
        Self {
            mission: advance.mission.to_string(),
            period: advance.period.to_string(),
            progress_bp: advance.progress.get(),
            completed: advance.completed,
            objectives: counted(&advance.objectives),
        }
    }
}

impl From<&Outcome<Done<MissionAdvance>>> for Advanced {
    fn from(outcome: &Outcome<Done<MissionAdvance>>) -> Self {
        Self {
            replayed: outcome.replayed,
            advance: (&outcome.value.value).into(),
            effects: Effects::new(&outcome.value.effects, &outcome.events),
        }
    }
}

/// What an act set off. `levels_reached` is empty for a replay, as no level is reached again.
#[derive(Serialize)]
pub(crate) struct Effects {
    missions: Vec<Advance>,
    achievements: Vec<String>,
    badges: Vec<i64>,
    lore: Vec<String>,
    points: String,
    levels_reached: Vec<u32>,
}

impl Effects {
    pub(crate) fn new(effects: &service::Effects, events: &[DomainEvent]) -> Self {
        Self {
            missions: effects.missions.iter().map(Advance::from).collect(),
            achievements: effects.achievements.iter().map(ToString::to_string).collect(),
            badges: effects.badges.iter().map(|badge| badge.0).collect(),
            lore: effects.lore.iter().map(ToString::to_string).collect(),
            points: effects.points.to_string(),
            levels_reached: levels_reached(events),
        }
    }
}
