-- Grids are written by drafts that were approved, whoever may not write them otherwise.

-- Codes, of those given, whose grid in force is not the version that the base names.
CREATE FUNCTION geo.moved_grids(base jsonb, codes text []) RETURNS TABLE (code text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, geo, pg_temp
BEGIN ATOMIC
    SELECT c.code
    FROM unnest(codes) AS c (code)
    LEFT JOIN grids AS g ON g.code = c.code AND g.valid_to IS NULL
    WHERE g.version IS DISTINCT FROM (base ->> c.code)::integer
    ORDER BY c.code;
END;

-- Codes that another draft holds while it is reviewed; all of them where none are given. The name of
-- one beyond the principal's area is not told.
CREATE FUNCTION geo.locked_grids(own uuid, codes text [])
RETURNS TABLE (code text, draft uuid, name text)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = public, geo, pg_temp
BEGIN ATOMIC
    SELECT
        t.code,
        CASE WHEN starts_with(d.area, geo.scope()) THEN d.id END,
        CASE WHEN starts_with(d.area, geo.scope()) THEN d.name END
    FROM drafts AS d
    CROSS JOIN LATERAL unnest(d.touched) AS t (code)
    WHERE
        d.state IN ('submitted', 'approved') AND d.id IS DISTINCT FROM own
        AND (codes IS NULL OR t.code = ANY (codes))
    ORDER BY t.code;
END;

-- One publication at a time, and the rows of its grids in the order of their codes, so that no two ever
-- wait for each other.
CREATE FUNCTION geo.hold_grids(codes text [])
RETURNS TABLE (code text, version integer, valid_from timestamptz, geom bytea)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
#variable_conflict use_column
BEGIN
    IF (geo.role() = ANY ('{editor,admin}'::text [])) IS NOT TRUE THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'only editors publish';
    END IF;
    PERFORM pg_advisory_xact_lock(7103313);
    RETURN QUERY
    SELECT g.code, g.version, g.valid_from, st_asbinary(g.geom)
    FROM grids AS g
    WHERE g.code = ANY (codes) AND g.valid_to IS NULL
    ORDER BY g.code COLLATE "C"
    FOR UPDATE;
END $$;

-- Writes the grids of a draft: shapes by code, null where a grid goes, and the attributes of all in
-- "rows". Returns the version of each. What follows from it (outlines, the places of points) follows
-- once, from the whole of it: outlines half of the old grids and half of the new do not fit.
CREATE FUNCTION geo.write_grids(
    own uuid, since timestamptz, codes text [], shapes bytea [], rows jsonb
) RETURNS jsonb
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    writing drafts;
    stray text;
    parents text[];
    places geometry;
    written jsonb;
BEGIN
    SELECT * INTO writing FROM drafts WHERE id = own FOR UPDATE;
    IF
        NOT FOUND
        OR (geo.role() = ANY ('{editor,admin}'::text [])) IS NOT TRUE
        OR starts_with(writing.area, geo.scope()) IS NOT TRUE
        OR writing.state NOT IN ('approved', 'published')
    THEN
        RAISE EXCEPTION USING ERRCODE = 'insufficient_privilege', MESSAGE = 'no draft to be published';
    END IF;
    PERFORM 1 FROM geo.hold_grids(codes);
    -- Beyond the area of the draft a grid may only take or lose a vertex on an edge: 3 mm at most.
    SELECT n.code INTO stray
    FROM (
        SELECT c.code, st_geomfromwkb(c.shape, 4326) AS geom, r.parent
        FROM unnest(codes, shapes) AS c (code, shape)
        LEFT JOIN jsonb_to_recordset(rows) AS r (code text, parent text) ON r.code = c.code
    ) AS n
    LEFT JOIN grids AS g ON g.code = n.code AND g.valid_to IS NULL
    WHERE
        starts_with(coalesce(g.parent, n.parent), writing.area) IS NOT TRUE
        AND NOT coalesce(st_hausdorffdistance(st_boundary(g.geom), st_boundary(n.geom)) < 3e-8, false)
    LIMIT 1;
    IF stray IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'insufficient_privilege', MESSAGE = format('grid %s is not of the area', stray);
    END IF;
    WITH n AS (
        SELECT c.code, st_geomfromwkb(c.shape, 4326) AS geom, coalesce(g.parent, r.parent) AS parent, g.geom AS past
        FROM unnest(codes, shapes) AS c (code, shape)
        LEFT JOIN grids AS g ON g.code = c.code AND g.valid_to IS NULL
        LEFT JOIN jsonb_to_recordset(rows) AS r (code text, parent text) ON r.code = c.code
    )
    SELECT
        array_agg(DISTINCT n.parent),
        st_collect(CASE
            WHEN n.geom IS NULL THEN n.past
            WHEN n.past IS NULL THEN n.geom
            ELSE st_symdifference(n.geom, n.past)
        END)
    INTO parents, places
    FROM n;
    PERFORM set_config('geo.valid_from', since::text, true);
    PERFORM set_config('geo.publishing', 'writing', true);
    MERGE INTO grids AS g
    USING (
        SELECT
            c.code, st_multi(st_geomfromwkb(c.shape, 4326)) AS geom, r.name, r.kind, r.parent,
            r.households, r.population, r.staff, coalesce(r.attributes, '{}'::jsonb) AS attributes,
            coalesce((SELECT max(p.version) + 1 FROM grids AS p WHERE p.code = c.code), 1) AS version
        FROM unnest(codes, shapes) AS c (code, shape)
        LEFT JOIN jsonb_to_recordset(rows) AS r (
            code text, name text, kind text, parent text, households integer, population integer,
            staff integer, attributes jsonb
        ) ON r.code = c.code
    ) AS n
    ON g.code = n.code AND g.valid_to IS NULL
    WHEN MATCHED AND n.geom IS NULL THEN DELETE
    WHEN MATCHED THEN
        UPDATE SET
            geom = n.geom, households = n.households, population = n.population, staff = n.staff
    WHEN NOT MATCHED AND n.geom IS NOT NULL THEN
        INSERT (
            code, name, kind, parent, households, population, staff, attributes, version, valid_from, geom
        )
        VALUES (
            n.code, n.name, n.kind, n.parent, n.households, n.population, n.staff, n.attributes,
            n.version, since, n.geom
        );
    PERFORM set_config('geo.valid_from', '', true);
    -- A statement that changes no row has its triggers run all the same: outlines and places follow in one
    -- of them, as they always do, and not as edits of their own.
    PERFORM set_config(
        'geo.publishing',
        jsonb_build_object('parents', parents, 'places', encode(st_asewkb(places), 'hex'))::text,
        true
    );
    UPDATE grids SET code = code WHERE false;
    PERFORM set_config('geo.publishing', '', true);
    -- Now, not at commit: whoever called can still say what is wrong.
    SET CONSTRAINTS ALL IMMEDIATE;
    SELECT jsonb_object_agg(c.code, g.version) INTO written
    FROM unnest(codes) AS c (code)
    LEFT JOIN grids AS g ON g.code = c.code AND g.valid_to IS NULL;
    RETURN written;
END $$;
