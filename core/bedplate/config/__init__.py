"""Settings: schema, loading, storing."""
