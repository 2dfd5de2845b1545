"""An extension of Metaflow's: its environments of ``@conda`` and ``@pypi``, but unresolved."""

ENVIRONMENTS_DESC = [
    ("conda", ".unresolved.UnresolvedConda"),
    ("pypi", ".unresolved.UnresolvedPypi"),
]
