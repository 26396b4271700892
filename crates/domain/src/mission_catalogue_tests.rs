use super::*;
use crate::amount::Amount;

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn mission(id: &str) -> NewMission {
    NewMission::new(slug(id), Title::parse("A mission").unwrap(), MissionCadence::OneTime)
}

fn created(new: NewMission) -> Result<Mission, Violation> {
    new.created(Timestamp::EPOCH)
}

fn needs(id: &str, others: &[&str]) -> Mission {
    let needed = |mission: NewMission, other: &&str| {
        mission.objective(Objective::once(ObjectiveKind::Mission, slug(other)))
    };
    created(others.iter().fold(mission(id), needed)).unwrap()
}

#[test]
fn a_mission_ends_after_it_starts() {
    let at = |micros| Timestamp::from_micros(micros).unwrap();
    let lasting = |start, end| {
        created(NewMission { starts_at: Some(at(start)), ends_at: Some(at(end)), ..mission("m") })
    };
    assert!(lasting(1, 2).is_ok());
    for (start, end) in [(1, 1), (2, 1)] {
        assert_eq!(lasting(start, end).unwrap_err().field, "ends_at");
    }
}

#[test]
fn only_what_can_be_repeated_cools_down() {
    for cadence in MissionCadence::ALL {
        let cooling = NewMission { cadence: *cadence, cooldown_s: 1, ..mission("m") };
        assert_eq!(created(cooling).is_ok(), *cadence == MissionCadence::Repeatable, "{cadence}");
    }
}

#[test]
fn targets_lists_and_self_reference_are_checked() {
    for (objective, field) in [
        (Objective::action(slug("message"), 0), "target"),
        (Objective::action(slug("message"), Objective::VALUE_MAX + 1), "target"),
        (Objective { target: 2, ..Objective::once(ObjectiveKind::Lore, slug("l")) }, "target"),
        (Objective::once(ObjectiveKind::Mission, slug("m")), "objectives"),
    ] {
        assert_eq!(created(mission("m").objective(objective)).unwrap_err().field, field);
    }
    let crowded = NewMission {
        objectives: vec![Objective::action(slug("message"), 1); Mission::OBJECTIVES_MAX + 1],
        ..mission("m")
    };
    assert_eq!(created(crowded).unwrap_err().field, "objectives");
    let rich = NewMission {
        rewards: vec![Reward::Points(Amount::whole(1).unwrap()); Mission::REWARDS_MAX + 1],
        ..mission("m")
    };
    assert_eq!(created(rich).unwrap_err().field, "rewards");
}

#[test]
fn circles_are_found_however_long() {
    let asked = |pairs: &[(&str, &str)]| -> Vec<(Slug, Slug)> {
        pairs.iter().map(|(a, b)| (slug(a), slug(b))).collect()
    };
    let diamond = asked(&[("b", "d"), ("c", "d"), ("d", "e")]);
    assert_eq!(needs("a", &["b", "c"]).check_cycles(&diamond), Ok(()));
    let back = asked(&[("b", "d"), ("c", "d"), ("d", "a")]);
    let refused = needs("a", &["b", "c"]).check_cycles(&back).unwrap_err();
    assert_eq!(refused.field, "objectives");
    // What the mission itself asked for before does not count any more.
    assert_eq!(needs("a", &["b"]).check_cycles(&asked(&[("a", "c"), ("c", "a")])), Ok(()));
    // A circle elsewhere is not of this mission's making, and ends.
    assert_eq!(needs("a", &["b"]).check_cycles(&asked(&[("b", "c"), ("c", "b")])), Ok(()));
}

#[test]
fn a_patch_changes_what_it_names() {
    let before = created(mission("m").objective(Objective::action(slug("message"), 3))).unwrap();
    assert!(MissionPatch::default().is_empty());
    let patch = MissionPatch {
        title: Some(Title::parse("Another").unwrap()),
        description: Patch::Set(Summary::parse("In words").unwrap()),
        ..MissionPatch::default()
    };
    let later = Timestamp::from_micros(5).unwrap();
    let after = patch.applied_to(before.clone(), later).unwrap();
    assert_eq!((after.version, after.updated_at, after.created_at), (2, later, Timestamp::EPOCH));
    assert_eq!((after.title.as_str(), &after.objectives), ("Another", &before.objectives));
    let wrong = MissionPatch { cooldown_s: Some(5), ..MissionPatch::default() };
    assert_eq!(wrong.applied_to(before, later).unwrap_err().field, "cooldown_s");
}

#[test]
fn the_places_that_count_an_action_are_found() {
    let both = created(
        mission("m")
            .objective(Objective::action(slug("message"), 3))
            .objective(Objective::action(slug("reaction"), 1))
            .objective(Objective::reaching(slug("message"), 9)),
    )
    .unwrap();
    let places: Vec<u16> =
        both.asking(ObjectiveKind::Action, &slug("message")).map(|(idx, _)| idx).collect();
    assert_eq!(places, [0, 2]);
    assert_eq!(both.asking(ObjectiveKind::Lore, &slug("message")).count(), 0);
}
