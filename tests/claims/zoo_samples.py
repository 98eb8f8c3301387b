"""An entry and its counts as torchvision has them."""

from suite.catalog.zoo.entries import ZooEntry
from suite.claims.torchvision.counts import Counts

ENTRY = ZooEntry(
    model="squeezenet1_1", weights="IMAGENET1K_V1", pixels=224, parameters=1_235_496, gmacs=0.349, accuracy=58.178
)
COUNTS = Counts(parameters=1_235_496, macs=349_151_936, bytes=4_941_984)
