"""No way to write a password in an address gets it shown."""

import pytest

from nmr_platform.tracking.masking import masked_address, masked_uri, without_secrets

SHOWN = {
    "postgresql://ada:pa55@db:5432/mlflow": "postgresql://ada:***@db:5432/mlflow",
    "postgresql://ada:p@55@db/mlflow": "postgresql://ada:***@db/mlflow",
    "postgresql://ada:pa55/word@db/mlflow": "postgresql://ada:***@db/mlflow",
    "postgresql://ada:pa55'word@db/mlflow": "postgresql://ada:***@db/mlflow",
    'postgresql://ada:pa55"word@db/mlflow': "postgresql://ada:***@db/mlflow",
    "postgresql://ada:pa55?a=1#b@db/mlflow": "postgresql://ada:***@db/mlflow",
    "postgresql://ada@lab:pa55@db/mlflow": "postgresql://ada@lab:***@db/mlflow",
    "postgresql://ada:pa55%2Fword@db/mlflow": "postgresql://ada:***@db/mlflow",
    "postgresql:///mlflow?host=/run&password=pa55&x=1": "postgresql:///mlflow?host=/run&password=***&x=1",
    "https://:pa55@server/path": "https://:***@server/path",
    "http://pa55@server": "http://***@server",
    "http://pa55:@server": "http://***@server",
    "http://pa55:x-oauth-basic@server": "http://***@server",
    "https://server/blob?sv=1&sig=pa55%2F": "https://server/blob?sv=1&sig=***",
    "https://server/blob?access_token=pa55&x=1": "https://server/blob?access_token=***&x=1",
    "https://server/blob?X-Amz-Signature=pa55": "https://server/blob?X-Amz-Signature=***",
    "http://localhost:5000": "http://localhost:5000",
    "sqlite:////data/a@b/mlflow.db": "sqlite:////data/a@b/mlflow.db",
    "s3://bucket/key": "s3://bucket/key",
}


@pytest.mark.parametrize("uri", SHOWN)
def test_an_address_is_shown_without_its_password(uri):
    assert masked_address(uri) == SHOWN[uri]


@pytest.mark.parametrize(
    "around", ["{}", "could not reach {} twice", "'{}'", '{{"uri": "{}", "b": 1}}', "({}), or", "{}\n"]
)
@pytest.mark.parametrize("uri", SHOWN)
def test_an_address_in_a_text_is_shown_without_its_password(uri, around):
    assert masked_uri(around.format(uri)) == around.format(SHOWN[uri])


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("ada:pa55@db/mlflow", "***@db/mlflow"),
        ("pa55@db/mlflow", "***@db/mlflow"),
        ("host=db password=pa55 user=ada", "host=db password=*** user=ada"),
        ("host=db password='pa 55' user=ada", "host=db password=*** user=ada"),
        ("postgresql://ada:pa 55@db", "postgresql://ada:***@db"),
        ("results/mlflow.db", "results/mlflow.db"),
    ],
)
def test_an_address_that_lacks_something_is_shown_without_its_password(uri, shown):
    assert masked_address(uri) == shown


@pytest.mark.parametrize(
    "text",
    [
        '{"a": "http://h:80", "b": "x@y"}',
        '{"a":"http://h:80","b":"x@y"}',
        "see http://127.0.0.1:5000/#/experiments/1, and write to ada@lab",
        "git@github.com:org/repo",
        "@property",
    ],
)
def test_what_is_no_password_stays(text):
    assert masked_uri(text) == text


@pytest.mark.parametrize(
    ("uri", "said"),
    [
        ("postgresql://ada:pa%2F55@db", "password pa/55 is wrong"),
        ("postgresql://ada:pa/55@db", "no host pa/55@db, or pa%2F55"),
        ("postgresql://ada:p@55@db", "cannot find p@55, 55@db"),
        ("postgresql://db?password=pa%2055", "tried 'pa 55'"),
        ("http://pa55@db", "user pa55 is unknown"),
        ("host=db password='pa 55'", "option pa 55 is unknown"),
        ("ada:pa55@db", "at ada:pa55@db, with pa55"),
    ],
)
def test_a_password_is_not_told_in_any_form(uri, said):
    shown = without_secrets(f"{said}: {uri!r}", uri)
    assert "***" in shown
    assert not [secret for secret in ("pa55", "pa/55", "pa%2F55", "p@55", "pa 55") if secret in shown]
