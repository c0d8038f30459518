"""The only place that reads settings, writes between stages and knows their order."""
