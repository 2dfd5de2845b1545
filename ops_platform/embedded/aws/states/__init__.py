"""Step Functions: the interpreter of moto, with the failure semantics of AWS."""
