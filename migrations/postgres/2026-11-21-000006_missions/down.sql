DROP INDEX point_entries_mission;
DROP TABLE user_objective_progress;
DROP TABLE user_missions;
DROP TABLE mission_rewards;
DROP TABLE mission_objectives;
DROP TABLE missions;
