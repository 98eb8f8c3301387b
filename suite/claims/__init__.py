"""What papers and libraries say, checked here."""
