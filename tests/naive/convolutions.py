"""Random convolutions of one signal, number by number."""

__all__ = ["convolved"]


def convolved(signal, kernels, steps, segments):
    """The columns of one signal: dilation by dilation, segment by segment, positive then negative means.

    ``kernels``: nested lists (dilation, weight, kernel); ``steps``: the dilations.
    """
    x = [float(value) - float(signal[0]) for value in signal]
    columns = []
    for step, weights in zip(steps, kernels, strict=True):
        n = len(x) - 8 * step
        for segment in range(segments):
            places = range(segment * n // segments, (segment + 1) * n // segments)
            responses = [[response(x, kernel, t, step) for t in places] for kernel in zip(*weights, strict=True)]
            columns += [added(value for value in each if value > 0) / len(places) for each in responses]
            columns += [added(value for value in each if value < 0) / len(places) for each in responses]
    return columns


def added(values):
    """Their sum, one after another."""
    total = 0.0
    for value in values:
        total += value
    return total


def response(x, kernel, t, step):
    """What one kernel makes of the samples from t on."""
    total = 0.0
    for i, weight in enumerate(kernel):
        total += weight * x[t + i * step]
    return total
