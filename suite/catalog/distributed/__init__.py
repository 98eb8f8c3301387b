"""The built-in distributed techniques, one file each: several processes train one network."""
