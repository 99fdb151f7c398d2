DROP TABLE what_if_sets;
DROP TABLE privacy_zones;
DELETE FROM changes WHERE layer = 'privacy_zones';
