"""At the edge of the web: who asks, what a URL says, and cells that are safe to hand out."""
