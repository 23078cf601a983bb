"""Offline evaluation on files, for every capability: figures, tables, plots."""
