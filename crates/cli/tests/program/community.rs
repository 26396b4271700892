//! A small community to play with: two members, missions, achievements, badges, a story, a store.

use guildhall_adapter::domain::{NewAchievement, NewBadge, NewFragment, NewMission, Reward};
use guildhall_adapter::{Config, Guildhall};
use guildhall_testkit::builder::{
    achievement, amount, award, badge, decision, fragment, lore, mission, offer, points, user,
};

use crate::Home;

/// Where the commands of a test run: a folder, and the options that name the database.
pub(crate) struct Place {
    pub(crate) home: Home,
    options: String,
}

impl Place {
    /// On a SQLite file of its own.
    pub(crate) fn sqlite() -> Self {
        let home = Home::new();
        let url = format!("sqlite://{}", home.path().join("guildhall.db").display());
        fill(&url);
        Self { home, options: String::new() }
    }

    /// On this database.
    pub(crate) fn at(url: &str) -> Self {
        fill(url);
        Self { home: Home::new(), options: format!(" --database {url}") }
    }

    pub(crate) fn json(&self, args: &str) -> serde_json::Value {
        self.home.json(&format!("{args}{}", self.options))
    }

    pub(crate) fn refused(&self, args: &str) -> (i32, serde_json::Value) {
        self.home.refused(&format!("{args}{}", self.options))
    }

    /// That a command ends with an exit code and an error of this kind.
    pub(crate) fn fails(&self, args: &str, code: i32, kind: &str) {
        let (ended, error) = self.refused(args);
        assert_eq!((ended, error["kind"].as_str()), (code, Some(kind)), "{args}: {error}");
    }

    /// That a command is bad input, and names what is wrong with which argument.
    pub(crate) fn is_bad_input(&self, args: &[&str], field: &str, rule: &str) {
        let options: Vec<&str> = self.options.split_whitespace().collect();
        let (code, error) = self.home.refused_with(&[args, &options].concat());
        let told = (code, error["field"].as_str(), error["rule"].as_str());
        assert_eq!(told, (2, Some(field), Some(rule)), "{args:?}: {error}");
    }

    /// What people are shown.
    pub(crate) fn shown(&self, args: &str) -> String {
        let output = self.home.run(&format!("{args}{}", self.options));
        assert!(output.status.success(), "{args}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    }
}

fn fill(url: &str) {
    let config = Config::builder().database(url).build().unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    runtime.block_on(async {
        let guildhall = Guildhall::connect(config).await.unwrap();
        define(&guildhall).await;
    });
}

async fn define(guildhall: &Guildhall) {
    let (on, now) = (guildhall.storage(), guildhall.clock().now());
    for name in ["ada", "bob"] {
        guildhall.registration().register(&user(name)).await.unwrap();
    }
    let ada = on.users().by_username(&"ada".parse().unwrap()).await.unwrap().unwrap().id;
    on.points().award(&award(ada, 100), now).await.unwrap();
    let hello = mission("hello", 3).reward(Reward::Points(amount(12)));
    let off = NewMission { is_active: false, sort_order: 2, ..mission("off", 1) };
    for new in [hello, NewMission { sort_order: 1, ..mission("later", 9) }, off] {
        on.missions().create(&new, now).await.unwrap();
    }
    let first = achievement("first_mission", &[("missions", 1)]);
    let first = NewAchievement { reward_points: points(10), ..first };
    on.achievements().create(&first, now).await.unwrap();
    on.achievements().create(&achievement("by_hand", &[]), now).await.unwrap();
    let rule =
        guildhall_adapter::domain::BadgeRule { metric: "level".parse().unwrap(), threshold: 9 };
    on.badges().create(&badge("Founder"), now).await.unwrap();
    on.badges().create(&NewBadge { rule: Some(rule), ..badge("Master") }, now).await.unwrap();
    on.lore().create_piece(&lore("map"), now).await.unwrap();
    let field = NewFragment { is_milestone: true, ..fragment("field") };
    let gate = NewFragment { is_start: true, ..decision("gate", &["field"]) };
    on.narrative().create_fragment(&field, now).await.unwrap();
    on.narrative().create_fragment(&gate, now).await.unwrap();
    on.store().create(&offer("Lamp", 15), now).await.unwrap();
    on.store().create(&offer("Ring", 5_000), now).await.unwrap();
}
