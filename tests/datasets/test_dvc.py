"""Data sets under DVC: one digest everywhere, and the same bits back from a remote."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import yaml

from nmr_platform.datasets import dvc_digest, generate, load
from nmr_platform.errors import DataError
from tests.datasets.recipes import small_recipe


def dvc(folder, *arguments, **variables):
    """Run DVC in ``folder``; its standard output."""
    environment = {**os.environ, "DVC_NO_ANALYTICS": "true", **variables}
    done = subprocess.run(
        [sys.executable, "-m", "dvc", *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def tracked(tmp_path_factory):
    """A folder under DVC, without git, with one tracked data set."""
    folder = tmp_path_factory.mktemp("tracked")
    dvc(folder, "init", "--no-scm", "--quiet")
    dvc(folder, "config", "core.analytics", "false")
    generate(small_recipe(), folder / "set.zarr", shard_folder=folder / "shards")
    dvc(folder, "add", "--quiet", "set.zarr")
    return folder


def recorded(folder):
    return yaml.safe_load((folder / "set.zarr.dvc").read_text())["outs"][0]["md5"]


def lose(folder):
    """What a colleague has who cloned the repository: the digest, but neither data nor cache."""
    kept = load(folder / "set.zarr").load()
    shutil.rmtree(folder / "set.zarr")
    shutil.rmtree(folder / ".dvc" / "cache")
    return kept


def test_our_digest_is_the_one_that_dvc_records(tracked):
    assert dvc_digest(tracked / "set.zarr") == recorded(tracked)


def test_digest_changes_with_the_data(tracked, tmp_path):
    shutil.copytree(tracked / "set.zarr", tmp_path / "set.zarr")
    chunk = next(path for path in sorted((tmp_path / "set.zarr" / "m").rglob("*")) if path.name != "zarr.json")
    while chunk.is_dir():
        chunk = next(chunk.iterdir())
    chunk.write_bytes(chunk.read_bytes()[:-1])
    assert dvc_digest(tmp_path / "set.zarr") != recorded(tracked)


def test_digest_of_nothing_is_refused(tmp_path):
    with pytest.raises(DataError, match=r"nothing\.zarr` does not exist"):
        dvc_digest(tmp_path / "nothing.zarr")


def test_push_and_pull_through_a_folder_bring_back_the_same_bits(tracked, tmp_path):
    dvc(tracked, "remote", "add", "--default", "--force", "disk", str(tmp_path / "remote"))
    dvc(tracked, "push", "--quiet")
    before = lose(tracked)
    dvc(tracked, "pull", "--quiet")
    assert load(tracked / "set.zarr").load().identical(before)
    assert dvc_digest(tracked / "set.zarr") == recorded(tracked)


@pytest.mark.integration
def test_push_and_pull_through_s3_bring_back_the_same_bits(tracked, s3):
    keys = {"AWS_ACCESS_KEY_ID": "testing", "AWS_SECRET_ACCESS_KEY": "testing", "AWS_DEFAULT_REGION": "us-east-1"}
    dvc(tracked, "remote", "add", "--default", "--force", "store", "s3://echoes/data")
    dvc(tracked, "remote", "modify", "store", "endpointurl", s3)
    dvc(tracked, "push", "--quiet", **keys)
    before = lose(tracked)
    dvc(tracked, "pull", "--quiet", **keys)
    after = load(tracked / "set.zarr").load()
    np.testing.assert_array_equal(after["m"], before["m"])
    assert after.identical(before)


@pytest.fixture
def s3(tmp_path):
    """Address of a local S3 service with the bucket ``echoes``."""
    boto3 = pytest.importorskip("boto3", reason="boto3 is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    server = subprocess.Popen(
        [Path(sys.executable).with_name("moto_server"), "-H", "127.0.0.1", "-p", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    client = boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",
    )
    try:
        for _ in range(100):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.2)
        client.create_bucket(Bucket="echoes")
        yield address
        assert json.dumps([item["Key"] for item in client.list_objects_v2(Bucket="echoes")["Contents"]])
    finally:
        server.terminate()
        server.wait()
