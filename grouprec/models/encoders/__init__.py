"""Encoders: histories and attributes to vectors whose product is the predicted preference."""
