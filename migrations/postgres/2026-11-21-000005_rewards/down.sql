DROP TABLE outbox;
DROP TABLE reward_log;
DROP FUNCTION reward_log_refuse();
DROP TABLE once_keys;
