"""K-20: main() of section 5.2, of which it is asked what it reports; it is read and never run to its end."""

import torch

from suite.claims.programs.network import ArticleCNN


def main() -> None:
    print("Training baseline model...")
    baseline_model = ArticleCNN().to("cuda")
    print("\nTraining with mixed precision...")
    amp_model = ArticleCNN().to("cuda")
    print("\nPruning model...")
    pruned_model = ArticleCNN().to("cuda")
    print("\nQuantizing model...")
    quantized_model = torch.ao.quantization.quantize_dynamic(ArticleCNN())

    def get_model_size(model: torch.nn.Module) -> int:
        return sum(p.numel() for p in model.parameters())

    print("\nModel sizes:")
    print(f"Baseline: {get_model_size(baseline_model):,} parameters")
    print(f"AMP: {get_model_size(amp_model):,} parameters")
    print(f"Pruned: {get_model_size(pruned_model):,} parameters")
    print(f"Quantized: {get_model_size(quantized_model):,} parameters")


if __name__ == "__main__":
    main()
