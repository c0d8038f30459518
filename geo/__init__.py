"""Where things are and how they connect: sources, tables, networks, hotspots, corridors, disclosure."""
