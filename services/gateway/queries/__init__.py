"""What people ask of the gateway itself; nothing here changes anything."""
