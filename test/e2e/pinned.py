"""Other people's software at pinned versions, installed once for all build folders."""
import shutil
import subprocess
import time

TRIES = 3
PAUSE_S = 5


def done(folder, pins):
    """Whether the folder holds what these pins say."""
    note = folder / "pins"
    return note.exists() and note.read_text() == pins


def install(folder, pins, fill):
    """Fills the folder anew, whole or not at all. A registry that doesn't answer is asked again."""
    for left in reversed(range(TRIES)):
        if done(folder, pins):
            return
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        try:
            fill(folder)
            (folder / "pins").write_text(pins)
        except subprocess.CalledProcessError:
            if left == 0:
                raise
            time.sleep(PAUSE_S)
