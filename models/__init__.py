"""What it means: features, estimators, judging, uncertainty, reasons, planning."""
