# pyright: reportMissingImports=false
"""Fitting samplemind.audio.network: see fit_rhythm.py."""

from typing import NamedTuple

import numpy as np
import torch

from samplemind.audio.network import CLIP, Network

BATCH, RATE = 128, 3e-3
DROPPED_UNITS = 0.2
"""Each time a question is asked."""

SHARPNESSES = np.arange(0.1, 1.55, 0.05)


class Question(NamedTuple):
    """`traits: (rows, d)`; `right: (rows, answers)` bool, which of all answers to all rows are; how
    much it `counts`."""

    traits: np.ndarray
    right: np.ndarray
    counts: float


class Manner(NamedTuple):
    """Of the fit: `dropped` is the share of traits that are hidden each time."""

    units: int
    nets: int
    epochs: int
    dropped: float
    decay: float


def fit(questions: list[Question], manner: Manner) -> Network:
    """The one that gives what is right the largest share among the answers to a question.

    Several networks from other beginnings, side by side, are one that depends less on where it
    began.
    """
    rows = torch.from_numpy(np.concatenate([it.traits for it in questions]).astype(np.float32))
    centre, scale = rows.mean(dim=0), rows.std(dim=0) + 1e-3
    rows = torch.clip((rows - centre) / scale, -CLIP, CLIP)
    answers = questions[0].right.shape[1]
    right = torch.from_numpy(np.concatenate([it.right for it in questions]))
    lengths = torch.tensor([len(it.traits) for it in questions])
    firsts = torch.cumsum(lengths, 0) - lengths
    places = torch.arange(int(lengths.max()))
    is_row = places < lengths[:, None]
    index = torch.where(is_row, firsts[:, None] + places, 0)
    counts = torch.tensor([it.counts for it in questions], dtype=torch.float32)
    counts /= counts.mean()
    found = []
    for seed in range(manner.nets):
        torch.manual_seed(seed)
        hidden = torch.nn.Linear(rows.shape[1], manner.units)
        out = torch.nn.Linear(manner.units, answers, bias=False)
        linear = torch.nn.Linear(rows.shape[1], answers, bias=False)
        torch.nn.init.zeros_(linear.weight)
        weights = [*hidden.parameters(), *out.parameters(), *linear.parameters()]
        optimizer = torch.optim.AdamW(weights, RATE, weight_decay=manner.decay)
        slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, manner.epochs)
        for _ in range(manner.epochs):
            for batch in torch.randperm(len(questions)).split(BATCH):
                x = torch.nn.functional.dropout(rows[index[batch]], manner.dropped)
                active = torch.nn.functional.dropout(torch.tanh(hidden(x)), DROPPED_UNITS)
                utility = (out(active) + linear(x)).masked_fill(~is_row[batch][..., None], -1e9)
                wrong = ~right[index[batch]]
                whole = torch.logsumexp(utility.flatten(1), dim=1)
                good = torch.logsumexp(utility.masked_fill(wrong, -1e9).flatten(1), dim=1)
                loss = (counts[batch] * (whole - good)).mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
            slower.step()
        parts = (hidden.weight, hidden.bias, out.weight, linear.weight)
        found.append([part.detach().numpy().T for part in parts])
    hidden, bias, out, linear = zip(*found, strict=True)
    return Network(
        centre.numpy(), scale.numpy(), np.hstack(hidden), np.concatenate(bias),
        np.concatenate(out) / manner.nets, np.mean(linear, axis=0), np.ones(()),
    )  # fmt: skip


def calibrated(net: Network, judged: list[tuple[np.ndarray, np.ndarray]]) -> Network:
    """With the sharpness that makes shares likeliest: `judged` are utilities `(n,)` of cases by
    networks that have not seen them, and which answers `(n,)` are right."""

    def surprise(sharpness: float) -> float:
        total = 0.0
        for utility, right in judged:
            share = np.exp(sharpness * (utility - utility.max()))
            total -= np.log(max((share * right).sum() / share.sum(), 1e-3))
        return total

    best = SHARPNESSES[np.argmin([surprise(each) for each in SHARPNESSES])]
    return net._replace(sharpness=np.array(best))
