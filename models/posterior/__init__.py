"""The posterior over county lines: one model of how many courier trips go where, moved by all that a force knows."""
