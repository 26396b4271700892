use guildhall_domain::{
    Amount, Effect, EffectAction, EffectTrigger, FragmentKind, Requirement, Reward, Role, Slug,
};

use super::*;

fn slug(text: &str) -> Slug {
    Slug::parse(text).unwrap()
}

fn amount(whole: i64) -> Amount {
    Amount::whole(whole).unwrap()
}

const FULL: &str = r#"{
    "fragment_id": "La Puerta 🚪", "content": " افتح الباب ", "character": "Diana", "level": 3,
    "required_besitos": 12.5, "required_role": "VIP", "reward_besitos": 5,
    "unlocks_achievement_id": "primer_paso", "auto_next_fragment_key": "El Patio",
    "decisions": [
        {"text": "Entrar", "next_fragment": "patio"},
        {"text": "Salir", "destination_key": "calle", "required_besitos": 3, "required_role": "free"}
    ]
}"#;

#[test]
fn every_field_finds_its_place() {
    let file = parse_narrative(FULL).unwrap();
    assert_eq!((file.skipped_total, file.warnings_total), (0, 0), "{file:?}");
    let [gate] = &file.fragments[..] else { panic!("{file:?}") };
    assert_eq!((gate.id.as_str(), gate.title.as_str()), ("la_puerta__", "La Puerta 🚪"));
    assert_eq!(gate.legacy_key.as_ref().map(|key| key.as_str()), Some("La Puerta 🚪"));
    assert_eq!(gate.content.as_str(), "افتح الباب");
    assert_eq!(gate.character.as_ref().map(|name| name.as_str()), Some("Diana"));
    assert_eq!((gate.kind, gate.chapter_level), (FragmentKind::Decision, 3));
    assert_eq!(gate.auto_next, Some(slug("el_patio")));
    assert!(gate.is_active && !gate.is_start && !gate.is_milestone);
    let points = Requirement::Points(Amount::from_minor(1_250).unwrap());
    assert_eq!(gate.requirements, [points, Requirement::Role(Role::Vip)]);
    let on_visit =
        |reward| Effect { trigger: EffectTrigger::Visit, action: EffectAction::Reward(reward) };
    let rewards = [Reward::Points(amount(5)), Reward::Achievement(slug("primer_paso"))];
    assert_eq!(gate.effects, rewards.map(on_visit));
    let choices: Vec<_> =
        gate.choices.iter().map(|it| (it.text.as_str(), it.destination.as_str())).collect();
    assert_eq!(choices, [("Entrar", "patio"), ("Salir", "calle")]);
    assert_eq!(gate.choices[0].requirements, []);
    assert_eq!(gate.choices[1].requirements, [Requirement::Points(amount(3))]);
    assert!(gate.choices.iter().all(|choice| choice.cost.is_none() && choice.id.is_none()));
}

#[test]
fn what_is_missing_has_its_default() {
    let file = parse_narrative(r#"[{"key": "start", "text": "Hola", "decisions": null}]"#).unwrap();
    let start = &file.fragments[0];
    assert_eq!(start.character.as_ref().map(|name| name.as_str()), Some("Lucien"));
    assert_eq!((start.kind, start.chapter_level, start.is_start), (FragmentKind::Story, 1, true));
    assert_eq!((start.title.as_str(), &start.legacy_key), ("start", &None));
    assert!(start.requirements.is_empty() && start.effects.is_empty() && start.choices.is_empty());
}

#[test]
fn all_three_forms_are_read() {
    let one = r#"{"key": "a", "text": "x"}"#;
    for text in [
        one.to_owned(),
        format!("\u{feff} [{one}]"),
        format!(r#"{{"version": 1, "fragments": [{one}]}}"#),
    ] {
        assert_eq!(parse_narrative(&text).unwrap().fragments.len(), 1, "{text}");
    }
    assert!(parse_narrative("[]").unwrap().fragments.is_empty());
    for text in ["{}", "7", "null", r#"{"fragments": {}}"#, r#"{"users": []}"#] {
        assert_eq!(parse_narrative(text).unwrap_err(), NarrativeJsonError::Foreign, "{text}");
    }
    for text in ["", "[{\"key\": \"a\"", "{'key': 1}"] {
        let error = parse_narrative(text).unwrap_err();
        assert!(matches!(error, NarrativeJsonError::Invalid { .. }), "{text}");
    }
    let deep = "[".repeat(100_000);
    assert!(parse_narrative(&deep).is_err());
    let long = " ".repeat(NARRATIVE_BYTES_MAX + 1);
    let bytes_max = NARRATIVE_BYTES_MAX;
    assert_eq!(parse_narrative(&long).unwrap_err(), NarrativeJsonError::TooLong { bytes_max });
}

#[test]
fn one_bad_fragment_does_not_stop_the_others() {
    let many = (0..21).map(|_| r#"{"text": "x", "next_fragment": "a"}"#).collect::<Vec<_>>();
    let text = format!(
        r#"[7, {{"text": "no key"}}, {{"key": "empty", "content": " "}}, {{"key": "a", "text": "x"}},
            {{"key": "long", "content": "{}"}}, {{"key": "many", "text": "x", "decisions": [{}]}}]"#,
        "x".repeat(20_001),
        many.join(", "),
    );
    let file = parse_narrative(&text).unwrap();
    assert_eq!(file.fragments.len(), 1);
    let skipped: Vec<_> = file.skipped.iter().map(|skipped| skipped.key.as_str()).collect();
    assert_eq!(skipped, ["#1", "#2", "empty", "long", "many"]);
    assert_eq!(file.skipped_total, 5);
    assert!(file.skipped[4].reason.starts_with("choices"), "{:?}", file.skipped[4]);
}

#[test]
fn what_does_not_fit_is_told() {
    let text = r#"{"fragments": [{
        "key": "a", "text": "x", "level": 0, "required_role": "king", "required_besitos": -1,
        "reward_besitos": "much", "mood": "dark", "character": 7,
        "decisions": ["up", {"text": "Down"}, {"text": "Left", "next_fragment": "l", "required_role": 3}]
    }, {"key": "A", "text": "y", "decisions": "none"}]}"#;
    let file = parse_narrative(text).unwrap();
    let warned: Vec<_> =
        file.warnings.iter().map(|warning| warning.field.as_deref().unwrap_or("-")).collect();
    let expected = [
        "decisions[0]",
        "decisions[1]",
        "decisions[2].required_role",
        "character",
        "level",
        "required_besitos",
        "required_role",
        "reward_besitos",
        "decisions",
        "-",
    ];
    assert_eq!(warned, expected);
    assert_eq!(file.warnings_total, 10);
    assert_eq!(file.fields_not_read[0].column, "mood");
    let [last] = &file.fragments[..] else { panic!("{file:?}") };
    assert_eq!(last.content.as_str(), "y", "the last of a key counts");
}

#[test]
fn a_role_that_nobody_knows_closes_the_door() {
    let text = r#"{"key": "a", "text": "x", "required_role": "king"}"#;
    let file = parse_narrative(text).unwrap();
    assert_eq!(file.fragments[0].requirements, [Requirement::Role(Role::Admin)]);
}
