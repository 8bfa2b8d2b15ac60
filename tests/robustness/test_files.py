"""What is written where: whole or not at all, through links, with the mode that the file had."""

import os
import stat
import threading

import pytest

from symrnn.documents.writers.files import write


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("mode", [0o600, 0o644, 0o755])
def test_the_mode_stays(tmp_path, mode):
    path = tmp_path / "a.txt"
    path.write_text("before")
    path.chmod(mode)
    write(path, "after")
    assert (path.read_text(), mode_of(path)) == ("after", mode)


def test_a_new_file_has_the_mode_of_any_new_file(tmp_path):
    write(tmp_path / "a.txt", "text")
    (tmp_path / "b.txt").write_text("text")
    assert mode_of(tmp_path / "a.txt") == mode_of(tmp_path / "b.txt")


def test_a_link_leads_to_the_file(tmp_path):
    path, link = tmp_path / "a.txt", tmp_path / "link.txt"
    path.write_text("before")
    link.symlink_to(path)
    write(link, "after")
    assert link.is_symlink()
    assert path.read_text() == "after"


def test_a_link_to_nothing_makes_the_file(tmp_path):
    link = tmp_path / "link.txt"
    link.symlink_to(tmp_path / "a.txt")
    write(link, "text")
    assert link.is_symlink()
    assert (tmp_path / "a.txt").read_text() == "text"


@pytest.mark.parametrize("before", ["", "a longer text than the new one"])
def test_all_names_of_a_file_have_the_text(tmp_path, before):
    path, other = tmp_path / "a.txt", tmp_path / "b.txt"
    path.write_text(before)
    os.link(path, other)
    write(path, "after")
    assert path.samefile(other)
    assert other.read_text() == "after"


def test_a_read_only_file_stays(tmp_path):
    path = tmp_path / "a.txt"
    path.write_text("before")
    path.chmod(0o444)
    with pytest.raises(PermissionError, match=r"a\.txt: expected a file that can be written, got a read-only one$"):
        write(path, "after")
    assert path.read_text() == "before"


def test_a_pipe_is_written_into(tmp_path):
    path, found = tmp_path / "pipe", []
    os.mkfifo(path)
    reader = threading.Thread(target=lambda: found.append(path.read_text()))
    reader.start()
    write(path, "text" * 50_000)
    reader.join(timeout=10)
    assert found == ["text" * 50_000]
    assert stat.S_ISFIFO(path.stat().st_mode)


def test_a_device_is_written_into():
    write("/dev/null", "text")
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(OSError, match=r"\[Errno 28\] No space left on device: '/dev/full'"):
        write("/dev/full", "text")


def test_a_long_name_is_a_name(tmp_path):
    name = "a" * 251 + ".txt"
    write(tmp_path / name, "text")
    assert [path.name for path in tmp_path.iterdir()] == [name]


@pytest.mark.parametrize("name", ["no/such/folder.txt", "a" * 300, "."])
def test_an_error_names_the_file_that_was_asked_for(tmp_path, name):
    with pytest.raises(OSError, match=r"^(?!.*\.symrnn\.)") as caught:
        write(tmp_path / name, "text")
    assert str(tmp_path) in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_nothing_is_left_of_what_is_not_whole(tmp_path, monkeypatch):
    path = tmp_path / "a.txt"
    path.write_text("before")

    def fails(*names):
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "replace", fails)
    with pytest.raises(KeyboardInterrupt):
        write(path, "after")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [("a.txt", "before")]
