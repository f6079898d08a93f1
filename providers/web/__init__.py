"""At the edge of the web: who asks, what a URL says, what search engines read, and cells that are safe to hand out."""
