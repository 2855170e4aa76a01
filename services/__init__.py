"""The five divisions of the IT centre and the gateway before them."""
