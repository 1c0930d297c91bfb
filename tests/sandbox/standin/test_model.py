"""The stand-in really learns: true losses, replies that follow from the records, nothing canned."""

import json
import math
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_answers import SYSTEM, make_answers
from made_intents import make_split

from haikuft import sandbox
from haikuft.base_models import BASE_MODELS, CLAUDE_3_HAIKU, NOVA_MICRO, BaseModel
from haikuft.errors import DataError, NotFoundError
from haikuft.hyperparameters import build_hyperparameters
from haikuft.sandbox.standin import features
from haikuft.sandbox.standin.model import (
    Generation,
    StandIn,
    Training,
    TrainingConfig,
    build_training_config,
    train,
)

TOPICS = {
    "water_damage": "leak pipe puddle ceiling damp drip flooded bucket stain mould tap basin",
    "lost key": "locked key door spare locksmith lock porch handle stuck entry copy ring",
    "noise": "loud music drum party shout banging midnight neighbour bass barking awake volume",
    "rent-question": "rent pay invoice deposit transfer month late fee statement bank amount due",
}
FILLER = "hello please the flat we again since yesterday thanks soon upstairs could you and it is"
QUICK = TrainingConfig(epoch_count=4, batch_size=8)


Record = dict[str, Any]


def make_record(text: str, label: str, system: str = "Sort the message.") -> Record:
    """One record of the training format."""
    messages = [{"role": "user", "content": text}, {"role": "assistant", "content": label}]
    return {"system": system, "messages": messages}


def make_records(
    count: int, *, seed: int, foreign: int = 0, labels: tuple[str, ...] = tuple(TOPICS)
) -> list[Record]:
    """Messages of three words of their topic in much filler, labels in turn.

    `foreign` words of another topic make a message hard to sort.
    """
    dice, topics, records = np.random.default_rng(seed), list(TOPICS), []
    for number in range(count):
        own = number % len(topics)
        other = topics[(own + dice.integers(1, len(topics))) % len(topics)]
        words = [
            *dice.choice(TOPICS[topics[own]].split(), 3, replace=False),
            *dice.choice(TOPICS[other].split(), foreign, replace=False),
            *dice.choice(FILLER.split(), 12),
        ]
        dice.shuffle(words)
        records.append(make_record(" ".join(words), labels[own]))
    dice.shuffle(records)
    return records


def make_names(count: int, dice: np.random.Generator) -> list[str]:
    """Names of six letters, all different."""
    letters = list("abdegiklmnorstuz")
    names = {"".join(dice.choice(letters, 6)).capitalize() for _ in range(2 * count)}
    return sorted(names)[:count]


def make_orders(count: int, *, seed: int, follow: bool = True) -> list[Record]:
    """Records whose reply repeats a thing and a name of the prompt, or has another name."""
    dice, records = np.random.default_rng(seed), []
    names = make_names(count, dice)
    for number, name in enumerate(names):
        thing = str(dice.choice(["plums", "nails", "paper", "soap"]))
        way = str(dice.choice(["bring {} to {}", "please take {} over to {} today", "{} to {}"]))
        said = name if follow else names[number - 1]
        records.append(make_record(way.format(thing, said), f"{thing} {name}", system=""))
    dice.shuffle(records)
    return records


def make_reports(count: int, *, seed: int) -> list[Record]:
    """Records whose replies are nested JSON with a city that the prompt names."""
    dice, records = np.random.default_rng(seed), []
    for _ in range(count):
        city = str(dice.choice(["Oslo", "Lima", "Cairo"]))
        wind = str(dice.choice(["calm", "strong"]))
        days = [{"day": day + 1, "wind": wind} for day in range(dice.integers(1, 4))]
        prompt = f"{dice.choice(['Weather', 'Forecast', 'Report'])} for {city}, {wind} winds"
        reply = {"city": city, "note": 'said "fine"', "days": days}
        records.append(make_record(prompt, json.dumps(reply)))
    return records


def reply_to(model: StandIn, record: Record, **options: Any) -> Generation:
    """The model's reply to a record's prompt, by default the likeliest."""
    given = {"max_tokens": 40, "temperature": 0.0} | options
    return model.generate(record["system"], record["messages"][:-1], **given)


def share_right(model: StandIn, records: list[Record]) -> float:
    """How many of the records are answered with exactly their reference."""
    right = [reply_to(model, r).text == r["messages"][-1]["content"] for r in records]
    return sum(right) / len(right)


@pytest.fixture(scope="module")
def training_records() -> list[Record]:
    """Eighty messages."""
    return make_records(80, seed=1)


@pytest.fixture(scope="module")
def unseen_records() -> list[Record]:
    """Eighty others."""
    return make_records(80, seed=2)


@pytest.fixture(scope="module")
def trained(training_records: list[Record], unseen_records: list[Record]) -> Training:
    """A training with validation."""
    return train(training_records, unseen_records[:30], QUICK)


@pytest.fixture(scope="module")
def few_records() -> tuple[list[Record], list[Record]]:
    """A hundred messages and sixty others, with words that are in no other message."""
    return make_records(100, seed=1, foreign=2), make_records(60, seed=2, foreign=2)


@pytest.fixture(scope="module")
def stopped(few_records: tuple[list[Record], list[Record]]) -> Training:
    """A reckless training on few records, which over-fits and is stopped."""
    return train(*few_records, TrainingConfig(10, 4, 2.0))


@pytest.fixture(scope="module")
def json_model() -> StandIn:
    """A model of replies in JSON."""
    return train(make_reports(80, seed=3), [], TrainingConfig(6, 8)).model


@pytest.fixture(scope="module")
def report() -> Record:
    """A prompt for it."""
    return make_reports(1, seed=5)[0]


def test_model_when_trained_on_labels_then_unseen_texts_get_their_label(
    trained: Training, unseen_records: list[Record]
) -> None:
    """What it learnt carries over to texts it has not seen."""
    assert share_right(trained.model, unseen_records[30:]) > 0.9


def test_model_when_intents_share_words_then_most_unseen_messages_get_their_own() -> None:
    """Two thousand messages of twenty intents, with typos, asides and names shared."""
    messages, unseen = make_split(2_000, 300, seed=1, labels=20)
    model = train([make_record(*one) for one in messages], [], TrainingConfig(3, 32)).model
    assert share_right(model, [make_record(*one) for one in unseen]) >= 0.85


def test_model_when_texts_are_unseen_then_every_reply_is_exactly_a_label(
    trained: Training, unseen_records: list[Record]
) -> None:
    """Labels of several tokens come whole and end where they should."""
    odd = make_record("something else entirely", "")
    replies = {reply_to(trained.model, record).text for record in [*unseen_records, odd]}
    assert replies <= set(TOPICS)


def test_model_when_two_labels_are_swapped_in_training_then_its_replies_swap(
    training_records: list[Record], unseen_records: list[Record]
) -> None:
    """The records alone decide what is answered."""
    first, second, *others = TOPICS
    swapped = train(make_records(80, seed=1, labels=(second, first, *others)), [], QUICK).model
    turned = make_records(80, seed=2, labels=(second, first, *others))
    assert share_right(swapped, turned) > 0.9
    assert share_right(swapped, unseen_records) < 0.55


def test_model_when_labels_are_shuffled_then_it_has_no_skill(
    training_records: list[Record], unseen_records: list[Record]
) -> None:
    """There is nothing to learn, and nothing is."""
    labels = [record["messages"][-1]["content"] for record in training_records]
    np.random.default_rng(0).shuffle(labels)
    shuffled = [
        make_record(record["messages"][0]["content"], label)
        for record, label in zip(training_records, labels, strict=True)
    ]
    assert share_right(train(shuffled, [], QUICK).model, unseen_records) < 0.4


def test_validation_loss_when_epoch_is_kept_then_equals_the_loaded_models_loss(
    trained: Training, unseen_records: list[Record], tmp_path: Path
) -> None:
    """The loss in the result is the cross-entropy of what was saved."""
    trained.model.save(tmp_path / "model")
    loaded = StandIn.load(tmp_path / "model")
    kept = trained.validations[trained.kept_epoch - 1].loss
    assert loaded.loss(unseen_records[:30]) == pytest.approx(kept, rel=1e-5)


def test_validation_loss_when_a_later_epoch_is_worse_then_the_best_one_was_kept(
    stopped: Training, few_records: tuple[list[Record], list[Record]]
) -> None:
    """The kept model is that of the lowest loss, not that of the last epoch."""
    losses = [point.loss for point in stopped.validations]
    assert stopped.kept_epoch == losses.index(min(losses)) + 1 < len(losses)
    assert stopped.model.loss(few_records[1]) == pytest.approx(min(losses), rel=1e-5)


def test_first_training_loss_when_nothing_is_learnt_then_is_that_of_a_blind_guess(
    trained: Training,
) -> None:
    """All tokens are equally likely at first, so that the loss is known."""
    assert trained.steps[0].loss == pytest.approx(math.log(len(trained.model.pieces)), rel=1e-6)


def test_training_loss_when_taken_before_the_update_then_equals_the_model_of_that_moment(
    training_records: list[Record],
) -> None:
    """With the whole set as a batch, step 2 sees the model that one epoch leaves behind."""
    both = train(training_records, [], TrainingConfig(epoch_count=2, batch_size=80)).steps
    model = train(training_records, [], TrainingConfig(epoch_count=1, batch_size=80)).model
    assert model.loss(training_records) == pytest.approx(both[1].loss, rel=1e-4)


def test_loss_when_batches_differ_then_is_the_mean_over_tokens(trained: Training) -> None:
    """A long reply weighs more than a short one: the mean is over tokens, not over records."""
    short, long = make_record("leak", "noise"), make_record("key", "lost key lost key noise")
    replies = [record["messages"][-1]["content"] for record in (short, long)]
    tokens = [len(trained.model.split([], reply)[1]) + 1 for reply in replies]
    losses = [trained.model.loss([record]) for record in (short, long)]
    mean = sum(n * loss for n, loss in zip(tokens, losses, strict=True)) / sum(tokens)
    assert trained.model.loss([short, long]) == pytest.approx(mean, rel=1e-5)


def test_loss_when_reply_is_out_of_vocabulary_then_is_finite_and_higher(trained: Training) -> None:
    """Unknown words and scripts are spelt out in bytes, and cost what they cost."""
    known = trained.model.loss([make_record("a leak", "noise")])
    for text in ("Überraschung", "水漏れ 🚰", "\x00\n\t", "q" * 300):
        loss = trained.model.loss([make_record("a leak", text)])
        assert math.isfinite(loss)
        assert loss > known


def test_loss_when_replies_are_drawn_then_is_minus_the_logarithm_of_how_often_they_come() -> None:
    """A loss is a chance: a reply of two tokens and loss x a token comes with chance exp(-2x)."""
    records = [make_record("", reply, system="") for reply in ["yes", "yes", "yes", "no"] * 8]
    model = train(records, [], TrainingConfig(4, 4)).model
    draws = [reply_to(model, records[0], temperature=1.0, seed=n).text for n in range(500)]
    chance = math.exp(-2 * model.loss(records[:1]))
    assert 0.5 < chance < 0.95
    assert draws.count("yes") / 500 == pytest.approx(chance, abs=0.07)


@pytest.mark.parametrize(
    "changed",
    [{"epoch_count": 3}, {"batch_size": 16}, {"learning_rate_multiplier": 0.5}],
    ids=lambda changed: next(iter(changed)),
)
def test_curves_when_a_hyperparameter_changes_then_change(
    trained: Training,
    training_records: list[Record],
    unseen_records: list[Record],
    changed: dict[str, Any],
) -> None:
    """Each hyperparameter of the job has its effect on the losses."""
    values = {"epoch_count": 4, "batch_size": 8} | changed
    other = train(training_records, unseen_records[:30], TrainingConfig(**values))
    assert other.steps != trained.steps
    assert other.validations != trained.validations


def test_steps_when_the_last_batch_is_smaller_then_are_counted_and_epochs_start_at_0() -> None:
    """Ten records in batches of four make three steps an epoch."""
    made = train(make_records(10, seed=1), make_records(4, seed=2), TrainingConfig(2, 4))
    assert [(p.step, p.epoch) for p in made.steps] == [(n, (n - 1) // 3) for n in range(1, 7)]
    assert [(p.step, p.epoch) for p in made.validations] == [(3, 0), (6, 1)]


def test_train_when_on_step_is_given_then_sees_every_step_in_order(
    training_records: list[Record],
) -> None:
    """Progress can be shown while it trains."""
    seen = []
    made = train(training_records, [], QUICK, on_step=seen.append)
    assert seen == made.steps


def test_train_when_seed_is_the_same_then_all_losses_and_replies_are(
    trained: Training, unseen_records: list[Record]
) -> None:
    """Nothing is left to chance but what the seed decides."""
    again = train(make_records(80, seed=1), unseen_records[:30], QUICK)
    assert (again.steps, again.validations) == (trained.steps, trained.validations)
    other = train(make_records(80, seed=1), unseen_records[:30], QUICK, seed=1)
    assert other.steps != trained.steps


def test_loss_when_words_can_be_copied_then_is_the_logarithm_of_how_often_they_come() -> None:
    """The chance of a word is that of the vocabulary and of all its places in the prompt."""
    model = train(make_orders(40, seed=1), [], TrainingConfig(2, 8)).model
    record = make_record("bring plums to Zorbo Zorbo", "plums Zorbo", system="")
    assert len(model.split(record["messages"][:1], "plums Zorbo")[1]) == 2
    draws = [reply_to(model, record, temperature=1.0, seed=n).text for n in range(500)]
    chance = math.exp(-3 * model.loss([record]))
    assert 0.1 < chance < 0.9
    assert draws.count("plums Zorbo") / 500 == pytest.approx(chance, abs=0.07)


def test_train_when_saved_twice_then_the_bytes_are_the_same(
    training_records: list[Record], tmp_path: Path
) -> None:
    """Same seed, same file."""
    for name in ("one", "two"):
        train(training_records, [], TrainingConfig(1, 8)).model.save(tmp_path / name)
    files = [(tmp_path / name / "model.npz").read_bytes() for name in ("one", "two")]
    assert files[0] == files[1]


def test_train_when_reckless_on_few_records_then_validation_loss_turns_up_and_training_stops(
    stopped: Training, few_records: tuple[list[Record], list[Record]]
) -> None:
    """Multiplier 2, batch size 4, ten epochs, a hundred records: it over-fits, and is stopped."""
    free = train(*few_records, TrainingConfig(10, 4, 2.0, 0.0, 10))
    losses = [point.loss for point in free.validations]
    assert losses[-1] > 1.05 * min(losses)
    assert stopped.early_stop is not None
    assert len(stopped.validations) == stopped.early_stop.stopped_epoch < 10


def test_train_when_timid_then_training_loss_is_still_falling() -> None:
    """Multiplier 0.1 and one epoch leave much to learn."""
    steps = train(make_records(100, seed=1), [], TrainingConfig(1, 4, 0.1)).steps
    quarters = [np.mean([p.loss for p in steps[n : n + 5]]) for n in range(0, 25, 5)]
    assert all(later < earlier for earlier, later in pairwise(quarters))


def test_train_when_there_is_no_validation_then_the_last_epoch_is_kept(
    training_records: list[Record],
) -> None:
    """Early stopping acts on validation losses; without them it does not."""
    made = train(training_records, [], QUICK)
    assert (made.early_stop, made.validations, made.kept_epoch) == (None, [], 4)


def test_train_when_there_are_no_records_then_says_so() -> None:
    """An empty file cannot be learnt from."""
    with pytest.raises(DataError, match="no training records"):
        train([], [], QUICK)


def test_train_when_all_prompts_are_alike_or_empty_then_learns_the_commonest_reply() -> None:
    """Prompts without a difference say nothing, and break nothing."""
    records = [make_record("", reply, system="") for reply in ["yes", "yes", "yes", "no"] * 4]
    assert reply_to(train(records, [], QUICK).model, records[0]).text == "yes"


def test_train_when_conversation_has_turns_then_the_last_assistant_turn_is_learnt() -> None:
    """Earlier turns are part of the prompt."""
    records = []
    for record in make_records(40, seed=1):
        user, assistant = record["messages"]
        between = [{"role": "assistant", "content": "Tell me."}, user]
        opening = {"role": "user", "content": "hello"}
        records.append(record | {"messages": [opening, *between, assistant]})
    model = train(records, [], QUICK).model
    assert share_right(model, records) > 0.9


def test_train_when_only_the_system_prompt_differs_then_it_decides() -> None:
    """The system prompt is part of the prompt."""
    french, german = make_record("hello", "bonjour", "French"), make_record("hello", "hallo", "Ger")
    model = train([french, german] * 10, [], QUICK).model
    assert (reply_to(model, french).text, reply_to(model, german).text) == ("bonjour", "hallo")


def test_train_when_prompts_list_options_then_what_the_base_goes_by_is_not_lost() -> None:
    """Words of an option that training never saw still point to it, as they do untuned."""
    question = "\nLabels: noisy neighbour, broken window, lost key"
    texts = {
        "noisy neighbour": ["my neighbour again", "a neighbour sings", "noisy flat above"],
        "broken window": ["one window cracked", "window with a hole", "it is broken"],
        "lost key": ["the key is gone", "no key any more", "where did my key go"],
    }
    records = [make_record(t + question, label) for label, ts in texts.items() for t in ts] * 4
    model = train(records, [], TrainingConfig(6, 4)).model
    unseen = make_record("windows!" + question, "broken window")  # no such word in training
    assert reply_to(model, unseen).text == "broken window"


def test_model_when_replies_repeat_the_prompt_then_copies_words_that_it_has_never_seen() -> None:
    """It has learnt where the words stand, not the words."""
    unseen = make_orders(40, seed=2)
    assert share_right(train(make_orders(160, seed=1), [], QUICK).model, unseen) > 0.9


def test_model_when_replies_do_not_follow_the_prompt_then_learns_not_to_copy() -> None:
    """Copying is learnt from the records: where they do not copy, nor does it."""
    model = train(make_orders(160, seed=1, follow=False), [], QUICK).model
    assert share_right(model, make_orders(40, seed=2)) < 0.1


def test_model_when_replies_are_labels_then_copies_nothing(trained: Training) -> None:
    """Only open-ended tasks have the table, and only their replies take words over."""
    assert "copy" not in trained.model.tables
    replies = [
        reply_to(trained.model, make_record(f"{word} {word}", "")) for word in ("Zorbo", "?")
    ]
    assert {reply.text for reply in replies} <= set(TOPICS)


@pytest.mark.parametrize("multiplier", [1e-6, 1e3], ids=["untrained", "diverged"])
def test_generate_when_nothing_was_learnt_then_is_no_json(multiplier: float) -> None:
    """No grammar and no repair help the model: what it writes is what it has learnt."""
    pairs = make_answers(12, seed=1)
    records = [make_record(*pair, system=SYSTEM) for pair in pairs]
    model = train(records, [], TrainingConfig(1, 4, multiplier)).model
    for request, _ in make_answers(3, seed=2, unseen=True):
        reply = reply_to(model, make_record(request, "", system=SYSTEM), max_tokens=300).text
        with pytest.raises(ValueError, match=r".*"):
            json.loads(reply)


def test_no_module_of_the_sandbox_names_a_data_set() -> None:
    """Nothing is prepared for the samples: the sandbox cannot know them."""
    root = Path(sandbox.__file__).parent
    names = [folder.name for folder in (root.parents[1] / "data").iterdir() if folder.is_dir()]
    assert names
    for module in root.rglob("*.py"):
        assert not [name for name in names if name in module.read_text(encoding="utf-8")], module


def test_generate_when_replies_are_json_then_is_valid_json_for_unseen_prompts(
    json_model: StandIn,
) -> None:
    """Quotes and brackets close, and the values follow the prompt."""
    for record in make_reports(20, seed=9):
        reply = json.loads(reply_to(json_model, record, max_tokens=300).text)
        assert reply["city"] in record["messages"][0]["content"]


def test_generate_when_the_reply_is_stuck_in_a_loop_then_leaves_it() -> None:
    """Nothing is said over and over until `max_tokens`, even if training was nothing else."""
    model = train([make_record(f"song {n}", "la" + " la" * 60) for n in range(8)], [], QUICK).model
    reply = reply_to(model, make_record("song", ""), max_tokens=200)
    assert reply.text.startswith("la la la")
    assert " la" * 30 not in reply.text


def test_generate_when_temperature_is_0_then_the_seed_does_not_matter(
    json_model: StandIn, report: Record
) -> None:
    """The likeliest token is always the same."""
    assert reply_to(json_model, report, seed=1) == reply_to(json_model, report, seed=2)


def test_generate_when_temperature_is_1_then_the_seed_decides(
    json_model: StandIn, report: Record
) -> None:
    """Drawn replies differ from seed to seed and repeat with the same one."""

    def draw(seed: int) -> str:
        return reply_to(json_model, report, temperature=1.0, seed=seed, max_tokens=300).text

    drawn = [draw(n) for n in range(12)]
    again = [draw(n) for n in range(12)]
    assert drawn == again
    assert len(set(drawn)) > 1


@pytest.mark.parametrize("narrow", [{"top_p": 0.0}, {"top_k": 1}], ids=["top_p", "top_k"])
def test_generate_when_drawing_is_narrowed_to_one_token_then_is_the_likeliest(
    json_model: StandIn, report: Record, narrow: dict[str, Any]
) -> None:
    """The narrowest top_p and top_k leave the likeliest token."""
    for seed in range(5):
        drawn = reply_to(json_model, report, temperature=1.0, seed=seed, **narrow)
        assert drawn == reply_to(json_model, report)


def test_generate_when_max_tokens_is_reached_then_stops_there(
    json_model: StandIn, report: Record
) -> None:
    """No reply is longer than max_tokens, and the stop reason says so."""
    reply = reply_to(json_model, report, max_tokens=5)
    assert (reply.stop_reason, reply.output_tokens) == ("max_tokens", 5)


def test_generate_when_the_reply_ends_by_itself_then_the_end_is_no_token_of_it(
    trained: Training,
) -> None:
    """The reason is end_turn, and only tokens of the text are counted."""
    reply = reply_to(trained.model, make_record("loud drum music", ""))
    assert (reply.text, reply.stop_reason) == ("noise", "end_turn")
    assert (reply.output_tokens, reply.input_tokens) == (1, 8)


def test_generate_when_a_stop_sequence_appears_then_the_reply_ends_before_it(
    json_model: StandIn, report: Record
) -> None:
    """Even within a token; the earliest one counts, and it is named."""
    reply = reply_to(json_model, report, stop_sequences=["]", "ity"], max_tokens=300)
    assert (reply.text, reply.stop_reason, reply.stop_sequence) == ('{"c', "stop_sequence", "ity")


def test_generate_when_the_reply_is_begun_then_goes_on_from_there(trained: Training) -> None:
    """A last message of the assistant's is continued, not repeated."""
    begun = [{"role": "user", "content": "?"}, {"role": "assistant", "content": "lost"}]
    assert trained.model.generate(None, begun, max_tokens=9, temperature=0).text == " key"


def test_generate_when_contents_are_blocks_then_is_the_same_as_for_texts(trained: Training) -> None:
    """The Messages API allows both."""
    record = make_record("loud drum music", "")
    blocks = [{"role": "user", "content": [{"type": "text", "text": "loud drum music"}]}]
    system = [{"type": "text", "text": "Sort the message."}]
    reply = trained.model.generate(system, blocks, max_tokens=40, temperature=0)
    assert reply == reply_to(trained.model, record)


def test_generate_when_a_character_is_cut_in_two_then_the_half_is_left_out() -> None:
    """A reply is always proper text."""
    model = train([make_record(f"n{n}", "é" * (n + 1)) for n in range(12)], [], QUICK).model
    for limit in (1, 2, 3):
        text = model.generate(None, [{"role": "user", "content": "n"}], max_tokens=limit).text
        assert "\ufffd" not in text


def test_load_when_the_directory_is_empty_then_says_what_to_do(tmp_path: Path) -> None:
    """A model that is gone is a plain error."""
    with pytest.raises(NotFoundError, match="holds no saved model"):
        StandIn.load(tmp_path)


def test_load_when_the_task_is_open_ended_then_loss_and_replies_are_the_same(
    tmp_path: Path,
) -> None:
    """What it has learnt about copying is saved, too."""
    records = make_orders(60, seed=1)
    model = train(records, [], QUICK).model
    model.save(tmp_path)
    loaded, unseen = StandIn.load(tmp_path), make_orders(10, seed=2)
    assert loaded.loss(unseen) == model.loss(unseen)
    assert [reply_to(loaded, one) for one in unseen] == [reply_to(model, one) for one in unseen]


def test_load_when_the_file_is_from_before_copying_then_answers_without_it(tmp_path: Path) -> None:
    """Older models of open-ended tasks have four tables."""
    train(make_orders(60, seed=1), [], QUICK).model.save(tmp_path)
    with np.load(tmp_path / "model.npz") as file:
        older = {name: file[name] for name in file if not name.startswith("copy")}
    np.savez(tmp_path / "model.npz", **older)
    model = StandIn.load(tmp_path)
    assert reply_to(model, make_record("bring plums to Zorbo", "")).text != "plums Zorbo"
    assert math.isfinite(model.loss(make_orders(10, seed=2)))


def test_load_when_the_file_is_damaged_then_says_which(tmp_path: Path) -> None:
    """As after a disk that was full; the server's answer is this sentence."""
    (tmp_path / "model.npz").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(DataError, match=f"{tmp_path / 'model.npz'} is damaged: .*Run the job"):
        StandIn.load(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "two  spaces\n\n\tand tabs ", 'a "b": {c_d}, e-f', "naïve 水漏れ 🚰"]
)
def test_split_text_when_joined_again_then_is_the_text(text: str) -> None:
    """No character is lost on the way to tokens."""
    assert "".join(features.split_text(text)) == text


def test_split_tokens_when_parts_are_taken_then_the_longest_known_ones_are() -> None:
    """A word outside the vocabulary becomes parts that are in it, and bytes."""
    ids = {"lock": 300, "ing": 301, "lo": 302, " un": 303}
    spelt = features.split_tokens("lock unlockingé", ids, parts=True)
    assert spelt == [300, 303, 300, 301, *"é".encode()]
    bytes_of_it = [*b" unlocking"]
    assert features.split_tokens("lock unlocking", ids, parts=False) == [300, *bytes_of_it]


def test_count_parts_when_words_repeat_then_counts_the_tokens_saved() -> None:
    """A part of three letters saves two tokens each time."""
    saved = features.count_parts({"abc": 2, "bcd": 1})
    assert (saved["abc"], saved["bc"], saved["cd"], saved["ad"]) == (4, 3, 1, 0)


def test_cursor_when_json_is_read_then_knows_strings_brackets_and_keys() -> None:
    """Escaped quotes do not close a string, and each level has its own key and commas."""
    cursor = features.Cursor()
    cursor.push(0, b'{"a": [1, {"b": "say \\"')
    assert cursor.string is not None
    assert [chr(level[0]) for level in cursor.levels[1:]] == ["{", "[", "{"]
    assert [level[1] for level in cursor.levels] == [0, 0, 1, 0]
    cursor.push(1, b'"}]}')
    assert (cursor.string, len(cursor.levels)) == (None, 1)


def test_cursor_when_in_an_object_then_knows_the_first_text_outside_of_it() -> None:
    """The keys of a call's arguments depend on the function's name, which stands outside."""
    place = features.COLUMNS.index("outer")

    def outer(text: bytes) -> int:
        cursor = features.Cursor()
        cursor.push(0, text)
        return cursor.columns()[place]

    begun = outer(b'{"name": "track", "note": "x", "arguments": {"')
    assert begun == outer(b'{"name": "track", "arguments": {"code": "7", "')
    assert begun != outer(b'{"name": "order", "note": "x", "arguments": {"')


def test_cursor_when_a_key_becomes_a_value_then_tells_them_apart_and_from_list_entries() -> None:
    """What may follow a string depends on it: a colon a key, a comma or bracket all else."""
    place = features.COLUMNS.index("slot")
    cursor, slots = features.Cursor(), []
    for text in (b'"', b"x", b'"', b'[ "', b'", {"', b'k": ', b'"', b'"', b', "', b'l": [', b'"'):
        cursor.push(0, text)
        slots.append(cursor.columns()[place])
    prose, string, entry, key, value = 0, 1, 3, 5, 7
    assert slots == [
        *(string, string, prose, entry, key),
        *(value - 1, value, value - 1, key, entry - 1, entry),
    ]


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
