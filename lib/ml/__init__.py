"""Readiness and model: the matrix that is trained on, its gate, the training, what the model is worth, predictions."""
