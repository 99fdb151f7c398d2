-- What may stand in a layer, whoever writes it: codes, ranges, dates in order.
-- Geometry rules are added to every layer by geo.adopt() in functions.sql.

ALTER TABLE areas
    ADD CONSTRAINT uq_areas_code UNIQUE (code),
    ADD CONSTRAINT ck_areas_code CHECK (code ~ '^([0-9]{6}|[0-9]{9}|[0-9]{12})$'),
    ADD CONSTRAINT ck_areas_level CHECK (level IN ('county', 'town', 'community')),
    ADD CONSTRAINT ck_areas_level_of_code CHECK (
        length(code) = CASE level WHEN 'county' THEN 6 WHEN 'town' THEN 9 ELSE 12 END
    ),
    ADD CONSTRAINT ck_areas_parent CHECK (parent IS NULL OR starts_with(code, parent)),
    ADD CONSTRAINT ck_areas_population CHECK (population >= 0);

ALTER TABLE grids
    ADD CONSTRAINT ck_grids_code CHECK (code ~ '^[0-9A-Za-z-]{1,32}$'),
    ADD CONSTRAINT ck_grids_kind CHECK (kind IN ('basic', 'special')),
    ADD CONSTRAINT ck_grids_households CHECK (households >= 0),
    ADD CONSTRAINT ck_grids_population CHECK (population >= 0),
    ADD CONSTRAINT ck_grids_staff CHECK (staff >= 0),
    ADD CONSTRAINT ck_grids_version CHECK (version >= 1),
    ADD CONSTRAINT ck_grids_valid CHECK (valid_to > valid_from),
    ADD CONSTRAINT uq_grids_code_version UNIQUE (code, version) DEFERRABLE INITIALLY DEFERRED,
    ADD CONSTRAINT fk_grids_parent FOREIGN KEY (parent) REFERENCES areas (code);

CREATE UNIQUE INDEX uq_grids_code_in_force ON grids (code) WHERE valid_to IS NULL;

ALTER TABLE buildings
    ADD CONSTRAINT uq_buildings_code UNIQUE (code),
    ADD CONSTRAINT ck_buildings_height CHECK (height > 0 AND height < 1000),
    ADD CONSTRAINT ck_buildings_floors CHECK (floors BETWEEN 1 AND 200),
    ADD CONSTRAINT ck_buildings_households CHECK (households >= 0),
    ADD CONSTRAINT ck_buildings_use CHECK (
        use IN ('residential', 'commercial', 'office', 'public', 'industrial', 'other')
    );

ALTER TABLE roads
    ADD CONSTRAINT uq_roads_code UNIQUE (code),
    ADD CONSTRAINT ck_roads_road_class CHECK (
        road_class IN ('trunk', 'primary', 'secondary', 'local', 'path')
    ),
    ADD CONSTRAINT ck_roads_width CHECK (width > 0 AND width < 200);

ALTER TABLE places
    ADD CONSTRAINT uq_places_code UNIQUE (code),
    ADD CONSTRAINT ck_places_kind CHECK (
        kind IN (
            'school', 'hospital', 'market', 'scenic', 'construction', 'mediation', 'station',
            'shelter', 'other'
        )
    ),
    ADD CONSTRAINT ck_places_type CHECK (
        public.geometrytype(geom) IN ('POINT', 'POLYGON')
    );

-- GB/T 28181 annex D: 8 digits centre, 2 industry, 3 type, 7 serial; 131 and 132 are cameras.
ALTER TABLE cameras
    ADD CONSTRAINT uq_cameras_code UNIQUE (code),
    ADD CONSTRAINT ck_cameras_code CHECK (code ~ '^[0-9]{10}13[12][0-9]{7}$'),
    ADD CONSTRAINT ck_cameras_camera_class CHECK (camera_class IN ('1', '2', '3')),
    ADD CONSTRAINT ck_cameras_form CHECK (form IN ('bullet', 'dome', 'ptz', 'panoramic')),
    ADD CONSTRAINT ck_cameras_status CHECK (status IN ('online', 'offline', 'fault')),
    ADD CONSTRAINT ck_cameras_azimuth CHECK (azimuth >= 0 AND azimuth < 360),
    ADD CONSTRAINT ck_cameras_tilt CHECK (tilt BETWEEN -90 AND 90),
    ADD CONSTRAINT ck_cameras_mount_height CHECK (mount_height > 0 AND mount_height < 500),
    ADD CONSTRAINT ck_cameras_focal_length CHECK (focal_length > 0),
    ADD CONSTRAINT ck_cameras_sensor_width CHECK (sensor_width > 0),
    ADD CONSTRAINT ck_cameras_sensor_height CHECK (sensor_height > 0),
    ADD CONSTRAINT ck_cameras_pixels_across CHECK (pixels_across > 0),
    ADD CONSTRAINT ck_cameras_pixels_down CHECK (pixels_down > 0),
    ADD CONSTRAINT ck_cameras_night_range CHECK (night_range >= 0);

ALTER TABLE hazards
    ADD CONSTRAINT uq_hazards_code UNIQUE (code),
    ADD CONSTRAINT ck_hazards_category CHECK (
        category IN (
            'geological', 'fire', 'gas', 'chemical', 'traffic', 'building', 'water', 'other'
        )
    ),
    ADD CONSTRAINT ck_hazards_level CHECK (level IN ('1', '2', '3', '4')),
    ADD CONSTRAINT ck_hazards_status CHECK (
        status IN ('found', 'assigned', 'rectifying', 'rectified', 'verified')
    ),
    ADD CONSTRAINT ck_hazards_source CHECK (
        source IN ('patrol', 'hotline', 'inspection', 'sensor', 'other')
    ),
    ADD CONSTRAINT ck_hazards_dates CHECK (closed_at >= found_at AND due_at >= found_at);

ALTER TABLE disputes
    ADD CONSTRAINT uq_disputes_code UNIQUE (code),
    ADD CONSTRAINT ck_disputes_category CHECK (
        category IN (
            'family', 'neighbour', 'property', 'land', 'labour', 'contract', 'consumer', 'medical',
            'traffic', 'environment', 'other'
        )
    ),
    ADD CONSTRAINT ck_disputes_scale CHECK (scale IN ('01', '02', '03')),
    ADD CONSTRAINT ck_disputes_level CHECK (level IN ('1', '2', '3', '4')),
    ADD CONSTRAINT ck_disputes_channel CHECK (
        channel IN ('grid', 'hotline', 'window', 'transfer', 'online', 'other')
    ),
    ADD CONSTRAINT ck_disputes_status CHECK (
        status IN ('registered', 'accepted', 'mediating', 'resolved', 'closed', 'escalated')
    ),
    ADD CONSTRAINT ck_disputes_dates CHECK (
        reported_at >= occurred_at AND due_at >= occurred_at AND closed_at >= occurred_at
    ),
    ADD CONSTRAINT ck_disputes_people CHECK (people >= 0),
    ADD CONSTRAINT ck_disputes_accuracy CHECK (accuracy >= 0);

ALTER TABLE alerts
    ADD CONSTRAINT uq_alerts_code UNIQUE (code),
    ADD CONSTRAINT ck_alerts_state CHECK (state IN ('open', 'acknowledged', 'closed')),
    ADD CONSTRAINT ck_alerts_p CHECK (p BETWEEN 0 AND 1),
    ADD CONSTRAINT ck_alerts_recurrence_interval CHECK (recurrence_interval > 0),
    ADD CONSTRAINT ck_alerts_observed CHECK (observed >= 0),
    ADD CONSTRAINT ck_alerts_expected CHECK (expected >= 0),
    ADD CONSTRAINT ck_alerts_window CHECK (window_end >= window_start);

ALTER TABLE changes
    ADD CONSTRAINT ck_changes_op CHECK (op IN ('I', 'U', 'D', 'T'));

CREATE INDEX ix_changes_xid ON changes (xid);
CREATE INDEX ix_changes_at ON changes (at);

ALTER TABLE changes_pruned
    ADD CONSTRAINT ck_changes_pruned_only CHECK ("only");

INSERT INTO changes_pruned ("only", xid) VALUES (true, '0');

ALTER TABLE accounts
    ADD CONSTRAINT ck_accounts_name CHECK (name ~ '^[0-9A-Za-z_.@-]{1,64}$'),
    ADD CONSTRAINT ck_accounts_role CHECK (role IN ('viewer', 'officer', 'editor', 'admin')),
    ADD CONSTRAINT ck_accounts_area CHECK (area ~ '^([*]|[0-9A-Za-z-]{1,32})$');

CREATE INDEX ix_sessions_account ON sessions (account);
CREATE INDEX ix_sessions_expires_at ON sessions (expires_at);

ALTER TABLE tokens
    ADD CONSTRAINT ck_tokens_role CHECK (role IN ('wall', 'viewer', 'officer', 'editor', 'admin')),
    ADD CONSTRAINT ck_tokens_area CHECK (area ~ '^([*]|[0-9A-Za-z-]{1,32})$');
