"""The Tornado application: one module per resource, push, uploads, OpenAPI, security."""
