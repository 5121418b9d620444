"""Libraries of Django's template language."""
