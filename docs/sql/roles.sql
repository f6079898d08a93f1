-- Two roles: arena owns the schema and runs migrations, arena_app reads and writes rows, and can change no table.
-- Run as a superuser in the site's database, after the first `migrate`; web processes and workers then use arena_app.
CREATE ROLE arena_app LOGIN PASSWORD 'change me';
REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO arena_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO arena_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO arena_app;
REVOKE INSERT, UPDATE, DELETE ON django_migrations FROM arena_app;
-- What later migrations create.
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO arena_app;
ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT USAGE, SELECT ON SEQUENCES TO arena_app;
