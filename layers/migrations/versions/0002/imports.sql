-- The history of imports. No cell of a file is kept here: only its name, its digest and the report.

CREATE TABLE imports (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    layer text NOT NULL,
    file text NOT NULL,
    bytes bigint NOT NULL,
    sha256 text NOT NULL,
    account text NOT NULL,
    area text NOT NULL,
    options jsonb DEFAULT '{}'::jsonb NOT NULL,
    state text DEFAULT 'ready' NOT NULL,
    done bigint DEFAULT 0 NOT NULL,
    total bigint,
    report jsonb,
    created_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    finished_at timestamptz,
    -- The time of the transaction that wrote: rows whose updated_at is later have changed since.
    written_at timestamptz,
    undone_at timestamptz,
    CONSTRAINT pk_imports PRIMARY KEY (id),
    CONSTRAINT ck_imports_state CHECK (
        state IN ('ready', 'queued', 'running', 'checked', 'loaded', 'refused', 'interrupted', 'undone')
    )
);
CREATE INDEX ix_imports_layer ON imports (layer, written_at DESC);

-- What undoing needs, a chunk of rows at a time: codes that were inserted, rows as they were before.
CREATE TABLE import_rows (
    import uuid NOT NULL,
    part integer NOT NULL,
    inserted text [] DEFAULT '{}' NOT NULL,
    updated jsonb DEFAULT '[]'::jsonb NOT NULL,
    CONSTRAINT pk_import_rows PRIMARY KEY (import, part),
    CONSTRAINT fk_import_rows_import FOREIGN KEY (import) REFERENCES imports (id) ON DELETE CASCADE
);

ALTER TABLE imports ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON imports TO geo_service USING (
    starts_with(area, (SELECT geo.scope()))
);
ALTER TABLE import_rows ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON import_rows TO geo_service USING (
    EXISTS (SELECT FROM imports AS i WHERE i.id = import_rows.import)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON imports, import_rows TO geo_service;

-- A feature that is only located anew, because grids around it changed, was not edited: its
-- updated_at stays. Such updates come from other triggers, so they are deeper.
CREATE OR REPLACE FUNCTION geo.locate() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, geo, pg_temp AS $$
DECLARE
    place geometry;
BEGIN
    NEW.geom := geo.lattice(NEW.geom);
    IF TG_OP = 'INSERT' OR pg_trigger_depth() = 1 THEN
        NEW.updated_at := now();
    END IF;
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
    IF TG_OP = 'INSERT' OR pg_trigger_depth() = 1 THEN
        NEW.updated_at := now();
    END IF;
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
