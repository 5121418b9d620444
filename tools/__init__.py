"""What development of fsbridge needs and its users don't."""
