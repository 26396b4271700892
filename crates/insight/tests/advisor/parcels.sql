CREATE TABLE depots (id int PRIMARY KEY, town text NOT NULL, opened date NOT NULL);
INSERT INTO depots SELECT g, 'town ' || g % 40, date '2020-01-01' + g FROM generate_series(1, 120) g;
CREATE TABLE parcels (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    depot int NOT NULL REFERENCES depots,
    state text NOT NULL,
    tracking uuid NOT NULL,
    receiver text NOT NULL,
    weight double precision,
    due timestamptz NOT NULL,
    note text
);
INSERT INTO parcels (depot, state, tracking, receiver, weight, due, note)
SELECT 1 + g * 7 % 120, (ARRAY['done','done','done','done','moving','lost'])[1 + g % 6],
       md5(g::text)::uuid, 'Receiver ' || g % 30000, g % 90, timestamptz '2025-01-01' + g * interval '1 minute',
       repeat(md5(g::text), 3)
FROM generate_series(1, 60000) g;
CREATE TABLE scans (
    parcel_id bigint NOT NULL REFERENCES parcels,
    at timestamptz NOT NULL,
    place point
);
INSERT INTO scans SELECT 1 + g * 13 % 60000, timestamptz '2025-01-01' + g * interval '20 seconds', point(g % 180, g % 90)
FROM generate_series(1, 150000) g;
VACUUM ANALYZE
