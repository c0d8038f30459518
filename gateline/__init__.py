"""The application: command line, settings, workspace, pipeline, audit log and products."""

__version__ = "0.1.0"
