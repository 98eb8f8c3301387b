"""How often the gate and the rules of its peers cry wolf, and what they miss, on slowdowns that were planted."""
