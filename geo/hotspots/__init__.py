"""Clusters, local statistics, densities, time, and the judging of them all."""
