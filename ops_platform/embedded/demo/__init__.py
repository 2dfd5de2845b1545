"""What `ops-platform embedded up --demo` shows."""
