"""What is done at the gateway."""
