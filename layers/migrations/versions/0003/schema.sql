-- A schema of its own: procrastinate's names are unqualified, so whoever uses them sets the path.

CREATE SCHEMA jobs;
SET LOCAL search_path = jobs, public;
