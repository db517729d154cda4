"""Profiles: every group as a distribution in latent space."""
