-- An approved draft may wait for a day: whoever published it is told in scheduled_by, the day in valid_from.

ALTER TABLE drafts
    ADD COLUMN scheduled_by text,
    ADD CONSTRAINT ck_drafts_scheduled CHECK (
        scheduled_by IS NULL OR (state = 'approved' AND valid_from IS NOT NULL)
    );
