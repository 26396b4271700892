use std::time::Duration;

use super::*;
use crate::mission_catalogue::NewMission;
use crate::text::{Slug, Title};
use crate::user::UserId;

fn time(text: &str) -> Timestamp {
    text.parse().unwrap()
}

fn mission(cadence: MissionCadence) -> Mission {
    let new = NewMission::new(Slug::parse("m").unwrap(), Title::parse("M").unwrap(), cadence);
    new.created(Timestamp::EPOCH).unwrap()
}

fn row(
    period: &str,
    status: MissionStatus,
    completed_at: Option<Timestamp>,
) -> Option<UserMission> {
    Some(UserMission {
        user: UserId(1),
        mission: Slug::parse("m").unwrap(),
        period: period.parse().unwrap(),
        status,
        started_at: Timestamp::EPOCH,
        completed_at,
        rewarded_entry: None,
        paid_elsewhere: false,
        objectives: Vec::new(),
        version: 1,
    })
}

const NOON: &str = "2025-08-24T12:00:00Z";

fn stands(
    mission: &Mission,
    latest: Option<UserMission>,
) -> (String, &'static str, Option<String>) {
    let standing = mission.standing(latest, &CommunityZone::utc(), time(NOON));
    let next = standing.next_at.map(|at| at.to_string());
    (standing.period.to_string(), standing.availability.as_str(), next)
}

fn says(
    period: &str,
    availability: &'static str,
    next: Option<&str>,
) -> (String, &'static str, Option<String>) {
    (period.to_owned(), availability, next.map(str::to_owned))
}

#[test]
fn the_calendar_says_when_a_done_mission_comes_again() {
    let done = |period| row(period, MissionStatus::Completed, Some(time(NOON)));
    for (cadence, period, next) in [
        (MissionCadence::OneTime, "once", None),
        (MissionCadence::Daily, "2025-08-24", Some("2025-08-25T00:00:00Z")),
        (MissionCadence::Weekly, "2025-W34", Some("2025-08-25T00:00:00Z")),
    ] {
        let mission = mission(cadence);
        assert_eq!(stands(&mission, None), says(period, "open", None));
        assert_eq!(stands(&mission, done(period)), says(period, "done", next));
        let abandoned = row(period, MissionStatus::Abandoned, None);
        assert_eq!(stands(&mission, abandoned), says(period, "abandoned", None));
    }
}

#[test]
fn a_repeatable_mission_opens_its_next_time_after_the_cooldown() {
    let mut mission = mission(MissionCadence::Repeatable);
    let done = |ago| {
        let at = time(NOON).minus(Duration::from_secs(ago));
        row("n4", MissionStatus::Completed, Some(at))
    };
    assert_eq!(stands(&mission, None), says("n1", "open", None));
    assert_eq!(stands(&mission, row("n4", MissionStatus::Active, None)), says("n4", "open", None));
    assert_eq!(stands(&mission, done(0)), says("n5", "open", None));
    mission.cooldown_s = 60;
    assert_eq!(stands(&mission, done(59)), says("n4", "cooldown", Some("2025-08-24T12:00:01Z")));
    assert_eq!(stands(&mission, done(60)), says("n5", "open", None));
    let standing = mission.standing(done(60), &CommunityZone::utc(), time(NOON));
    assert!(standing.current.is_none() && !standing.is_done());
}

#[test]
fn nothing_counts_outside_of_the_mission_s_own_time() {
    let mut mission = mission(MissionCadence::Daily);
    let later = "2025-08-24T12:00:01Z";
    mission.starts_at = Some(time(later));
    assert_eq!(stands(&mission, None), says("2025-08-24", "not_started", Some(later)));
    mission.starts_at = Some(time(NOON));
    assert_eq!(stands(&mission, None), says("2025-08-24", "open", None));
    mission.ends_at = Some(time(later));
    let done = row("2025-08-24", MissionStatus::Completed, Some(time(NOON)));
    assert_eq!(stands(&mission, done), says("2025-08-24", "done", None));
    mission.ends_at = Some(time(NOON));
    assert_eq!(stands(&mission, None), says("2025-08-24", "ended", None));
    mission.is_active = false;
    assert_eq!(stands(&mission, None), says("2025-08-24", "inactive", None));
}

#[test]
fn time_passes_also_where_nothing_is_written() {
    let zone = CommunityZone::utc();
    let mut mission = mission(MissionCadence::Repeatable);
    mission.cooldown_s = 60;
    mission.starts_at = Some(time(NOON));
    let done = row("n4", MissionStatus::Completed, Some(time(NOON)));
    let at = |seconds| time(NOON).plus(Duration::from_secs(seconds));
    let cooling = mission.standing(done, &zone, at(1));
    let open = mission.standing_later(cooling.clone(), &zone, at(60));
    assert_eq!(
        (open.period.to_string().as_str(), open.availability),
        ("n5", MissionAvailability::Open)
    );
    assert_eq!(mission.standing_later(cooling.clone(), &zone, at(2)), cooling);
    // What was dropped is not needed again.
    assert_eq!(mission.standing_later(open.clone(), &zone, at(61)), open);
    mission.ends_at = Some(at(99));
    let over = mission.standing_later(open, &zone, at(99));
    assert_eq!(
        (over.period.to_string().as_str(), over.availability),
        ("n5", MissionAvailability::Ended)
    );

    let mut daily = self::mission(MissionCadence::Daily);
    daily.starts_at = Some(at(5));
    let before = daily.standing(None, &zone, at(4));
    assert_eq!(before.availability, MissionAvailability::NotStarted);
    assert_eq!(daily.standing_later(before, &zone, at(5)).availability, MissionAvailability::Open);
    let done =
        daily.standing(row("2025-08-24", MissionStatus::Completed, Some(at(5))), &zone, at(6));
    let tomorrow = daily.standing_later(done, &zone, at(24 * 3600));
    assert_eq!((tomorrow.period.to_string().as_str(), tomorrow.current), ("2025-08-25", None));
}

#[test]
fn weeks_end_on_monday_in_the_zone_also_over_the_turn_of_the_year() {
    let madrid = CommunityZone::parse("Europe/Madrid").unwrap();
    for (week, end) in [
        ("2025-W01", "2025-01-05T23:00:00Z"),
        ("2025-W34", "2025-08-24T22:00:00Z"),
        ("2026-W53", "2027-01-03T23:00:00Z"),
        ("2024-W52", "2024-12-29T23:00:00Z"),
    ] {
        let period: MissionPeriod = week.parse().unwrap();
        assert_eq!(period.ends_at(&madrid), Some(time(end)), "{week}");
    }
    assert_eq!(MissionPeriod::Once.ends_at(&madrid), None);
}
