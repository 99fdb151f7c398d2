CREATE EXTENSION IF NOT EXISTS postgis;

-- The role that the service works as: no superuser, no owner, no BYPASSRLS. Roles belong to the
-- whole cluster, so it may be there already.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'geo_service') THEN
        CREATE ROLE geo_service NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'geo_service', 'MEMBER') THEN
        EXECUTE format('GRANT geo_service TO %I', current_user);
    END IF;
EXCEPTION WHEN duplicate_object OR unique_violation THEN
    NULL;  -- another database of the same cluster is being made at this moment
END $$;
