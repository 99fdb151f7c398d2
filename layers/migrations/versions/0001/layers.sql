-- The layers of the first version.

SELECT geo.adopt('areas', 'geo.locate_area', NULL, '{admin}');
SELECT geo.adopt('grids', 'geo.locate_grid', NULL, '{admin}');
SELECT geo.adopt('buildings', 'geo.locate', NULL, '{editor,admin}');
SELECT geo.adopt('roads', 'geo.locate', NULL, '{editor,admin}');
SELECT geo.adopt('places', 'geo.locate', NULL, '{editor,admin}');
SELECT geo.adopt('cameras', 'geo.locate', NULL, '{editor,admin}');
SELECT geo.adopt('hazards', 'geo.locate', 'found_at', '{editor,admin}');
SELECT geo.adopt('disputes', 'geo.locate', 'occurred_at', '{editor,admin}');
SELECT geo.adopt('alerts', 'geo.locate', 'window_end', '{officer,editor,admin}');

CREATE TRIGGER follow_insert AFTER INSERT ON grids REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION geo.follow_grids();
CREATE TRIGGER follow_update AFTER UPDATE ON grids
REFERENCING NEW TABLE AS new_rows OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION geo.follow_grids();
CREATE TRIGGER follow_delete AFTER DELETE ON grids REFERENCING OLD TABLE AS old_rows
FOR EACH STATEMENT EXECUTE FUNCTION geo.follow_grids();
CREATE TRIGGER follow_insert AFTER INSERT ON areas REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION geo.follow_areas();
CREATE TRIGGER follow_update AFTER UPDATE ON areas REFERENCING NEW TABLE AS new_rows
FOR EACH STATEMENT EXECUTE FUNCTION geo.follow_areas();
CREATE CONSTRAINT TRIGGER check_coverage AFTER INSERT OR UPDATE OR DELETE ON grids
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION geo.check_coverage();
CREATE INDEX ix_grids_parent ON grids (parent);
CREATE INDEX ix_areas_parent ON areas (parent);
