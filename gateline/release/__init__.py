"""What leaves: releases through the disclosure gate, and what is deleted when its time is over."""
