-- A heartbeat says that a thing is still as it was: only the time of its status moves. That is written,
-- but nobody has to be told: no page and no tile shows another picture for it. A thousand cameras
-- that report each second would drown the outbox, and with it every live page.
CREATE OR REPLACE FUNCTION geo.record_changes() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    fresh text;
    past text;
    told bigint;
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
        -- All columns but those that a heartbeat moves. Listed each time, so that a new column of a
        -- layer is not forgotten; compared as they are, for geometries as JSON took ten times longer.
        SELECT string_agg(format('%I.%I', 'n', attname), ', '), string_agg(format('%I.%I', 'o', attname), ', ')
        INTO fresh, past
        FROM pg_attribute
        WHERE
            attrelid = TG_RELID AND attnum > 0 AND NOT attisdropped
            AND attname NOT IN ('status_at', 'updated_at', 'geom_3857')
            AND EXISTS (
                SELECT FROM pg_attribute AS beat
                WHERE beat.attrelid = TG_RELID AND beat.attname = 'status_at' AND NOT beat.attisdropped
            );
        -- A full join: an update may change the id itself.
        EXECUTE format(
            'INSERT INTO changes (
                 layer, op, feature, code, grid_now, area_now, grid_before, area_before,
                 min_x, min_y, max_x, max_y
             )
             SELECT
                 %L,
                 CASE WHEN o.id IS NULL THEN ''I'' WHEN n.id IS NULL THEN ''D'' ELSE ''U'' END,
                 coalesce(n.id, o.id), coalesce(n.code, o.code),
                 n.grid_now, n.area_now, o.grid_now, o.area_now,
                 least(st_xmin(n.geom_3857), st_xmin(o.geom_3857)),
                 least(st_ymin(n.geom_3857), st_ymin(o.geom_3857)),
                 greatest(st_xmax(n.geom_3857), st_xmax(o.geom_3857)),
                 greatest(st_ymax(n.geom_3857), st_ymax(o.geom_3857))
             FROM new_rows AS n
             FULL JOIN old_rows AS o ON o.id = n.id
             WHERE %s',
            TG_TABLE_NAME,
            CASE
                WHEN fresh IS NULL THEN 'true'
                ELSE format(
                    'n.id IS NULL OR o.id IS NULL OR n.status_at IS NOT DISTINCT FROM o.status_at
                     OR ROW(%s) IS DISTINCT FROM ROW(%s)', fresh, past
                )
            END
        );
        GET DIAGNOSTICS told = ROW_COUNT;
        IF told > 0 THEN
            PERFORM pg_notify('geo_changes', '');
        END IF;
        RETURN NULL;
    ELSE
        INSERT INTO changes (layer, op) VALUES (TG_TABLE_NAME, 'T');
    END IF;
    IF FOUND THEN
        PERFORM pg_notify('geo_changes', '');
    END IF;
    RETURN NULL;
END $$;

-- Room in the page for the row's next version, so that no index is touched when a status moves.
ALTER TABLE cameras SET (fillfactor = 80);

-- What a device reports of itself is no edit of the feature: updated_at stays, so that an import of
-- cameras can be undone although they have reported since. After "locate", by name.
CREATE FUNCTION geo.keep_updated_at() RETURNS trigger
LANGUAGE plpgsql AS $$
DECLARE
    reported cameras := OLD;
BEGIN
    reported.status := NEW.status;
    reported.status_at := NEW.status_at;
    reported.updated_at := NEW.updated_at;
    reported.geom_3857 := NEW.geom_3857;
    IF reported IS NOT DISTINCT FROM NEW THEN
        NEW.updated_at := OLD.updated_at;
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER locate_status BEFORE UPDATE ON cameras
FOR EACH ROW EXECUTE FUNCTION geo.keep_updated_at();
