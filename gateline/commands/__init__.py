"""One command a module; `gateline.cli` calls them."""
