"""What may be shown: population quadtree, suppression, release ledger."""
