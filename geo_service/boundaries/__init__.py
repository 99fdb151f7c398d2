"""Editing of grid boundaries that cannot break the map."""
