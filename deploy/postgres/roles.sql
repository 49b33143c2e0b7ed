-- Two roles for one gateway on PostgreSQL 15 or later: whoever runs the gateway cannot change the journal.
--
--   gateway_owner    owns the tables and runs migrations; nobody stays signed in as it
--   gateway_service  runs the gateway: reads and writes rows, and of the journal only reads and adds them
--
-- Run it once, in the gateway's own database, as a superuser; running it again changes nothing:
--
--     psql --dbname gateway --file roles.sql
--
-- Then make the two logins, with passwords or certificates of your own:
--
--     CREATE ROLE gateway_admin LOGIN PASSWORD '...' IN ROLE gateway_owner;
--     ALTER ROLE gateway_admin SET role = 'gateway_owner';      -- what it makes belongs to the owner
--     CREATE ROLE gateway_run LOGIN PASSWORD '...' IN ROLE gateway_service;
--
-- and run the migrations as gateway_admin with the setting service_role; they give gateway_service its rights, also on
-- tables that later versions add:
--
--     GATEWAY_DATABASE=postgresql://gateway_admin@host/gateway GATEWAY_SERVICE_ROLE=gateway_service gateway doctor --upgrade
--
-- A database that was migrated under another role before: REASSIGN OWNED BY that_role TO gateway_owner; then the migrations.

DO $$
BEGIN
    CREATE ROLE gateway_owner NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    CREATE ROLE gateway_service NOLOGIN;
EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;
END
$$;

DO $$
BEGIN
    EXECUTE format('REVOKE ALL ON DATABASE %I FROM PUBLIC', current_database());
    EXECUTE format('GRANT CONNECT ON DATABASE %I TO gateway_owner, gateway_service', current_database());
END
$$;

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE, CREATE ON SCHEMA public TO gateway_owner;
GRANT USAGE ON SCHEMA public TO gateway_service;
