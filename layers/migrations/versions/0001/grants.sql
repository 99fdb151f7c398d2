-- Rights on what is not a layer, and what row-level security needs to stay fast.

GRANT USAGE ON SCHEMA public, geo TO geo_service;

ALTER TABLE changes ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON changes FOR SELECT TO geo_service USING (
    CASE
        WHEN op = 'T' THEN (SELECT geo.scope()) IS NOT NULL
        ELSE starts_with(coalesce(area_now, ''), (SELECT geo.scope()))
            OR starts_with(coalesce(area_before, ''), (SELECT geo.scope()))
            OR (SELECT geo.scope()) IN (grid_now, grid_before)
    END
);
GRANT SELECT ON changes, changes_pruned TO geo_service;
GRANT SELECT, UPDATE ON accounts TO geo_service;
GRANT SELECT, INSERT, UPDATE, DELETE ON sessions TO geo_service;
GRANT SELECT ON tokens TO geo_service;
GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO geo_service;

-- Under row-level security PostgreSQL uses an index only for operators that it knows not to leak.
-- PostGIS does not mark its box operators so, though they compare boxes and raise nothing. Only a
-- superuser may say it; without, answers stay right and spatial queries scan ("db check" tells).
DO $$ BEGIN
    ALTER FUNCTION geometry_overlaps(geometry, geometry) LEAKPROOF;
    ALTER FUNCTION geometry_contains(geometry, geometry) LEAKPROOF;
    ALTER FUNCTION geometry_within(geometry, geometry) LEAKPROOF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE NOTICE 'spatial indexes are not used under row-level security: not a superuser';
END $$;
