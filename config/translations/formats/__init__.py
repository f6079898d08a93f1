"""How dates are written, by language: templates name a form (`date:"DATE_FORMAT"`), never a pattern."""
