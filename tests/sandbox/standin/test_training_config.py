"""From a job's hyperparameters to what the stand-in trains by."""

import pytest

from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, NOVA_MICRO, BaseModel
from haikuft.hyperparameters import build_hyperparameters
from haikuft.sandbox.standin.training_config import TrainingConfig, build_training_config


def test_recipe_of_claude_is_its_five_hyperparameters() -> None:
    """They are taken as they are."""
    chosen = build_hyperparameters(epoch_count=3, batch_size=16, learning_rate_multiplier=0.5)
    assert build_training_config(CLAUDE_3_HAIKU, chosen) == TrainingConfig(3, 16, 0.5, 0.001, 2)


def test_recipe_of_nova_scales_by_its_learning_rate_and_never_ends_early() -> None:
    """Ten times the default rate is ten times the step; the batch is the service's own."""
    chosen = build_hyperparameters(NOVA_MICRO, learning_rate=1e-4, learning_rate_warmup_steps=5)
    assert build_training_config(NOVA_MICRO, chosen) == TrainingConfig(
        epoch_count=2,
        batch_size=NOVA_MICRO.training_batch,
        learning_rate_multiplier=pytest.approx(10.0),
        early_stopping_threshold=0.0,
        early_stopping_patience=0,
        warmup_steps=5,
    )


@pytest.mark.parametrize("model", BASE_MODELS.values(), ids=lambda model: model.name)
def test_recipe_of_any_model_comes_from_its_data(model: BaseModel) -> None:
    """A new family needs no code here."""
    config = build_training_config(model, build_hyperparameters(model))
    assert config.epoch_count >= 1
    assert config.batch_size >= 1
