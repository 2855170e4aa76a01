"""What Alur is measured against: the bare limit, the way of the tutorials, and another help desk."""
