"""How much the speed of unchanged code varies, and what a gate can therefore see."""
