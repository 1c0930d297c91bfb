"""How the stand-in trains, from what a job was given, whichever base model it names.

A base model has the hyperparameters that AWS gives it; what it lacks, the service chooses on AWS
and the recipe here: the size of a batch, and no early stopping. A learning rate acts by how it
compares with the model's default.
"""

from dataclasses import dataclass

from haikuft.base_models import BaseModel
from haikuft.hyperparameters import Hyperparameters


@dataclass(frozen=True, slots=True)
class Recipe:
    """What the stand-in trains by.

    Attributes:
        epoch_count: Most passes over the training set.
        batch_size: Records for each update.
        learning_rate_multiplier: Scales the stand-in's own learning rates.
        early_stopping_threshold: Smallest fall of the validation loss that counts.
        early_stopping_patience: Epochs in a row without such a fall that end the training; 0 for a
            training that never ends early.
        warmup_steps: Updates over which the rates rise to their value.
    """

    epoch_count: int = 2
    batch_size: int = 32
    learning_rate_multiplier: float = 1.0
    early_stopping_threshold: float = 0.001
    early_stopping_patience: int = 2
    warmup_steps: int = 0


def build_recipe(base_model: BaseModel, hyperparameters: Hyperparameters) -> Recipe:
    """Read a model's hyperparameters as a recipe."""
    rate = base_model.hyperparameters.get("learning_rate")
    scale = hyperparameters["learning_rate"] / rate.default if rate else 1.0
    return Recipe(
        epoch_count=int(hyperparameters["epoch_count"]),
        batch_size=int(hyperparameters.get("batch_size", base_model.training_batch)),
        learning_rate_multiplier=hyperparameters.get("learning_rate_multiplier", scale),
        early_stopping_threshold=hyperparameters.get("early_stopping_threshold", 0.0),
        early_stopping_patience=int(hyperparameters.get("early_stopping_patience", 0)),
        warmup_steps=int(hyperparameters.get("learning_rate_warmup_steps", 0)),
    )
