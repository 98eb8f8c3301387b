"""Values with units: reading what a user wrote, writing what a report shows."""
