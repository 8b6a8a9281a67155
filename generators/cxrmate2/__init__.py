"""CXRMate-2."""
