-- Back to an empty database. The role and PostGIS belong to the whole cluster and stay.

DROP SCHEMA geo CASCADE;
DROP TABLE
    alerts, disputes, hazards, cameras, places, roads, buildings, grids, areas,
    changes, changes_pruned, sessions, accounts, tokens;
