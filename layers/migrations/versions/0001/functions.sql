-- What the database keeps by itself: the lattice, where a feature lies, outlines, the outbox.

CREATE SCHEMA geo;

-- The principal of a transaction, set by the service with set_config(..., true). An empty setting is
-- what PostgreSQL leaves behind after such a transaction: it means nobody, never everybody.
CREATE FUNCTION geo.scope() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN CASE current_setting('geo.area', true)
    WHEN '' THEN NULL
    WHEN '*' THEN ''
    ELSE current_setting('geo.area', true)
END;

CREATE FUNCTION geo.role() RETURNS text
LANGUAGE sql STABLE PARALLEL SAFE
RETURN nullif(current_setting('geo.role', true), '');

-- Every coordinate on the 1e-8 degree lattice: the double nearest to a decimal with eight digits.
CREATE FUNCTION geo.lattice(shape geometry) RETURNS geometry
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
RETURN CASE
    WHEN geometrytype(shape) = 'POINT' AND NOT st_isempty(shape) THEN
        st_setsrid(
            st_makepoint(
                round(st_x(shape) * 1e8::float8) / 1e8::float8,
                round(st_y(shape) * 1e8::float8) / 1e8::float8
            ),
            st_srid(shape)
        )
    ELSE st_geomfromtext(st_astext(shape, 8), st_srid(shape))
END;

-- The grid in force at a place now. A point on a shared edge belongs to the lowest code. These three
-- are plain SQL without settings of their own, so that they are inlined into what calls them.
CREATE FUNCTION geo.grid_at(place geometry) RETURNS TABLE (code text, parent text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT g.code, g.parent
    FROM grids AS g
    WHERE g.valid_to IS NULL AND st_intersects(g.geom, place)
    ORDER BY g.code COLLATE "C"
    LIMIT 1;
END;

-- The same at a time. Where the start of a version is not recorded, it holds for all earlier times.
CREATE FUNCTION geo.grid_at(place geometry, at_time timestamptz) RETURNS TABLE (code text, parent text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT g.code, g.parent
    FROM grids AS g
    WHERE
        st_intersects(g.geom, place)
        AND (g.valid_from IS NULL OR g.valid_from <= at_time)
        AND (g.valid_to IS NULL OR at_time < g.valid_to)
    ORDER BY g.code COLLATE "C"
    LIMIT 1;
END;

-- Outside every grid: the smallest drawn area that holds the place.
CREATE FUNCTION geo.area_at(place geometry) RETURNS TABLE (code text)
LANGUAGE sql STABLE
BEGIN ATOMIC
    SELECT a.code
    FROM areas AS a
    WHERE st_intersects(a.geom, place)
    ORDER BY length(a.code) DESC, a.code COLLATE "C"
    LIMIT 1;
END;

-- BEFORE ROW on layers of things that lie somewhere.
CREATE FUNCTION geo.locate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    place geometry;
BEGIN
    NEW.geom := geo.lattice(NEW.geom);
    NEW.updated_at := now();
    place := CASE WHEN geometrytype(NEW.geom) = 'POINT' THEN NEW.geom ELSE st_pointonsurface(NEW.geom) END;
    SELECT g.code, g.parent INTO NEW.grid_now, NEW.area_now FROM geo.grid_at(place) AS g;
    IF NOT FOUND THEN
        NEW.grid_now := NULL;
        SELECT a.code INTO NEW.area_now FROM geo.area_at(place) AS a;
    END IF;
    RETURN NEW;
END $$;

-- BEFORE ROW on the layers that are the places: a grid lies in itself, an area in itself. A grid that
-- is redrawn or removed leaves its past version behind, whoever did it.
CREATE FUNCTION geo.locate_grid() RETURNS trigger
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

CREATE FUNCTION geo.locate_area() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
BEGIN
    NEW.geom := geo.lattice(NEW.geom);
    NEW.updated_at := now();
    NEW.grid_now := NULL;
    NEW.area_now := NEW.code;
    -- The outline of an area with grids is theirs: another one is not taken.
    IF
        TG_OP = 'UPDATE' AND pg_trigger_depth() = 1 AND NEW.geom IS DISTINCT FROM OLD.geom
        AND EXISTS (SELECT FROM grids WHERE starts_with(parent, OLD.code) AND valid_to IS NULL)
    THEN
        NEW.geom := OLD.geom;
    END IF;
    RETURN NEW;
END $$;

-- AFTER STATEMENT on every layer: one outbox row per changed feature, and one wake-up per commit.
CREATE FUNCTION geo.record_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
BEGIN
    IF TG_OP = 'INSERT' THEN
        INSERT INTO changes (layer, op, feature, code, grid_now, area_now, min_x, min_y, max_x, max_y)
        SELECT
            TG_TABLE_NAME, 'I', id, code, grid_now, area_now,
            st_xmin(geom_3857), st_ymin(geom_3857), st_xmax(geom_3857), st_ymax(geom_3857)
        FROM new_rows;
    ELSIF TG_OP = 'DELETE' THEN
        INSERT INTO changes (
            layer, op, feature, code, grid_before, area_before, min_x, min_y, max_x, max_y
        )
        SELECT
            TG_TABLE_NAME, 'D', id, code, grid_now, area_now,
            st_xmin(geom_3857), st_ymin(geom_3857), st_xmax(geom_3857), st_ymax(geom_3857)
        FROM old_rows;
    ELSIF TG_OP = 'UPDATE' THEN
        -- A full join: an update may change the id itself.
        INSERT INTO changes (
            layer, op, feature, code, grid_now, area_now, grid_before, area_before,
            min_x, min_y, max_x, max_y
        )
        SELECT
            TG_TABLE_NAME,
            CASE WHEN o.id IS NULL THEN 'I' WHEN n.id IS NULL THEN 'D' ELSE 'U' END,
            coalesce(n.id, o.id), coalesce(n.code, o.code),
            n.grid_now, n.area_now, o.grid_now, o.area_now,
            least(st_xmin(n.geom_3857), st_xmin(o.geom_3857)),
            least(st_ymin(n.geom_3857), st_ymin(o.geom_3857)),
            greatest(st_xmax(n.geom_3857), st_xmax(o.geom_3857)),
            greatest(st_ymax(n.geom_3857), st_ymax(o.geom_3857))
        FROM new_rows AS n
        FULL JOIN old_rows AS o ON o.id = n.id;
    ELSE
        INSERT INTO changes (layer, op) VALUES (TG_TABLE_NAME, 'T');
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('geo_changes', '');
    END IF;
    RETURN NULL;
END $$;

-- Locates anew whatever lies in the boxes of changed places and has changed hands. Layers are found by
-- their trigger, so that a new one is not forgotten; setting a column to itself runs the trigger.
CREATE FUNCTION geo.relocate(places geometry) RETURNS void
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

-- AFTER STATEMENT on grids: outlines of the areas above follow, and so does what lies in them.
CREATE FUNCTION geo.follow_grids() RETURNS trigger
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

-- AFTER STATEMENT on areas drawn by themselves; outlines derived from grids are followed above.
CREATE FUNCTION geo.follow_areas() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
BEGIN
    IF pg_trigger_depth() = 1 THEN
        PERFORM geo.relocate((SELECT st_collect(st_envelope(geom)) FROM new_rows));
    END IF;
    RETURN NULL;
END $$;

-- Outlines of areas from the grids in force, from the communities upward.
CREATE FUNCTION geo.derive_outlines(codes text[]) RETURNS void
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

-- At commit: the grids in force of a parent neither overlap another nor leave a gap.
CREATE FUNCTION geo.check_coverage() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    other text;
    place geometry;
    parent_code text := coalesce(NEW.parent, OLD.parent);
    checked text := coalesce(current_setting('geo.checked', true), '');
BEGIN
    IF TG_OP <> 'DELETE' THEN
        -- The row may have changed again since: judge what is there now.
        SELECT b.code, st_pointonsurface(st_intersection(a.geom, b.geom)) INTO other, place
        FROM grids AS a
        JOIN grids AS b ON b.geom && a.geom AND b.id <> a.id AND b.valid_to IS NULL
        WHERE a.id = NEW.id AND a.valid_to IS NULL AND st_relate(a.geom, b.geom, 'T********')
        LIMIT 1;
        IF other IS NOT NULL THEN
            RAISE EXCEPTION USING
                ERRCODE = 'check_violation',
                CONSTRAINT = 'coverage_overlap',
                TABLE = 'grids',
                MESSAGE = format('grids %s and %s overlap at %s', NEW.code, other, st_astext(place, 6));
        END IF;
    END IF;
    -- Once for each parent and statement: the list is emptied whenever grids change.
    IF strpos(checked, ',' || parent_code || ',') > 0 THEN
        RETURN NULL;
    END IF;
    SELECT st_pointonsurface(hole.geom) INTO place
    FROM (SELECT st_union(geom) AS geom FROM grids WHERE parent = parent_code AND valid_to IS NULL) AS whole
    CROSS JOIN LATERAL st_dump(whole.geom) AS part
    CROSS JOIN LATERAL st_dumprings(part.geom) AS hole
    WHERE
        hole.path[1] > 0
        AND NOT EXISTS (
            SELECT 1
            FROM (
                SELECT st_union(o.geom) AS geom
                FROM (
                    SELECT g.geom FROM grids AS g
                    WHERE g.geom && hole.geom AND g.valid_to IS NULL AND g.parent <> parent_code
                    UNION ALL
                    SELECT a.geom FROM areas AS a  -- an enclave
                    WHERE
                        a.geom && hole.geom
                        AND NOT starts_with(a.code, parent_code)
                        AND NOT starts_with(parent_code, a.code)
                ) AS o
            ) AS others
            WHERE st_covers(others.geom, hole.geom)
        )
    LIMIT 1;
    IF place IS NOT NULL THEN
        RAISE EXCEPTION USING
            ERRCODE = 'check_violation',
            CONSTRAINT = 'coverage_gap',
            TABLE = 'grids',
            MESSAGE = format('the grids of %s leave a gap at %s', parent_code, st_astext(place, 6));
    END IF;
    PERFORM set_config('geo.checked', checked || ',' || parent_code || ',', true);
    RETURN NULL;
END $$;

-- Old outbox rows go; readers whose cursor is older are told to start anew.
CREATE FUNCTION geo.prune_changes(older_than interval) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
BEGIN ATOMIC
    WITH gone AS (
        DELETE FROM changes WHERE at < now() - older_than RETURNING xid
    )
    UPDATE changes_pruned
    SET xid = (SELECT max(g.xid) FROM gone AS g)
    WHERE EXISTS (SELECT 1 FROM gone AS g WHERE g.xid > changes_pruned.xid);
END;

-- Makes a table a layer: geometry rules, indexes, triggers, access. Every migration that adds a layer
-- calls it once. writers: the roles that may write; event_time: the time column, or null. A layer with
-- a column grid_at_event gets it kept: it changes only with the time and the place of the event.
CREATE FUNCTION geo.adopt(layer regclass, locator regproc, event_time text, writers text[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    name text := (SELECT relname FROM pg_class WHERE oid = layer);
    may_write text := format('(SELECT geo.role()) = ANY (%L::text[])', writers);
    -- A scope is a prefix of area codes, or one grid's code. Written out, not as a function of three
    -- arguments: PostgreSQL does not inline one that uses a subquery twice, and calling it for every
    -- row took longer than the rest of a tile's query.
    may_see text := '(starts_with(coalesce(area_now, ''''), (SELECT geo.scope())) OR grid_now = (SELECT geo.scope()))';
BEGIN
    EXECUTE format(
        'ALTER TABLE %1$s
             ADD CONSTRAINT %2$I CHECK (public.st_isvalid(geom)),
             ADD CONSTRAINT %3$I CHECK (NOT public.st_isempty(geom)),
             ADD CONSTRAINT %4$I CHECK (
                 public.st_xmin(geom) >= -180 AND public.st_xmax(geom) <= 180
                 AND public.st_ymin(geom) >= -85.06 AND public.st_ymax(geom) <= 85.06
             ),
             ADD CONSTRAINT %5$I CHECK (
                 public.st_asbinary(geom) = public.st_asbinary(geo.lattice(geom))
             )',
        layer, 'ck_' || name || '_geom_valid', 'ck_' || name || '_geom_empty',
        'ck_' || name || '_geom_range', 'ck_' || name || '_geom_lattice'
    );
    EXECUTE format('CREATE INDEX %I ON %s USING gist (geom)', 'ix_' || name || '_geom', layer);
    EXECUTE format('CREATE INDEX %I ON %s USING gist (geom_3857)', 'ix_' || name || '_geom_3857', layer);
    IF event_time IS NOT NULL THEN
        EXECUTE format('CREATE INDEX %I ON %s (%I)', 'ix_' || name || '_' || event_time, layer, event_time);
    END IF;
    EXECUTE format(
        'CREATE TRIGGER locate BEFORE INSERT OR UPDATE%s ON %s FOR EACH ROW EXECUTE FUNCTION %s()',
        CASE locator WHEN 'geo.locate_grid'::regproc THEN ' OR DELETE' ELSE '' END, layer, locator
    );
    -- A function of the layer's own, for it names the layer's time column. After "locate": by name.
    IF EXISTS (SELECT FROM pg_attribute WHERE attrelid = layer AND attname = 'grid_at_event') THEN
        EXECUTE format(
            'CREATE FUNCTION geo.%1$I() RETURNS trigger
             LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $body$
             BEGIN
                 IF TG_OP = ''UPDATE'' AND NEW.%2$I = OLD.%2$I AND NEW.geom = OLD.geom THEN
                     NEW.grid_at_event := OLD.grid_at_event;
                 ELSE
                     NEW.grid_at_event := (SELECT g.code FROM geo.grid_at(NEW.geom, NEW.%2$I) AS g);
                 END IF;
                 RETURN NEW;
             END $body$;
             CREATE TRIGGER locate_event BEFORE INSERT OR UPDATE ON %3$s
             FOR EACH ROW EXECUTE FUNCTION geo.%1$I();',
            'locate_event_of_' || name, event_time, layer
        );
    END IF;
    EXECUTE format(
        'CREATE TRIGGER record_insert AFTER INSERT ON %1$s REFERENCING NEW TABLE AS new_rows
             FOR EACH STATEMENT EXECUTE FUNCTION geo.record_changes();
         CREATE TRIGGER record_update AFTER UPDATE ON %1$s
             REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
             FOR EACH STATEMENT EXECUTE FUNCTION geo.record_changes();
         CREATE TRIGGER record_delete AFTER DELETE ON %1$s REFERENCING OLD TABLE AS old_rows
             FOR EACH STATEMENT EXECUTE FUNCTION geo.record_changes();
         CREATE TRIGGER record_truncate AFTER TRUNCATE ON %1$s
             FOR EACH STATEMENT EXECUTE FUNCTION geo.record_changes();',
        layer
    );
    EXECUTE format(
        'ALTER TABLE %1$s ENABLE ROW LEVEL SECURITY;
         CREATE POLICY see ON %1$s FOR SELECT TO geo_service USING (%2$s);
         CREATE POLICY add ON %1$s FOR INSERT TO geo_service WITH CHECK (%2$s AND %3$s);
         CREATE POLICY change ON %1$s FOR UPDATE TO geo_service USING (%2$s AND %3$s);
         CREATE POLICY remove ON %1$s FOR DELETE TO geo_service USING (%2$s AND %3$s);
         GRANT SELECT, INSERT, UPDATE, DELETE ON %1$s TO geo_service;',
        layer, may_see, may_write
    );
END $$;
