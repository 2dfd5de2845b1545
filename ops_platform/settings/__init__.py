"""Typed settings, from ``ops_platform.toml`` and the environment.

``load`` reads them, ``model`` is the whole, and each table of the file has a module of its own.
"""
