"""Encoders, fine-tuning and probing: texts come in as lists, and nothing here knows the book."""

from collections.abc import Sequence

from pydantic import BaseModel, ConfigDict, Field

Sentences = Sequence[Sequence[str]]  # of words, or of a tag a word


class ModelError(ValueError):
    """Text, tags or a tokenizer that nothing can be made of, or a training that came to nothing."""


class Recipe(BaseModel):
    """Fine-tuning hyper-parameters; the defaults are the paper's appendix A where it gives them.

    max_length: word pieces a row. warmup: share of the steps over which the learning rate rises,
    before it falls to zero linearly. weight_decay: not applied to biases and layer norms, as in
    BERT. bf16: automatic mixed precision in training and tagging, on a GPU. bias_correction:
    whether Adam makes up for moments that begin at zero (Kingma and Ba, 2015, section 3), which
    BERT's own code does not.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, allow_inf_nan=False)

    batch_size: int = Field(32, ge=1)
    max_length: int = Field(128, ge=1)
    epochs: int = Field(3, ge=1)
    learning_rate: float = Field(3e-5, gt=0, lt=1)
    warmup: float = Field(0.1, ge=0, le=1)
    dropout: float = Field(0.1, ge=0, lt=1)
    weight_decay: float = Field(0.0, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    bf16: bool = False
    bias_correction: bool = True

    def __str__(self) -> str:
        """One line, as results name it: "batch_size=32 max_length=128 ..."."""
        return " ".join(f"{name}={value}" for name, value in self.model_dump().items())
