"""The whole put together: the command line, one machine, the practice server, the demo."""
