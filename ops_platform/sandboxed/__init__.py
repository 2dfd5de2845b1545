"""What runs inside a sandbox, beside code of strangers: the standard library and nothing else."""
