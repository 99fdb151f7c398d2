"""What the map holds: the PostGIS layers of a township. Knows PostGIS, knows nothing of HTTP."""
