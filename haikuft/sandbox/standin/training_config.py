"""The training configuration of the stand-in, from the hyperparameters of any base model.

A base model has the hyperparameters that AWS gives it. Those it lacks have fixed values here: the
batch size, and no early stopping. A learning rate is used relative to the model's default.
"""

from dataclasses import dataclass

from haikuft.base_models import BaseModel
from haikuft.hyperparameters import Hyperparameters


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """The configuration of a training.

    Attributes:
        epoch_count: Maximum passes over the training set.
        batch_size: Records for each update.
        learning_rate_multiplier: Scales the stand-in's own learning rates.
        early_stopping_threshold: Smallest decrease of the validation loss that counts.
        early_stopping_patience: Epochs in a row without such a decrease after which the
            training ends; 0 for no early stopping.
        warmup_steps: Updates in which the rates rise to their value.
    """

    epoch_count: int = 2
    batch_size: int = 32
    learning_rate_multiplier: float = 1.0
    early_stopping_threshold: float = 0.001
    early_stopping_patience: int = 2
    warmup_steps: int = 0


def build_training_config(
    base_model: BaseModel, hyperparameters: Hyperparameters
) -> TrainingConfig:
    """Build the configuration from a base model's hyperparameters."""
    rate = base_model.hyperparameters.get("learning_rate")
    scale = hyperparameters["learning_rate"] / rate.default if rate else 1.0
    return TrainingConfig(
        epoch_count=int(hyperparameters["epoch_count"]),
        batch_size=int(hyperparameters.get("batch_size", base_model.training_batch)),
        learning_rate_multiplier=hyperparameters.get("learning_rate_multiplier", scale),
        early_stopping_threshold=hyperparameters.get("early_stopping_threshold", 0.0),
        early_stopping_patience=int(hyperparameters.get("early_stopping_patience", 0)),
        warmup_steps=int(hyperparameters.get("learning_rate_warmup_steps", 0)),
    )
