"""What torchvision publishes of its networks: parameters, operations, outputs, accuracies."""
