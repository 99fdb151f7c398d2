-- Analyses that are done behind the request: what was asked, how far it is, what came of it.

CREATE TABLE process_jobs (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    process text NOT NULL,
    inputs jsonb DEFAULT '{}'::jsonb NOT NULL,
    response text DEFAULT 'raw' NOT NULL,
    account text NOT NULL,
    role text NOT NULL,
    area text NOT NULL,
    state text DEFAULT 'accepted' NOT NULL,
    progress integer DEFAULT 0 NOT NULL,
    message jsonb,
    problem jsonb,
    -- Text that is sent as it is: nobody asks for parts of it.
    result json,
    created_at timestamptz DEFAULT now() NOT NULL,
    started_at timestamptz,
    updated_at timestamptz DEFAULT now() NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_process_jobs PRIMARY KEY (id),
    CONSTRAINT ck_process_jobs_state CHECK (
        state IN ('accepted', 'running', 'successful', 'failed', 'dismissed')
    ),
    CONSTRAINT ck_process_jobs_response CHECK (response IN ('raw', 'document')),
    CONSTRAINT ck_process_jobs_progress CHECK (progress BETWEEN 0 AND 100)
);
CREATE INDEX ix_process_jobs_account ON process_jobs (account, created_at DESC);

-- A result holds what its principal might see: whoever sees less must not see it.
ALTER TABLE process_jobs ENABLE ROW LEVEL SECURITY;
CREATE POLICY see ON process_jobs TO geo_service USING (
    starts_with(area, (SELECT geo.scope()))
);
GRANT SELECT, INSERT, UPDATE, DELETE ON process_jobs TO geo_service;
