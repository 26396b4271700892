//! The one list of repositories, and what follows from it.

/// Implements [`Repositories`](crate::Repositories) for types one field of which implements every
/// repository by itself:
///
/// ```ignore
/// guildhall_repository::lend!(lease of DieselStorage, DieselUnit);
/// ```
///
/// A repository is listed here and nowhere else. The trait `Repositories`, every implementation of
/// it by this macro, and the mocks follow. An implementation that lacks the new repository does not
/// compile: its field "does not implement" the new trait.
#[macro_export]
macro_rules! lend {
    // The list: what it is for, the accessor, the trait, its mock.
    (@each $to:ident $args:tt) => {
        $crate::lend! { @$to $args
            /// Members and their accounts elsewhere.
            users: UserRepository, MockUserRepository;
            /// What members do.
            activity: ActivityRepository, MockActivityRepository;
            /// Accounts, movements, holds and earning rules.
            points: PointRepository, MockPointRepository;
            /// Reading and auditing the ledger.
            ledger: LedgerRepository, MockLedgerRepository;
            /// Leaderboards, ranks and totals.
            rankings: RankingRepository, MockRankingRepository;
            /// The level table.
            levels: LevelRepository, MockLevelRepository;
            /// The catalogue of missions.
            missions: MissionRepository, MockMissionRepository;
            /// How far members are with missions.
            mission_progress: MissionProgressRepository, MockMissionProgressRepository;
            /// Figures about missions.
            mission_reports: MissionReportRepository, MockMissionReportRepository;
            /// The fragments of the story.
            narrative: NarrativeRepository, MockNarrativeRepository;
            /// Members' ways through the story.
            story: StoryRepository, MockStoryRepository;
            /// Lore, and who has found it.
            lore: LoreRepository, MockLoreRepository;
            /// The catalogue of achievements.
            achievements: AchievementRepository, MockAchievementRepository;
            /// Who has which achievements.
            user_achievements: UserAchievementRepository, MockUserAchievementRepository;
            /// Leaderboards and totals of achievements.
            achievement_reports: AchievementReportRepository, MockAchievementReportRepository;
            /// Badges, and who has them.
            badges: BadgeRepository, MockBadgeRepository;
            /// Keys of requests that take effect once.
            once: OnceRepository, MockOnceRepository;
            /// The log of rewards.
            rewards: RewardRepository, MockRewardRepository;
            /// Events on their way to the application.
            outbox: OutboxRepository, MockOutboxRepository;
            /// The store, and what members bought there.
            store: StoreRepository, MockStoreRepository;
            /// What members prefer, and their first steps.
            preferences: PreferenceRepository, MockPreferenceRepository;
            /// The languages members speak.
            languages: LanguageRepository, MockLanguageRepository;
            /// What members are interested in.
            interests: InterestRepository, MockInterestRepository;
            /// Members in full, and counts of them.
            profiles: ProfileRepository, MockProfileRepository;
            /// Bringing members from other systems.
            imports: ImportRepository, MockImportRepository;
            /// What writes make wrong in caches.
            invalidations: InvalidationRepository, MockInvalidationRepository;
        }
    };

    (@declare () $($(#[$doc:meta])* $field:ident: $repository:ident, $mock:ident;)*) => {
        /// Every repository. What lends them decides how their calls run: each on its own, or all
        /// in one transaction.
        pub trait Repositories: Send + Sync {
            $($(#[$doc])* fn $field(&self) -> &dyn $crate::$repository;)*
        }
    };

    (@implement ($lent:ident $storage:ident)
     $($(#[$doc:meta])* $field:ident: $repository:ident, $mock:ident;)*) => {
        impl $crate::Repositories for $storage {
            $(fn $field(&self) -> &dyn $crate::$repository {
                &self.$lent
            })*
        }
    };

    (@mock () $($(#[$doc:meta])* $field:ident: $repository:ident, $mock:ident;)*) => {
        /// One mock a repository. Set the expectations, then hand over a [`MockStorage`].
        #[derive(Default)]
        pub struct MockUnitOfWork {
            $($(#[$doc])* pub $field: $crate::$mock,)*
            /// What `commit` answers; success when `None`.
            pub commit_error: Option<$crate::StorageError>,
        }

        impl $crate::Repositories for MockStorage {
            $(fn $field(&self) -> &dyn $crate::$repository {
                &self.0.$field
            })*
        }
    };

    ($lent:ident of $($storage:ident),+) => {
        $($crate::lend! { @each implement ($lent $storage) })+
    };
}
