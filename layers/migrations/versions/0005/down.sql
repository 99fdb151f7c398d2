DROP TRIGGER locate_status ON cameras;
DROP FUNCTION geo.keep_updated_at();
ALTER TABLE cameras RESET (fillfactor);

CREATE OR REPLACE FUNCTION geo.record_changes() RETURNS trigger
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
