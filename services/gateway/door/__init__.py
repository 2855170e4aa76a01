"""The way of a request through the gateway: who knocks, at which division, and the page around the answer."""
