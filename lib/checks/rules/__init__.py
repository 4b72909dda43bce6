"""Checks that hold for many tables: each builds its queries from the registry or the settings."""
