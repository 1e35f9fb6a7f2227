import ast
import json
import math
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nmr_platform
from nmr_platform import portable
from nmr_platform.portable import TARGET, ProcessorWarning, config, product, turned, warn_of_other_bits
from tests.bits import digests

DIGESTS = json.loads(Path("tests/data/digests.json").read_text())
ROOT = Path(nmr_platform.__file__).parent
# What NumPy does by routines that it chooses by the processor, or hands to BLAS and LAPACK.
CHOSEN = {
    *("angle", "arccos", "arcsin", "arctan", "arctan2", "cbrt", "cos", "cosh", "exp", "exp2", "expm1", "float_power"),
    *("hypot", "log", "log10", "log1p", "log2", "logaddexp", "power", "sin", "sinc", "sinh", "tan", "tanh", "unwrap"),
    *("convolve", "correlate", "dot", "einsum", "inner", "linalg", "matmul", "polyfit", "tensordot", "vdot"),
}
# Integer matrices, and a check that decides between two sentences.
ALLOWED = {"physics/lattices/images.py": {"@"}, "physics/lattices/bravais.py": {"linalg"}}

on_the_target = pytest.mark.skipif(config.CPU_NAME != TARGET, reason=f"this processor is not of the kind {TARGET}")


def run(code, **changes):
    # What a command has set in this process is none of that one's business.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("NPY_", "OPENBLAS_"))}
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True, check=True, env=environment | changes
    )
    return done.stdout


@on_the_target
def test_echoes_data_sets_and_features_have_the_bits_that_are_written_down():
    assert digests() == DIGESTS


@on_the_target
@pytest.mark.parametrize(
    "environment",
    [
        {"NUMBA_CPU_NAME": "nehalem", "NPY_DISABLE_CPU_FEATURES": "X86_V3", "OPENBLAS_CORETYPE": "Nehalem"},
        {"NUMBA_CPU_FEATURES": "-avx2,-fma", "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR"},
    ],
    ids=["an older one", "one that is told to be older"],
)
def test_the_bits_are_the_same_on_a_processor_that_calls_itself(environment):
    said = run("import json; from tests.bits import digests; print(json.dumps(digests()))", **environment)
    assert json.loads(said) == DIGESTS


@on_the_target
def test_a_command_takes_the_same_routines_whatever_the_environment_says():
    code = (
        "import nmr_platform.cli, numpy as np, threadpoolctl;"
        "found = np._core._multiarray_umath.__cpu_features__;"
        "blas = [each for each in threadpoolctl.threadpool_info() if each['user_api'] == 'blas'];"
        "print(found['X86_V3'], found['X86_V4'], *{(each['architecture'], each['num_threads']) for each in blas})"
    )
    said = run(code, NPY_DISABLE_CPU_FEATURES="X86_V3", OPENBLAS_CORETYPE="Nehalem", OPENBLAS_NUM_THREADS="2")
    assert said.split() == ["True", "False", "('Haswell',", "1)"]


@pytest.mark.parametrize("room", ["physics", "simulation", "datasets", "features"])
def test_what_is_simulated_takes_no_routine_that_is_chosen_by_the_processor(room):
    found = {}
    for path in sorted((ROOT / room).rglob("*.py")):
        if path.name == "naive.py":
            continue
        names = set()
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "np":
                names |= {node.attr} & CHOSEN
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
                names.add("@")
        name = str(path.relative_to(ROOT))
        if names - ALLOWED.get(name, set()):
            found[name] = names
    assert found == {}


def test_a_process_that_had_compiled_for_its_own_processor_is_told_so_once():
    code = (
        "import warnings, numba; numba.njit(lambda: 0)();"
        "from nmr_platform.portable import warn_of_other_bits;"
        "caught = warnings.catch_warnings(record=True); said = caught.__enter__(); warnings.simplefilter('always');"
        "warn_of_other_bits(); warn_of_other_bits(); print(*[each.message for each in said])"
    )
    said = run(code)
    assert said.strip() == (
        "The last digits of simulated echoes may differ from those of other machines: numba was at work before; "
        "import nmr_platform first."
    )


def test_another_processor_is_no_error_but_named_once(monkeypatch):
    monkeypatch.setattr(config, "CPU_NAME", "generic")
    warn_of_other_bits.cache_clear()
    with pytest.warns(ProcessorWarning, match=r"this processor \(generic\) is not of the kind x86-64-v3"):
        warn_of_other_bits()
    warn_of_other_bits()
    warn_of_other_bits.cache_clear()


@pytest.mark.parametrize("name", ["exp", "log", "sin", "cos", "tan"])
def test_elementary_functions_are_those_of_the_c_library(name):
    x = np.random.default_rng(1).uniform(0.01, 30, (40, 50))
    expected = [[getattr(math, name)(value) for value in row] for row in x]
    np.testing.assert_array_equal(getattr(portable, name)(x), expected)


def test_functions_of_two_numbers_take_shapes_that_fit():
    y, x = np.array([[1.0], [-2.0]]), np.array([0.5, -0.5, 3.0])
    np.testing.assert_array_equal(portable.arctan2(y, x), [[math.atan2(one, other) for other in x] for one in y[:, 0]])
    np.testing.assert_array_equal(portable.power(np.abs(y), x), [[abs(one) ** other for other in x] for one in y[:, 0]])
    np.testing.assert_array_equal(portable.arctan2(y[:1], x), [[math.atan2(1.0, other) for other in x]])
    assert portable.power(0.1, 2.0) == 0.1 * 0.1
    assert portable.power(0.1, -400) == math.inf


def test_magnitude_phase_and_turning_belong_together():
    m = np.random.default_rng(2).normal(size=(3, 200, 2)).astype(np.float32).view(np.complex64)[..., 0]
    found = turned(portable.magnitude(m) + 0j, portable.angle(m))
    assert portable.magnitude(m).dtype == np.float32
    np.testing.assert_allclose(found, m, rtol=1e-6)
    assert portable.magnitude(np.array([-2.0])) == 2.0


def test_a_product_is_that_of_the_matrices():
    a, b = np.random.default_rng(3).normal(size=(2, 7, 7))
    np.testing.assert_allclose(product(a, b), a @ b, rtol=1e-12)
