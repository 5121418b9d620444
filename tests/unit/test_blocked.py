"""What a page is told when fs.js doesn't come: one line, whichever way it stays away."""

import pytest

from fsbridge import connect
from fsbridge.testing.simulated import SimulatedWindow

ADDRESS = "https://edge.fullstory.com/s/fs.js"


@pytest.mark.parametrize("happens", ["error", "load", None], ids=["refused", "empty", "swallowed"])
def test_one_line_says_that_fs_js_is_not_there(happens: str | None) -> None:
    window = SimulatedWindow(recording=False)
    analytics = connect("segment-classic", org="o-1ABC-na1", window=window)
    analytics.track("Waits")
    (script,) = [each for each in window.document.getElementsByTagName("script") if ADDRESS in str(vars(each))]
    if happens:
        script.fire(happens)
    window.settle()
    assert analytics.status == "blocked"
    said = [text for _, text in window.console.lines if "FullStory is blocked" in text]
    assert len(said) == 1
    assert ADDRESS in said[0]
