"""Spatial interaction, rail-or-road choice, assignment of flow to stations and segments."""
