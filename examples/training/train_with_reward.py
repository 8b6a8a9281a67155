"""Train a tiny random language model with Ran Score as the reward: 30 steps of TRL's GRPO on the synthetic cohort, about a minute on 2 cores.

    pip install trl 'ranscore[torch]'
    python examples/training/train_with_reward.py

The model begins with random weights. It is asked with one word for each finding of the study, in the place of a film, and writes sentences of a
small vocabulary. It prints the Ran Score on studies that it did not train on, before and after. The example shows how a reward is used, not how
to train a generator: nothing in it looks at a film.
"""

from __future__ import annotations

import torch
from datasets import Dataset
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

from harness.cohorts.synthetic.cohort import build
from harness.findings import NO_FINDING, RAN_21
from harness.types import Cohort
from ranscore import score_reports
from ranscore.reward import reward_function

FINDINGS = [name for name in RAN_21 if name != NO_FINDING]
SENTENCES = [*(f"There is {name.lower()}." for name in FINDINGS), "The lungs are clear.", "Thank you for the referral."]
CLUES = {finding: f"<{finding}>" for finding in RAN_21}
LONGEST, STEPS, SEED = 4, 30, 0


def tokenizer() -> PreTrainedTokenizerFast:
    """One token a sentence, so that a random model writes sentences."""
    words = ["<pad>", "<end>", "<study>", *CLUES.values(), *SENTENCES]
    made = Tokenizer(models.WordLevel({word: place for place, word in enumerate(words)}, unk_token="<pad>"))  # noqa: S106 - no secret
    made.pre_tokenizer = pre_tokenizers.Split("|", "removed")
    made.decoder = decoders.Fuse()
    return PreTrainedTokenizerFast(tokenizer_object=made, pad_token="<pad>", eos_token="<end>", padding_side="left")  # noqa: S106 - no secret


def examples(cohort: Cohort, part: str) -> tuple[list[str], list[str]]:
    """Prompts and references of a part of the cohort."""
    studies = [study.id for study in cohort.manifest.studies if study.part == part]
    known = [cohort.labels[study].values for study in studies]
    seen = [[CLUES[name] for name, value in zip(RAN_21, values, strict=True) if value == 1] for values in known]
    return ["|".join(["<study>", *clues]) for clues in seen], [cohort.reference(study) for study in studies]


def held_out(model: GPT2LMHeadModel, words: PreTrainedTokenizerFast, prompts: list[str], references: list[str]) -> float:
    """Ran Score of one report for each reference."""
    asked = words(prompts, padding=True, return_tensors="pt")
    torch.manual_seed(SEED)
    made = model.generate(
        input_ids=asked["input_ids"],
        attention_mask=asked["attention_mask"],
        do_sample=True,
        max_new_tokens=LONGEST,
        pad_token_id=0,
        eos_token_id=1,
    )
    written = [words.decode(row[asked["input_ids"].shape[1] :], skip_special_tokens=True) for row in made]
    return score_reports(predictions=written, references=references)[0]["macro-f1"]


def main() -> None:
    """Train, and print both scores."""
    torch.manual_seed(SEED)
    torch.set_num_threads(2)
    cohort = build(200, seed=SEED, train=600)
    (train, references), (test, answers) = examples(cohort, "train"), examples(cohort, "test")
    words = tokenizer()
    shape = GPT2Config(
        vocab_size=len(words), n_embd=128, n_layer=2, n_head=4, n_positions=40, bos_token_id=2, eos_token_id=1, resid_pdrop=0.0
    )
    model = GPT2LMHeadModel(shape)
    before = held_out(model, words, test, answers)
    settings = GRPOConfig(
        output_dir="out/train_with_reward",
        max_steps=STEPS,
        per_device_train_batch_size=128,
        num_generations=8,
        max_completion_length=LONGEST,
        learning_rate=5e-3,
        lr_scheduler_type="constant",
        beta=0.0,
        logging_steps=5,
        save_strategy="no",
        report_to=[],
        use_cpu=True,
        bf16=False,
        gradient_checkpointing=False,
        seed=SEED,
    )
    trainer = GRPOTrainer(
        model=model,
        reward_funcs=reward_function(),
        args=settings,
        train_dataset=Dataset.from_dict({"prompt": train, "references": references}),
        processing_class=words,
    )
    trainer.train()
    after = held_out(model, words, test, answers)
    print(f"Ran Score on {len(test)} studies that were held out: {before:.3f} before, {after:.3f} after {STEPS} steps")


if __name__ == "__main__":
    main()
