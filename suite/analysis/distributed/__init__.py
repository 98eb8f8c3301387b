"""What training by several ranks costs: samples a second, bytes, communication, and a prediction for more ranks."""
