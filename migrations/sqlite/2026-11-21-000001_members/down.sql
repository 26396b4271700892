DROP TABLE health_probe;
DROP TABLE user_activity_days;
DROP TABLE user_counters;
DROP TABLE user_stats;
DROP TABLE external_accounts;
DROP TABLE users;
