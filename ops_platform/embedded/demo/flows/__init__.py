"""The flows of the demo, as users write them: each file is a program of its own."""
