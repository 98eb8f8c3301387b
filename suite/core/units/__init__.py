"""Values with units: parsers for the texts of users, formats for reports."""
