"""Which importer reads a model, and what is said where none does."""

import re

import pytest

from symrnn.importers.formats import IMPORTERS, LIVE_MODELS, SUFFIXES, is_readable, read_model


def test_each_suffix_has_one_importer():
    assert SUFFIXES == (".keras", ".h5", ".hdf5", ".json")
    assert len(SUFFIXES) == len(set(SUFFIXES))


def test_what_can_be_read(tmp_path):
    class Live:
        def to_json(self): ...

        def get_weights(self): ...

    assert all(map(is_readable, ("model.keras", tmp_path, Live())))
    assert not any(map(is_readable, (Live, 3, None)))


@pytest.mark.parametrize("name", ["model.onnx", "model", "größe.pt"])
def test_a_file_of_another_format_is_refused_with_all_suffixes(tmp_path, name):
    ends = ".keras, .h5, .hdf5, .json"
    message = f"{tmp_path / name}: expected a file that ends in {ends}, as model.save('model.keras') writes"
    with pytest.raises(NotImplementedError, match=f"^{re.escape(message)}$"):
        read_model(tmp_path / name)


def test_what_is_no_model_is_refused():
    assert LIVE_MODELS == "a Keras model"
    with pytest.raises(ValueError, match=r"^expected a Keras model or a path, got int$"):
        read_model(3)


@pytest.mark.parametrize("importer", IMPORTERS, ids=lambda importer: importer.framework)
def test_a_file_that_is_not_there(tmp_path, importer):
    for suffix in importer.suffixes:
        with pytest.raises(FileNotFoundError, match="no such file"):
            importer.read(tmp_path / f"model{suffix}", None)
