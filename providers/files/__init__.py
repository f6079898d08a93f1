"""Files of images: the store, and where they wait when it fails."""
