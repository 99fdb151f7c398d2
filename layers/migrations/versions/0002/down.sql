CREATE OR REPLACE FUNCTION geo.locate() RETURNS trigger
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

CREATE OR REPLACE FUNCTION geo.locate_area() RETURNS trigger
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

DROP TABLE import_rows, imports;
