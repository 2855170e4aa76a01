"""The door of the centre: who people are, their sessions and tokens, and the page around the divisions' pages."""
