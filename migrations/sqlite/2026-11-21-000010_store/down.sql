DROP TABLE user_items;
DROP TABLE store_items;
