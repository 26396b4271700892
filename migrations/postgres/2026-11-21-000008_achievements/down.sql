DROP TABLE badge_events;
DROP TABLE user_badges;
DROP TABLE vip_events;
DROP TABLE vip_grants;
DROP TABLE badges;
DROP TABLE user_achievements;
DROP TABLE achievement_criteria;
DROP TABLE achievements;
