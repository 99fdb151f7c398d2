-- How many points of a layer lie in each cell of a pyramid, by area, grid and two coded columns. A tile
-- of a low zoom is a sum of some hundreds of these rows, where it was a scan of every point.
--
-- Writers only append to cell_deltas, so they never wait for one another. geo.fold_cells takes deltas
-- into cells; at every moment the truth is the sum of both, and one statement reads both.

-- The index of the cell of level 16 that holds a coordinate of EPSG:3857, from its western edge; of
-- a negated northing, from the northern one. A coarser cell's index is this one shifted right.
-- Not STRICT, nor is the next: PostgreSQL would not inline them, and calling took longer than counting.
CREATE FUNCTION geo.cell(metres double precision) RETURNS integer
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN greatest(0, least(65535, floor(
    (metres + 20037508.342789244::float8) * (65536 / 40075016.685578488::float8)
)::integer));

-- Centimetres, so that sums are whole numbers: exact in whatever order they are made.
CREATE FUNCTION geo.centimetres(metres double precision) RETURNS bigint
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN round(metres * 100)::bigint;

CREATE TABLE cells (
    layer text NOT NULL,
    level smallint NOT NULL,
    whole boolean NOT NULL,
    x integer NOT NULL,
    y integer NOT NULL,
    area_now text NOT NULL,
    grid_now text NOT NULL,
    kind_1 text NOT NULL,
    kind_2 text NOT NULL,
    n bigint NOT NULL,
    sum_x bigint NOT NULL,
    sum_y bigint NOT NULL,
    CONSTRAINT pk_cells PRIMARY KEY (layer, level, whole, x, y, area_now, grid_now, kind_1, kind_2)
) WITH (fillfactor = 80);

CREATE TABLE cell_deltas (
    id bigint GENERATED ALWAYS AS IDENTITY,
    layer text NOT NULL,
    x integer NOT NULL,
    y integer NOT NULL,
    area_now text NOT NULL,
    grid_now text NOT NULL,
    kind_1 text NOT NULL,
    kind_2 text NOT NULL,
    n bigint NOT NULL,
    sum_x bigint NOT NULL,
    sum_y bigint NOT NULL,
    CONSTRAINT pk_cell_deltas PRIMARY KEY (id)
);
CREATE INDEX ix_cell_deltas_layer_x_y ON cell_deltas (layer, x, y);

-- Who may see a feature may see it counted. Rows for the whole of a cell are for those who see all.
ALTER TABLE cells ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON cells FOR SELECT TO geo_service USING (
    CASE
        WHEN whole THEN (SELECT geo.scope()) = ''
        ELSE starts_with(area_now, (SELECT geo.scope())) OR grid_now = (SELECT geo.scope())
    END
);
ALTER TABLE cell_deltas ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON cell_deltas FOR SELECT TO geo_service USING (
    starts_with(area_now, (SELECT geo.scope())) OR grid_now = (SELECT geo.scope())
);
GRANT SELECT ON cells, cell_deltas TO geo_service;

-- Spreads counts of level 16 over the levels of the pyramid. The finest has no rows for the whole: a
-- grid has many such cells, so they would be as many as those by grid.
CREATE FUNCTION geo.levels() RETURNS TABLE (level smallint, whole boolean)
LANGUAGE sql IMMUTABLE PARALLEL SAFE
BEGIN ATOMIC
    VALUES
        (16::smallint, false), (13, false), (10, false), (7, false), (4, false),
        (13, true), (10, true), (7, true), (4, true);
END;

-- Takes up to "most" deltas into the cells; returns how many cells changed. One at a time: whoever comes
-- while another is at it has nothing to do.
CREATE FUNCTION geo.fold_cells(most integer) RETURNS integer
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    folded integer;
BEGIN
    IF NOT EXISTS (SELECT FROM cell_deltas) OR NOT pg_try_advisory_xact_lock(7103311) THEN
        RETURN 0;
    END IF;
    -- One statement: a reader sees a delta either here or there.
    WITH taken AS (
        DELETE FROM cell_deltas
        WHERE id IN (SELECT d.id FROM cell_deltas AS d ORDER BY d.id LIMIT most)
        RETURNING *
    )
    MERGE INTO cells AS c
    USING (
        SELECT
            t.layer, l.level, l.whole,
            t.x >> (16 - l.level) AS x, t.y >> (16 - l.level) AS y,
            CASE WHEN l.whole THEN '' ELSE t.area_now END AS area_now,
            CASE WHEN l.whole THEN '' ELSE t.grid_now END AS grid_now,
            t.kind_1, t.kind_2,
            sum(t.n)::bigint AS n, sum(t.sum_x)::bigint AS sum_x, sum(t.sum_y)::bigint AS sum_y
        FROM taken AS t
        CROSS JOIN geo.levels() AS l
        GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9
    ) AS f
    ON (c.layer, c.level, c.whole, c.x, c.y, c.area_now, c.grid_now, c.kind_1, c.kind_2)
        = (f.layer, f.level, f.whole, f.x, f.y, f.area_now, f.grid_now, f.kind_1, f.kind_2)
    -- Deltas of a cell may come in several parts: a count of none with a sum left is not over yet.
    WHEN MATCHED AND c.n + f.n = 0 AND c.sum_x + f.sum_x = 0 AND c.sum_y + f.sum_y = 0 THEN DELETE
    WHEN MATCHED THEN
        UPDATE SET n = c.n + f.n, sum_x = c.sum_x + f.sum_x, sum_y = c.sum_y + f.sum_y
    WHEN NOT MATCHED AND (f.n <> 0 OR f.sum_x <> 0 OR f.sum_y <> 0) THEN
        INSERT VALUES (
            f.layer, f.level, f.whole, f.x, f.y, f.area_now, f.grid_now, f.kind_1, f.kind_2,
            f.n, f.sum_x, f.sum_y
        );
    GET DIAGNOSTICS folded = ROW_COUNT;
    RETURN folded;
END $$;

-- Counts a layer anew from its features, as they are; writers of the layer wait for it.
CREATE FUNCTION geo.recount_cells(layer_name text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
BEGIN
    EXECUTE format('LOCK TABLE %I IN SHARE MODE', layer_name);
    PERFORM pg_advisory_xact_lock(7103311);
    DELETE FROM cells WHERE layer = layer_name;
    DELETE FROM cell_deltas WHERE layer = layer_name;
    EXECUTE format(
        'INSERT INTO cells
         SELECT
             t.layer, l.level, l.whole, t.x >> (16 - l.level), t.y >> (16 - l.level),
             CASE WHEN l.whole THEN '''' ELSE t.area_now END,
             CASE WHEN l.whole THEN '''' ELSE t.grid_now END,
             t.kind_1, t.kind_2, sum(t.n), sum(t.sum_x), sum(t.sum_y)
         FROM (SELECT * FROM geo.%I OFFSET 0) AS t
         CROSS JOIN geo.levels() AS l
         GROUP BY 1, 2, 3, 4, 5, 6, 7, 8, 9',
        'tally_of_' || layer_name
    );
END $$;

-- Has a layer of points counted by cell. kinds: up to two coded columns to count by. A migration that
-- adds such a layer calls it after geo.adopt.
CREATE FUNCTION geo.tally(layer regclass, kinds text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    name text := (SELECT relname FROM pg_class WHERE oid = layer);
    key text := format(
        'geo.cell(st_x(geom_3857)) AS x, geo.cell(-st_y(geom_3857)) AS y,
         coalesce(area_now, '''') AS area_now, coalesce(grid_now, '''') AS grid_now,
         %s AS kind_1, %s AS kind_2',
        coalesce(format('coalesce(%I::text, '''')', kinds[1]), ''''''),
        coalesce(format('coalesce(%I::text, '''')', kinds[2]), '''''')
    );
BEGIN
    -- What the counts must be: geo.recount_cells and the tests read it.
    EXECUTE format(
        'CREATE VIEW geo.%I AS
         SELECT
             %L::text AS layer, %s, count(*) AS n,
             sum(geo.centimetres(st_x(geom_3857)))::bigint AS sum_x,
             sum(geo.centimetres(st_y(geom_3857)))::bigint AS sum_y
         FROM %s
         GROUP BY 1, 2, 3, 4, 5, 6, 7',
        'tally_of_' || name, name, key, layer
    );
    EXECUTE format(
        'CREATE FUNCTION geo.%1$I() RETURNS trigger
         LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $body$
         BEGIN
             IF TG_OP = ''INSERT'' THEN
                 INSERT INTO cell_deltas (
                     layer, x, y, area_now, grid_now, kind_1, kind_2, n, sum_x, sum_y
                 )
                 SELECT
                     %2$L, %3$s, count(*),
                     sum(geo.centimetres(st_x(geom_3857))), sum(geo.centimetres(st_y(geom_3857)))
                 FROM new_rows
                 GROUP BY 2, 3, 4, 5, 6, 7;
             ELSIF TG_OP = ''DELETE'' THEN
                 INSERT INTO cell_deltas (
                     layer, x, y, area_now, grid_now, kind_1, kind_2, n, sum_x, sum_y
                 )
                 SELECT
                     %2$L, %3$s, -count(*),
                     -sum(geo.centimetres(st_x(geom_3857))), -sum(geo.centimetres(st_y(geom_3857)))
                 FROM old_rows
                 GROUP BY 2, 3, 4, 5, 6, 7;
             ELSIF TG_OP = ''UPDATE'' THEN
                 -- What stayed where and as it was cancels out.
                 INSERT INTO cell_deltas (
                     layer, x, y, area_now, grid_now, kind_1, kind_2, n, sum_x, sum_y
                 )
                 SELECT * FROM (
                     SELECT
                         %2$L, %3$s, sum(d) AS n,
                         sum(d * geo.centimetres(st_x(geom_3857))) AS sum_x,
                         sum(d * geo.centimetres(st_y(geom_3857))) AS sum_y
                     FROM (
                         SELECT 1 AS d, geom_3857, area_now, grid_now %4$s FROM new_rows
                         UNION ALL
                         SELECT -1, geom_3857, area_now, grid_now %4$s FROM old_rows
                     ) AS r
                     GROUP BY 2, 3, 4, 5, 6, 7
                 ) AS moved
                 WHERE n <> 0 OR sum_x <> 0 OR sum_y <> 0;
             ELSE
                 PERFORM pg_advisory_xact_lock(7103311);
                 DELETE FROM cells WHERE layer = %2$L;
                 DELETE FROM cell_deltas WHERE layer = %2$L;
             END IF;
             RETURN NULL;
         END $body$',
        'tally_' || name, name, key,
        coalesce((SELECT string_agg(', ' || quote_ident(kind), '') FROM unnest(kinds) AS kind), '')
    );
    EXECUTE format(
        'CREATE TRIGGER tally_insert AFTER INSERT ON %1$s REFERENCING NEW TABLE AS new_rows
             FOR EACH STATEMENT EXECUTE FUNCTION geo.%2$I();
         CREATE TRIGGER tally_update AFTER UPDATE ON %1$s
             REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
             FOR EACH STATEMENT EXECUTE FUNCTION geo.%2$I();
         CREATE TRIGGER tally_delete AFTER DELETE ON %1$s REFERENCING OLD TABLE AS old_rows
             FOR EACH STATEMENT EXECUTE FUNCTION geo.%2$I();
         CREATE TRIGGER tally_truncate AFTER TRUNCATE ON %1$s
             FOR EACH STATEMENT EXECUTE FUNCTION geo.%2$I();',
        layer, 'tally_' || name
    );
    PERFORM geo.recount_cells(name);
END $$;

SELECT geo.tally('cameras', '{status,form}');
SELECT geo.tally('hazards', '{status,category}');
SELECT geo.tally('disputes', '{status,category}');
