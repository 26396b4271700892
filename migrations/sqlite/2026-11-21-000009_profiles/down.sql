DROP TABLE onboarding;
DROP TABLE user_interests;
DROP TABLE interest_categories;
DROP TABLE user_accessibility;
DROP TABLE user_languages;
DROP TABLE user_preferences;
