"""``python -m gateline``."""

from gateline.cli import main

main()
