"""The standard faces: OGC API Features and OGC API Tiles."""
