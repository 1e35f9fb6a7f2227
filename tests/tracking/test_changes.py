"""The patch of what was not committed: it applies whatever git is configured to, and holds no secrets."""

import json
from pathlib import Path

import pytest

from nmr_platform.errors import ConfigurationError
from nmr_platform.stages.reproduce import ReproductionError, check_out
from nmr_platform.tracking import PATCH, Changes, patch_bytes, uncommitted_changes
from nmr_platform.tracking.secrets import masked_secrets
from tests.tracking.repositories import git

SECRETS = {
    "params.yaml": b"store: postgresql://ada:pa55@db/mlflow\n",
    "settings.yaml": b"password: pa55word\n",
    "keys.toml": b'api_key = "0123456789"\n',
    "code.py": b'TOKEN: str = "pa55word"\n',
    "headers.py": b'headers = {"Authorization": "Bearer 0123456789abcdef"}\n',
    "hub.py": b'login("ghp_0123456789abcdefghij0123456789abcdef")\n',
    "aws.yaml": b"key: AKIAIOSFODNN7EXAMPLE\n",
    "random.py": b'x = "Zm9vYmFyQmF6UXV4MTIzNDU2Nzg5"\n',
}


# The third line around a change of `b` is blank.
LINES = b"a: 1\nb: 2\nc: 3\nd: 4\n\ne: 5\n"


@pytest.fixture(autouse=True)
def _bare(monkeypatch):
    monkeypatch.delenv("NMR_UNCOMMITTED", raising=False)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    root = tmp_path / "repository"
    root.mkdir()
    git(root, "init", "-q")
    write(root, "params.yaml", LINES)
    return root


def write(root: Path, name: str, content: bytes, *, committed: bool = True) -> None:
    (root / name).parent.mkdir(exist_ok=True, parents=True)
    (root / name).write_bytes(content)
    if committed:
        git(root, "add", name)
        git(root, "commit", "-qm", "a file")


def made_again(root: Path, changes: Changes, name: str) -> bytes:
    """A file as it comes out of the commit and the patch, which went through JSON like a study's attributes."""
    folder, patch = root.parent / "again", root.parent / PATCH
    patch.write_bytes(patch_bytes(json.loads(json.dumps(changes.patch))))
    git(root, "worktree", "add", "--no-checkout", "--detach", str(folder), "HEAD")
    check_out(folder, patch)
    return (folder / name).read_bytes()


EDITS = {
    "a blank third line of context": ("params.yaml", LINES, LINES.replace(b"2", b"7")),
    "trailing blanks": ("a.py", b"a = 1  \n\t\n\n", b"a = 2  \n\t \n\n\n"),
    "no newline at the end": ("a.py", b"a = 1", b"a = 2"),
    "Latin-1": ("a.yaml", "name: café\n".encode("latin-1"), "name: café\nunit: µs\n".encode("latin-1")),
    "UTF-16": ("a.yaml", "a: 1\n".encode("utf-16"), "a: 2\n".encode("utf-16")),
    "bytes": ("a.py", b"\0\1\2" * 50, b"\0\1\3" * 50),
    "carriage returns": ("a.py", b"a = 1\r\nb = 2\r\n", b"a = 1\r\nb = 3\r\n"),
    "mixed ends of lines": ("a.py", b"a = 1\r\nb = 2\nc\rd\x0ce\n", b"a = 1\nb = 2\r\nc\rd\x0ce\x85\n"),
    "a name in another language": ("größe µ.yaml", b"a: 1\n", b"a: 2\n"),
    "a name with a quote and a bracket": ('dir/a"[b]*.py', b"a: 1\n", b"a: 2\n"),
    "a file that looks like a patch": ("a.py", b"@@ -1 +1 @@\n--- a\n", b"@@ -1 +1 @@\n--- a\ndiff --git a/x b/x\n"),
    "an empty file": ("a.py", b"", b"a = 1\n"),
}  # fmt: skip

CONFIGURATIONS = {
    "diff.noprefix": "true",
    "diff.mnemonicPrefix": "true",
    "diff.srcPrefix": "left/",
    "diff.external": "false",
    "diff.context": "0",
    "diff.interHunkContext": "9",
    "diff.suppressBlankEmpty": "true",
    "diff.orderFile": "/dev/null",
    "diff.relative": "true",
    "diff.wsErrorHighlight": "all",
    "diff.colorMoved": "zebra",
    "diff.renames": "copies",
    "color.ui": "always",
    "core.pager": "false",
    "core.quotePath": "false",
    "core.autocrlf": "input",
    "core.whitespace": "trailing-space,cr-at-eol,tab-in-indent",
    "apply.whitespace": "error-all",
    "apply.ignoreWhitespace": "change",
}


@pytest.mark.parametrize("edit", EDITS)
def test_the_patch_of_any_change_applies(repository, edit):
    name, before, after = EDITS[edit]
    if name != "params.yaml":
        write(repository, name, before)
    write(repository, name, after, committed=False)
    changes = uncommitted_changes(repository)
    assert (changes.kept, changes.masked, changes.left_out) == ((name,), (), ())
    assert made_again(repository, changes, name) == after


@pytest.mark.parametrize("setting", CONFIGURATIONS)
def test_the_patch_applies_whatever_git_is_configured_to(repository, setting):
    name, before, after = EDITS["a blank third line of context"]
    write(repository, name, before.replace(b"e", b"f"))
    git(repository, "config", setting, CONFIGURATIONS[setting])
    write(repository, name, after, committed=False)
    assert made_again(repository, uncommitted_changes(repository), name) == after


def test_lines_that_end_otherwise_in_the_working_tree_are_no_change(repository):
    git(repository, "config", "core.autocrlf", "true")
    write(repository, "a.py", b"a = 1\r\nb = 2\r\n")
    write(repository, "a.py", b"a = 1\r\nb = 3\r\n", committed=False)
    changes = uncommitted_changes(repository)
    assert "\r" not in changes.patch
    assert made_again(repository, changes, "a.py") == b"a = 1\r\nb = 3\r\n"


def test_attributes_of_files_change_no_patch(repository):
    write(repository, ".gitattributes", b"*.py -diff\n*.yaml diff=upper\n")
    git(repository, "config", "diff.upper.textconv", "tr a-z A-Z <")
    git(repository, "config", "diff.upper.command", "false")
    write(repository, "a.py", b"a = 1\n")
    for name in ("a.py", "params.yaml"):
        write(repository, name, b"b = 2\n", committed=False)
    changes = uncommitted_changes(repository)
    assert made_again(repository, changes, "a.py") == b"b = 2\n"
    assert (repository.parent / "again" / "params.yaml").read_bytes() == b"b = 2\n"


@pytest.mark.parametrize("variable", ["GIT_EXTERNAL_DIFF", "GIT_DIFF_OPTS", "GIT_DIR", "GIT_INDEX_FILE"])
def test_the_environment_of_a_hook_or_of_a_habit_changes_no_patch(repository, monkeypatch, variable):
    name, _, after = EDITS["a blank third line of context"]
    write(repository, name, after, committed=False)
    expected = uncommitted_changes(repository)
    monkeypatch.setenv(variable, "--unified=0" if variable == "GIT_DIFF_OPTS" else "/nowhere")
    assert uncommitted_changes(repository) == expected


def test_files_that_are_removed_added_or_renamed_are_in_the_patch(repository):
    write(repository, "old.py", b"x = 1\n" * 20)
    git(repository, "mv", "old.py", "new.py")
    write(repository, "added.py", b"y = 1\n", committed=False)
    git(repository, "add", "added.py")
    changes = uncommitted_changes(repository)
    assert made_again(repository, changes, "new.py") == b"x = 1\n" * 20
    again = repository.parent / "again"
    assert (again / "added.py").read_bytes() == b"y = 1\n"
    assert not (again / "old.py").exists()


def test_changes_are_those_since_the_commit_that_is_named(repository):
    commit = git(repository, "rev-parse", "HEAD")
    write(repository, "params.yaml", b"a: 2\n")
    assert uncommitted_changes(repository) == Changes()
    assert "+a: 2" in uncommitted_changes(repository, commit).patch


def test_outside_a_repository_there_are_none(tmp_path, monkeypatch):
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "a.py").touch()
    assert uncommitted_changes(tmp_path) == Changes()


@pytest.mark.parametrize("name", SECRETS)
def test_a_new_line_with_a_secret_is_masked_and_the_patch_applies(repository, name):
    content = SECRETS[name]
    write(repository, name, b"a = 1\n")
    write(repository, name, b"a = 1\n" + content, committed=False)
    changes = uncommitted_changes(repository)
    assert changes.masked == (name,)
    assert f"# What looks like a secret is masked in {name}." in changes.patch
    assert "masked" in str(changes)
    again = made_again(repository, changes, name).decode()
    assert again.startswith("a = 1\n")
    assert "***" in again
    assert not [secret for secret in ("pa55", "0123456789", "AKIA", "Zm9v") if secret in changes.patch]


@pytest.mark.parametrize("name", SECRETS)
def test_an_old_line_with_a_secret_keeps_the_file_out(repository, name):
    write(repository, name, SECRETS[name])
    write(repository, name, b"a = 1\n", committed=False)
    write(repository, "other.py", b"a = 1\n")
    write(repository, "other.py", b"a = 2\n", committed=False)
    changes = uncommitted_changes(repository)
    assert (changes.kept, changes.left_out) == (("other.py",), (name,))
    assert f"Changes of {name} hold what looks like a secret and are not kept" in str(changes)
    assert SECRETS[name].decode().strip() not in changes.patch
    assert made_again(repository, changes, "other.py") == b"a = 2\n"


def test_a_secret_two_lines_from_a_change_costs_context_alone(repository):
    write(repository, "params.yaml", b"token: 0123456789\na: 1\nb: 2\n")
    write(repository, "params.yaml", b"token: 0123456789\na: 1\nb: 3\n", committed=False)
    changes = uncommitted_changes(repository)
    assert "0123456789" not in changes.patch
    assert made_again(repository, changes, "params.yaml").endswith(b"b: 3\n")


@pytest.mark.parametrize(
    "content",
    [b"-----BEGIN OPENSSH PRIVATE KEY-----\nb3Bl\n", "password: pa55word\n".encode("utf-16")],
    ids=["key", "UTF-16"],
)
def test_a_secret_that_cannot_be_masked_keeps_the_file_out(repository, content):
    write(repository, "params.yaml", content, committed=False)
    changes = uncommitted_changes(repository)
    assert (changes.kept, changes.left_out) == ((), ("params.yaml",))
    assert made_again(repository, changes, "params.yaml").startswith(b"a: 1\n")


@pytest.mark.parametrize(
    "line",
    [
        "token = uuid4().hex[:_TOKEN]",
        "def load(token: str, password: str | None = None) -> None:",
        'message = f"Password {name} is wrong."',
        'digest = "0123456789abcdef0123456789abcdef01234567"',
        "from nmr_platform.tracking.mlflow.model_store import ModelStoreOfRegisteredModels",
        'url = "https://docs.example.org/en/latest/page.html?version=3"',
        "    --hash=sha256:0a1b2c3d4e5f60718293a4b5c6d7e8f90a1b2c3d4e5f60718293a4b5c6d7e8f9",
    ],
)
def test_code_is_not_taken_for_a_secret(line):
    assert masked_secrets(line, code=True) == line


def test_no_line_of_this_package_looks_like_a_secret():
    package = Path(__file__).parents[2] / "nmr_platform"
    # Those two files show what secrets look like.
    paths = (path for path in package.rglob("*.py") if path.name not in {"masking.py", "secrets.py"})
    lines = [line for path in paths for line in path.read_text().splitlines()]
    examples = ("masked_secrets(", "'token: ***'", "ada:", "TOKEN")
    assert [
        line for line in lines if masked_secrets(line, code=True) != line and not any(e in line for e in examples)
    ] == []


def test_what_is_kept_is_said_and_can_be_turned_off(repository, monkeypatch):
    write(repository, "params.yaml", b"a: 2\n", committed=False)
    assert "(params.yaml) are kept as `uncommitted.patch`" in str(uncommitted_changes(repository))
    assert "NMR_UNCOMMITTED=omit keeps none" in str(uncommitted_changes(repository))
    monkeypatch.setenv("NMR_UNCOMMITTED", "omit")
    assert uncommitted_changes(repository) == Changes()
    monkeypatch.setenv("NMR_UNCOMMITTED", "perhaps")
    with pytest.raises(ConfigurationError, match="`NMR_UNCOMMITTED` must be keep or omit, but is 'perhaps'"):
        uncommitted_changes(repository)


def test_a_patch_of_another_commit_is_refused(repository):
    write(repository, "params.yaml", b"a: 2\n", committed=False)
    changes = uncommitted_changes(repository)
    write(repository, "params.yaml", b"z: 9\n")
    with pytest.raises(ReproductionError, match=r"(?s)`git apply .*patch does not apply"):
        made_again(repository, changes, "params.yaml")
