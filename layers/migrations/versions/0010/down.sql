ALTER TABLE drafts DROP COLUMN scheduled_by;
DROP FUNCTION geo.limits_about(text);
DROP VIEW household_limits_in_force;
DROP TABLE household_limits;

CREATE TABLE draft_checkpoints (
    draft uuid NOT NULL,
    seq integer NOT NULL,
    codes text [] NOT NULL,
    shapes bytea [] NOT NULL,
    CONSTRAINT pk_draft_checkpoints PRIMARY KEY (draft, seq),
    CONSTRAINT fk_draft_checkpoints_draft FOREIGN KEY (draft) REFERENCES drafts (id) ON DELETE CASCADE
);
ALTER TABLE draft_checkpoints ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON draft_checkpoints FOR SELECT TO geo_service USING (
    EXISTS (SELECT FROM drafts AS d WHERE d.id = draft_checkpoints.draft)
);
CREATE POLICY change ON draft_checkpoints TO geo_service USING (
    (SELECT geo.role()) = ANY ('{editor,admin}'::text [])
    AND EXISTS (SELECT FROM drafts AS d WHERE d.id = draft_checkpoints.draft)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON draft_checkpoints TO geo_service;
DROP TABLE draft_shapes;
ALTER TABLE draft_operations DROP COLUMN areas;
