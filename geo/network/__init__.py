"""Rail and road graphs, snapping, travel time."""
