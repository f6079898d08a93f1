"""Places. Each function appends its layers, far to near, to a scene."""
