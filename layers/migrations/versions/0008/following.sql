-- What follows from a change of grids costs what changed, not what the town holds.

-- As before, but a publication says from when its versions hold: all of them from the same moment.
CREATE OR REPLACE FUNCTION geo.locate_grid() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    past grids;
    since timestamptz := coalesce(nullif(current_setting('geo.valid_from', true), '')::timestamptz, now());
BEGIN
    IF TG_OP <> 'DELETE' THEN
        NEW.geom := geo.lattice(NEW.geom);
        NEW.updated_at := now();
        NEW.grid_now := NEW.code;
        NEW.area_now := NEW.parent;
    END IF;
    IF TG_OP = 'INSERT' OR OLD.valid_to IS NOT NULL OR OLD.valid_from = since THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' AND (
        NEW.valid_to IS NOT NULL OR (NEW.geom, NEW.code, NEW.parent) = (OLD.geom, OLD.code, OLD.parent)
    ) THEN
        RETURN NEW;
    END IF;
    past := OLD;
    past.id := nextval(pg_get_serial_sequence('grids', 'id'));
    past.valid_to := since;
    INSERT INTO grids (
        id, code, name, kind, parent, households, population, staff, version, valid_from, valid_to,
        attributes, created_at, geom
    ) VALUES (
        past.id, past.code, past.name, past.kind, past.parent, past.households, past.population,
        past.staff, past.version, past.valid_from, past.valid_to, past.attributes, past.created_at,
        past.geom
    );
    IF TG_OP = 'DELETE' THEN
        RETURN OLD;
    END IF;
    NEW.version := OLD.version + 1;
    NEW.valid_from := since;
    RETURN NEW;
END $$;

-- Locates anew whatever lies in changed places, a collection, and has changed hands. It was what lies in
-- their common box: for two grids at both ends of a town, the town. Places are taken 1 cm wider, for
-- a corner that had to be computed is not exactly where the edges are. Layers are found by their
-- trigger, so that a new one is not forgotten; setting a column to itself runs the trigger.
CREATE OR REPLACE FUNCTION geo.relocate(places geometry) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    layer regclass;
BEGIN
    IF places IS NULL OR st_isempty(places) THEN
        RETURN;
    END IF;
    FOR layer IN
        SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'locate' AND tgfoid = 'geo.locate'::regproc
    LOOP
        EXECUTE format(
            'UPDATE %1$s AS f SET code = f.code
             FROM (
                 SELECT
                     m.id,
                     g.code AS grid,
                     -- Only outside every grid: the outlines of areas are costly to ask.
                     CASE
                         WHEN g.code IS NOT NULL THEN g.parent
                         ELSE (SELECT o.code FROM geo.area_at(m.place) AS o)
                     END AS area
                 FROM (
                     -- A place that one grid lost another gained: each feature once.
                     SELECT DISTINCT ON (s.id) s.id, p.place
                     FROM (
                         SELECT geom AS shape, st_expand(geom, 1e-7) AS box FROM st_dump($1)
                     ) AS c
                     JOIN %1$s AS s ON s.geom && c.box
                     CROSS JOIN LATERAL (
                         SELECT CASE
                             WHEN geometrytype(s.geom) = ''POINT'' THEN s.geom
                             ELSE st_pointonsurface(s.geom)
                         END AS place
                     ) AS p
                     WHERE st_dwithin(c.shape, p.place, 1e-7)
                     ORDER BY s.id
                 ) AS m
                 LEFT JOIN LATERAL geo.grid_at(m.place) AS g ON true
             ) AS w
             WHERE w.id = f.id AND (f.grid_now, f.area_now) IS DISTINCT FROM (w.grid, w.area)',
            layer
        ) USING places;
    END LOOP;
END $$;

-- As before, but: a past version changes nothing of today, and of a grid that was redrawn only the places
-- that it gained or lost are looked at. A publication is followed once, from the whole of it: geo.write_grids
-- says in a setting what it wrote.
CREATE OR REPLACE FUNCTION geo.follow_grids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    parents text[];
    places geometry;
    told text := coalesce(current_setting('geo.publishing', true), '');
BEGIN
    IF told = 'writing' THEN
        RETURN NULL;
    ELSIF told <> '' THEN
        SELECT array_agg(p.parent), st_geomfromewkb(decode(told::jsonb ->> 'places', 'hex'))
        INTO parents, places
        FROM jsonb_array_elements_text(told::jsonb -> 'parents') AS p (parent);
    ELSIF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT parent), st_collect(geom) INTO parents, places
        FROM new_rows
        WHERE valid_to IS NULL;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT parent), st_collect(geom) INTO parents, places
        FROM old_rows
        WHERE valid_to IS NULL;
    ELSE
        WITH c AS (
            SELECT
                n.parent AS new_parent,
                o.parent AS old_parent,
                CASE
                    WHEN (n.code, n.parent, n.valid_to) IS DISTINCT FROM (o.code, o.parent, o.valid_to)
                        THEN st_collect(n.geom, o.geom)
                    ELSE st_symdifference(n.geom, o.geom)
                END AS geom
            FROM new_rows AS n
            JOIN old_rows AS o USING (id)
            WHERE
                (n.geom, n.code, n.parent, n.valid_to)
                IS DISTINCT FROM (o.geom, o.code, o.parent, o.valid_to)
                AND (n.valid_to IS NULL OR o.valid_to IS NULL)
        )
        SELECT
            (
                SELECT array_agg(DISTINCT p.parent)
                FROM c CROSS JOIN LATERAL unnest(ARRAY[c.new_parent, c.old_parent]) AS p (parent)
            ),
            (SELECT st_collect(c.geom) FROM c)
        INTO parents, places;
    END IF;
    IF parents IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('geo.checked', '', true);
    PERFORM geo.derive_outlines(parents);
    PERFORM geo.relocate(places);
    RETURN NULL;
END $$;

-- As before, but an outline whose corners had to be computed, and that is not valid once they are on the
-- lattice, is noded there instead of refused.
CREATE OR REPLACE FUNCTION geo.derive_outlines(codes text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    above text[];
BEGIN
    UPDATE areas AS a
    SET geom = CASE
        WHEN st_isvalid(geo.lattice(u.geom)) IS FALSE THEN st_multi(st_reduceprecision(u.geom, 1e-8))
        ELSE u.geom
    END
    FROM (
        SELECT c.code, st_multi(st_union(part.geom)) AS geom
        FROM unnest(codes) AS c (code)
        LEFT JOIN LATERAL (
            SELECT g.geom FROM grids AS g WHERE g.parent = c.code AND g.valid_to IS NULL
            UNION ALL
            SELECT b.geom FROM areas AS b WHERE b.parent = c.code AND b.geom IS NOT NULL
        ) AS part ON true
        GROUP BY c.code
    ) AS u
    WHERE a.code = u.code AND a.geom IS DISTINCT FROM u.geom;
    SELECT array_agg(DISTINCT a.parent) INTO above
    FROM areas AS a
    WHERE a.code = ANY (codes) AND a.parent IS NOT NULL;
    IF above IS NOT NULL THEN
        PERFORM geo.derive_outlines(above);
    END IF;
END $$;
