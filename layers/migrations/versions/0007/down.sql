DROP TABLE process_jobs;
