"""Shelves counted in the database: popular, segment and bought-together. They need no model."""
