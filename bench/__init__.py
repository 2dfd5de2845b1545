"""How fast the platform is, measured against a floor taken in the same run: ``make bench``."""
