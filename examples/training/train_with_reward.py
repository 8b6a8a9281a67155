"""Train a tiny random language model with Ran Score as the reward: 30 steps of TRL's GRPO on the synthetic cohort, about a minute on 2 cores.

    pip install trl 'ranscore[torch]'
    python examples/training/train_with_reward.py

The model begins with random weights and writes sentences of a small vocabulary in any order. It prints the Ran Score on studies that it did not
train on, before and after. The text it learns to write says nothing about a film: the example shows how a reward is used, not how to train a generator.
"""

from __future__ import annotations

import random

import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

from harness.cohorts.synthetic.cohort import build
from harness.findings import NO_FINDING, RAN_21
from ranscore import score_reports
from ranscore.reward import reward_function

SENTENCES = [f"There is {name.lower()}." for name in RAN_21 if name != NO_FINDING] + ["The lungs are clear.", "Thank you for the referral."]
STEPS, SEED = 30, 0


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a sentence, so that a random model writes sentences."""
    words = ["<pad>", "<end>", "<study>", *SENTENCES]
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<pad>"))  # noqa: S106 - no secret
    made.pre_tokenizer = pre_tokenizers.Split("|", "removed")
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<end>")  # noqa: S106 - no secret


def held_out(model: GPT2LMHeadModel, words: PreTrainedTokenizerFast, references: list[str]) -> float:
    """Ran Score of one report for each reference."""
    torch.manual_seed(SEED)
    asked = torch.full((len(references), 1), words.convert_tokens_to_ids("<study>"))
    made = model.generate(asked, attention_mask=torch.ones_like(asked), do_sample=True, max_new_tokens=6, pad_token_id=0, eos_token_id=1)
    written = [words.decode(row[1:], skip_special_tokens=True) for row in made]
    return score_reports(predictions=written, references=references)[0]["macro-f1"]


def main() -> None:
    """Train, and print both scores."""
    random.seed(SEED)
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    cohort = build(200, seed=SEED, train=400)
    train = [cohort.reference(study.id) for study in cohort.manifest.studies if study.part == "train"]
    test = [cohort.reference(study.id) for study in cohort.scored]
    words = tokenizer()
    model = GPT2LMHeadModel(
        GPT2Config(vocab_size=len(words), n_embd=64, n_layer=2, n_head=2, n_positions=32, bos_token_id=2, eos_token_id=1)
    )
    before = held_out(model, words, test)
    settings = GRPOConfig(
        output_dir="out/train_with_reward",
        max_steps=STEPS,
        per_device_train_batch_size=64,
        num_generations=8,
        max_completion_length=6,
        learning_rate=5e-3,
        lr_scheduler_type="constant",
        beta=0.0,
        logging_steps=10,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
        seed=SEED,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward_function(corpus=train, balanced=True),
        args=settings,
        train_dataset=Dataset.from_dict({"prompt": ["<study>"] * len(train), "references": train}),
        processing_class=words,
    )
    trainer.train()
    after = held_out(model, words, test)
    print(f"Ran Score on {len(test)} studies that were held out: {before:.3f} before, {after:.3f} after {STEPS} steps")


if __name__ == "__main__":
    main()
