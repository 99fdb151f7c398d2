-- What came of each operation of a draft, instead of what came of every hundredth: to open a draft of
-- thousands, or to undo its last, nothing is replayed.

-- m² moved, gained from outside and left to it; null where draft_shapes does not hold what came of it.
ALTER TABLE draft_operations
    ADD COLUMN areas double precision [],
    ADD CONSTRAINT ck_draft_operations_areas CHECK (cardinality(areas) = 3);

-- The grids that an operation in force changed, as WKB; null for one that is gone. Nothing is lost with
-- these rows: a full replay gives the same, and is what counts.
CREATE TABLE draft_shapes (
    draft uuid NOT NULL,
    seq integer NOT NULL,
    code text NOT NULL,
    shape bytea,
    CONSTRAINT pk_draft_shapes PRIMARY KEY (draft, code, seq),
    CONSTRAINT fk_draft_shapes_operation FOREIGN KEY (draft, seq)
    REFERENCES draft_operations (draft, seq) ON DELETE CASCADE
);
CREATE INDEX ix_draft_shapes_seq ON draft_shapes (draft, seq);
ALTER TABLE draft_shapes ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON draft_shapes FOR SELECT TO geo_service USING (
    EXISTS (SELECT FROM drafts AS d WHERE d.id = draft_shapes.draft)
);
CREATE POLICY change ON draft_shapes TO geo_service USING (
    (SELECT geo.role()) = ANY ('{editor,admin}'::text [])
    AND EXISTS (SELECT FROM drafts AS d WHERE d.id = draft_shapes.draft)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON draft_shapes TO geo_service;

DROP TABLE draft_checkpoints;
