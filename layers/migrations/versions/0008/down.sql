-- Back to places by their common box, and to grids that only admins write.

DROP FUNCTION geo.moved_grids(jsonb, text []);
DROP FUNCTION geo.locked_grids(uuid, text []);
DROP FUNCTION geo.write_grids(uuid, timestamptz, text [], bytea [], jsonb);
DROP FUNCTION geo.hold_grids(text []);
DROP TABLE draft_events, draft_comments, draft_checkpoints, draft_operations, drafts;
DROP FUNCTION geo.tell_draft();
DELETE FROM changes WHERE layer = 'drafts';

CREATE OR REPLACE FUNCTION geo.locate_grid() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    past grids;
BEGIN
    IF TG_OP <> 'DELETE' THEN
        NEW.geom := geo.lattice(NEW.geom);
        NEW.updated_at := now();
        NEW.grid_now := NEW.code;
        NEW.area_now := NEW.parent;
    END IF;
    IF TG_OP = 'INSERT' OR OLD.valid_to IS NOT NULL OR OLD.valid_from = now() THEN
        RETURN coalesce(NEW, OLD);
    END IF;
    IF TG_OP = 'UPDATE' AND (
        NEW.valid_to IS NOT NULL OR (NEW.geom, NEW.code, NEW.parent) = (OLD.geom, OLD.code, OLD.parent)
    ) THEN
        RETURN NEW;
    END IF;
    past := OLD;
    past.id := nextval(pg_get_serial_sequence('grids', 'id'));
    past.valid_to := now();
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
    NEW.valid_from := now();
    RETURN NEW;
END $$;

CREATE OR REPLACE FUNCTION geo.relocate(places geometry) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    layer regclass;
BEGIN
    FOR layer IN
        SELECT tgrelid::regclass FROM pg_trigger WHERE tgname = 'locate' AND tgfoid = 'geo.locate'::regproc
    LOOP
        EXECUTE format(
            'UPDATE %1$s AS f SET code = f.code
             FROM (
                 SELECT s.id, g.code AS grid, coalesce(g.parent, a.code) AS area
                 FROM %1$s AS s
                 CROSS JOIN LATERAL (
                     SELECT CASE
                         WHEN geometrytype(s.geom) = ''POINT'' THEN s.geom
                         ELSE st_pointonsurface(s.geom)
                     END AS place
                 ) AS p
                 LEFT JOIN LATERAL geo.grid_at(p.place) AS g ON true
                 LEFT JOIN LATERAL geo.area_at(p.place) AS a ON true
                 WHERE s.geom && $1
             ) AS w
             WHERE w.id = f.id AND (f.grid_now, f.area_now) IS DISTINCT FROM (w.grid, w.area)',
            layer
        ) USING places;
    END LOOP;
END $$;

CREATE OR REPLACE FUNCTION geo.follow_grids() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    parents text[];
    places geometry;
BEGIN
    IF TG_OP = 'INSERT' THEN
        SELECT array_agg(DISTINCT parent), st_collect(st_envelope(geom)) INTO parents, places
        FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        SELECT array_agg(DISTINCT parent), st_collect(st_envelope(geom)) INTO parents, places
        FROM old_rows;
    ELSE
        SELECT array_agg(DISTINCT r.parent), st_collect(st_envelope(r.geom)) INTO parents, places
        FROM (
            SELECT n.parent, n.geom FROM new_rows AS n
            JOIN old_rows AS o USING (id)
            WHERE (n.geom, n.code, n.parent, n.valid_to) IS DISTINCT FROM (o.geom, o.code, o.parent, o.valid_to)
            UNION ALL
            SELECT o.parent, o.geom FROM new_rows AS n
            JOIN old_rows AS o USING (id)
            WHERE (n.geom, n.code, n.parent, n.valid_to) IS DISTINCT FROM (o.geom, o.code, o.parent, o.valid_to)
        ) AS r;
    END IF;
    IF parents IS NULL THEN
        RETURN NULL;
    END IF;
    PERFORM set_config('geo.checked', '', true);
    PERFORM geo.derive_outlines(parents);
    PERFORM geo.relocate(places);
    RETURN NULL;
END $$;

CREATE OR REPLACE FUNCTION geo.derive_outlines(codes text[]) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    above text[];
BEGIN
    UPDATE areas AS a
    SET geom = u.geom
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
