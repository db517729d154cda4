"""A run on disk: store, configuration, progress, fitted stages, snapshot of a fit."""
