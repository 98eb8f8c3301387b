"""K-03: main() as printed moves its first network to 'cuda', whether there is one or not."""

from suite.claims.programs.network import ArticleCNN

if __name__ == "__main__":
    ArticleCNN().to("cuda")
