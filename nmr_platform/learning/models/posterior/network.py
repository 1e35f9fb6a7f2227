"""An ensemble of small networks: all members trained at once by JAX, asked by NumPy."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["DENSITIES", "Layers", "Plan", "forward", "left_out", "mean_slopes", "mixture_of", "n_outputs", "train"]

DENSITIES = 4
"""Normal densities of each member's posterior of some numbers."""

Layers = list[tuple[NDArray[np.float32], NDArray[np.float32]]]
"""Weights (members, n_in, n_out) and offsets (members, 1, n_out) of each layer."""

# Each member leaves out one row in five, which tell it when to stop.
_PARTS = 5
# Narrower densities than e^-8 of the target's spread would be rounding in single precision.
_NARROWEST, _WIDEST = -8.0, 2.0
# Points of the straight path that slopes are averaged along (midpoint rule).
_PATH = 16


@dataclass(frozen=True)
class Plan:
    """How an ensemble is trained.

    Attributes:
        targets: Numbers whose posterior the outputs are, see `mixture_of`; 0 where they are one score a class.
        sizes: Units of every layer, inputs first and outputs last.
        members: Networks of the ensemble.
        epochs: How often every row is seen at most; the best epoch of each member is kept.
        batch: Rows of one step.
        learning_rate: Largest step of the optimiser; the schedule rises to it and falls again.
        dropout: Share of hidden units that a step leaves out.
        noise: Standard deviation of the normal noise that is added to inputs at each step.
        weight_decay: Pull of the weights towards zero, relative to the step.
    """

    targets: int
    sizes: tuple[int, ...]
    members: int
    epochs: int
    batch: int
    learning_rate: float
    dropout: float
    noise: float
    weight_decay: float


def forward(layers: Layers, x: Any, xp: Any = np) -> Any:
    """Outputs of every member, shape (members, n, n_outputs).

    Args:
        layers: Of the ensemble.
        x: Inputs, shape (n, n_inputs), or those of each member, (members, n, n_inputs).
        xp: NumPy, or JAX's.
    """
    for weights, offsets in layers[:-1]:
        x = _bend(x @ weights + offsets, xp)
    weights, offsets = layers[-1]
    return x @ weights + offsets


def n_outputs(targets: int) -> int:
    """How many outputs `mixture_of` takes for some numbers."""
    return DENSITIES * (1 + 2 * targets + targets * (targets - 1) // 2)


def mixture_of(outputs: Any, targets: int, xp: Any = np) -> tuple[Any, Any, Any, Any]:
    """The mixture of normal densities that outputs stand for.

    A density is that of ``centre_i + width_i (z_i + sum_j tilt_ij z_j)``, j < i, all z normal and independent.

    Args:
        outputs: Of networks, shape (..., n_outputs).
        targets: Numbers whose posterior they are, d.
        xp: NumPy, or JAX's.

    Returns:
        Logarithms of the shares, shape (..., n_densities), centres and logarithms of the widths, (..., n_densities, d),
        and tilts row by row, (..., n_densities, d (d - 1) / 2).
    """
    ends = [DENSITIES, DENSITIES * (1 + targets), DENSITIES * (1 + 2 * targets)]
    scores, *rest = xp.split(outputs, ends, axis=-1)
    scores = scores - scores.max(axis=-1, keepdims=True)
    shares = scores - xp.log(xp.exp(scores).sum(axis=-1, keepdims=True))
    centres, widths, tilts = (part.reshape(*part.shape[:-1], DENSITIES, part.shape[-1] // DENSITIES) for part in rest)
    return shares, centres, xp.clip(widths, _NARROWEST, _WIDEST), tilts


def train(
    x: NDArray[np.float32], y: NDArray[np.float32], weights: NDArray[np.float32], plan: Plan, *, seed: int
) -> Layers:
    """Train an ensemble; the same rows, plan and seed give the same one.

    Args:
        x: Inputs, shape (n, n_inputs), near unit size.
        y: Targets, shape (n, n_classes), one-hot, or (n, d), near unit size.
        weights: Weight of every row in the loss, shape (n,).
        plan: How.
        seed: Of the first weights, the order of the rows, noise and dropout, and which rows a member leaves out.
    """
    import jax  # noqa: PLC0415 an extra, and its import takes seconds

    # Folds that differ by a row share one compiled program: rows of no weight fill the last batch.
    padding = -len(x) % plan.batch
    own = left_out(len(x), plan.members, seed=seed).astype(np.float32) * weights
    rows = [np.pad(each, [(0, padding), (0, 0)]) for each in (x, y)]
    masks = [np.pad(each, [(0, 0), (0, padding)]) for each in (weights - own, own)]
    trained = _program()(*rows, *masks, jax.random.key(seed), plan)
    return [(np.asarray(weights), np.asarray(offsets)) for weights, offsets in trained]


def left_out(n: int, members: int, *, seed: int) -> NDArray[np.bool_]:
    """Which of n rows each member is not fitted on, and stopped by: one in five, shape (members, n)."""
    part = np.random.default_rng(seed).permutation(np.arange(n) % _PARTS)
    mask: NDArray[np.bool_] = part == np.arange(members)[:, np.newaxis] % _PARTS
    return mask


def mean_slopes(layers: Layers, x: NDArray[np.float32], targets: int) -> NDArray[np.float32]:
    """Slopes of what an ensemble says, averaged along the straight path from 0 to each row.

    Times the row they are integrated gradients (Sundararajan et al., *ICML* 2017), which add up to what it says of the
    row less what it says of 0.

    Args:
        layers: Of the ensemble.
        x: Rows, shape (n, n_inputs).
        targets: Numbers whose posterior means are what it says; 0 for the members' mean log-probabilities of classes.

    Returns:
        Shape (n, n_inputs, d) or (n, n_inputs, n_classes).
    """
    return np.asarray(_slopes()(layers, x, targets))


def _bend(h: Any, xp: Any) -> Any:
    """The activation h / (1 + e^-h), without an exponential that could overflow."""
    return 0.5 * h * (1.0 + xp.tanh(0.5 * h))


def _losses(outputs: Any, y: Any, targets: int) -> Any:
    """What every row costs every member, shape (members, n): minus the logarithm of the posterior at the truth."""
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    if targets == 0:
        return -(y * jax.nn.log_softmax(outputs)).sum(axis=-1)
    shares, centres, widths, tilts = mixture_of(outputs, targets, jnp)
    distances = (y[..., jnp.newaxis, :] - centres) * jnp.exp(-widths)
    z: list[Any] = []
    for row in range(targets):
        own = tilts[..., row * (row - 1) // 2 : row * (row + 1) // 2]
        z.append(distances[..., row] - sum(own[..., column] * z[column] for column in range(row)))
    squares = sum(each**2 for each in z)
    return -jax.nn.logsumexp(shares - widths.sum(axis=-1) - 0.5 * squares, axis=-1)


@cache
def _program() -> Callable[..., Any]:
    """The compiled training: a scan over epochs of a scan over steps."""
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415
    import optax  # noqa: PLC0415

    def drop(h: Any, key: Any, share: float) -> Any:
        return jnp.where(jax.random.bernoulli(key, 1.0 - share, h.shape), h / (1.0 - share), 0.0)

    def disturbed(layers: Any, x: Any, key: Any, plan: Plan) -> Any:
        """Outputs with noise and dropout."""
        keys = jax.random.split(key, len(layers))
        h = x + plan.noise * jax.random.normal(keys[-1], x.shape)
        for (weights, offsets), own in zip(layers[:-1], keys, strict=False):
            h = drop(_bend(h @ weights + offsets, jnp), own, plan.dropout)
        weights, offsets = layers[-1]
        return h @ weights + offsets

    def cost(layers: Any, rows: tuple[Any, Any, Any], key: Any, plan: Plan) -> Any:
        x, y, weights = rows
        losses = _losses(disturbed(layers, x, key, plan), y, plan.targets)
        return ((losses * weights).sum(axis=1) / jnp.maximum(weights.sum(axis=1), 1e-6)).sum()

    def shuffled(key: Any, n: int, plan: Plan) -> Any:
        """Row numbers of every step and member, shape (n_steps, members, batch)."""
        keys = jax.random.split(key, plan.members)
        orders = jax.vmap(lambda own: jax.random.permutation(own, n))(keys)
        return orders.reshape(plan.members, -1, plan.batch).swapaxes(0, 1)

    @partial(jax.jit, static_argnames="plan")
    def program(x: Any, y: Any, weights: Any, left_out: Any, key: Any, plan: Plan) -> Any:
        n_steps = len(x) // plan.batch
        schedule = optax.cosine_onecycle_schedule(n_steps * plan.epochs, plan.learning_rate, 0.1)
        optimiser = optax.chain(optax.clip(1.0), optax.adamw(schedule, weight_decay=plan.weight_decay))

        def step(state: Any, given: Any) -> Any:
            layers, moments = state
            rows, own = given
            batch = x[rows], y[rows], jnp.take_along_axis(weights, rows, axis=1)
            update, moments = optimiser.update(jax.grad(cost)(layers, batch, own, plan), moments, layers)
            return (optax.apply_updates(layers, update), moments), None

        def epoch(state: Any, own: Any) -> Any:
            layers, moments, best, kept = state
            order, steps = jax.random.split(own)
            given = shuffled(order, len(x), plan), jax.random.split(steps, n_steps)
            (layers, moments), _ = jax.lax.scan(step, (layers, moments), given)
            losses = (_losses(forward(layers, x, jnp), y, plan.targets) * left_out).sum(axis=1)
            better = losses < best
            kept = jax.tree.map(lambda new, old: jnp.where(better[:, None, None], new, old), layers, kept)
            return (layers, moments, jnp.minimum(best, losses), kept), None

        first, rest = jax.random.split(key)
        layers = _first_layers(first, plan)
        start = (layers, optimiser.init(layers), jnp.full(plan.members, jnp.inf), layers)
        (_, _, _, kept), _ = jax.lax.scan(epoch, start, jax.random.split(rest, plan.epochs))
        return kept

    return program


def _first_layers(key: Any, plan: Plan) -> Any:
    """Weights of variance 1 / n_in; those of the last layer are small, so that training starts from the prior."""
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    layers = []
    for number, (n_in, n_out) in enumerate(zip(plan.sizes[:-1], plan.sizes[1:], strict=True)):
        size = (0.1 if number == len(plan.sizes) - 2 else 1.0) / n_in**0.5
        key, own = jax.random.split(key)
        weights = size * jax.random.normal(own, (plan.members, n_in, n_out))
        layers.append((weights, jnp.zeros((plan.members, 1, n_out))))
    return layers


@cache
def _slopes() -> Callable[..., Any]:
    import jax  # noqa: PLC0415
    import jax.numpy as jnp  # noqa: PLC0415

    def said(x: Any, layers: Any, targets: int) -> Any:
        """What the ensemble says of one row, shape (n_outputs,)."""
        outputs = forward(layers, x[jnp.newaxis], jnp)[:, 0]
        if targets == 0:
            return jax.nn.log_softmax(outputs).mean(axis=0)
        shares, centres, *_ = mixture_of(outputs, targets, jnp)
        return (jnp.exp(shares)[..., jnp.newaxis] * centres).sum(axis=-2).mean(axis=0)

    @partial(jax.jit, static_argnames="targets")
    def slopes(layers: Any, x: Any, targets: int) -> Any:
        at = jax.vmap(jax.jacrev(said), in_axes=(0, None, None))
        places = (jnp.arange(_PATH) + 0.5) / _PATH
        return jnp.moveaxis(jax.lax.map(lambda place: at(place * x, layers, targets), places).mean(axis=0), 1, 2)

    return slopes
