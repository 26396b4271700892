DROP TABLE outbox;
DROP TABLE reward_log;
DROP TABLE once_keys;
