"""The page that lists all settings."""

from fsbridge import destinations
from tools.settings import PAGE, page


def test_the_page_is_what_the_destinations_say() -> None:
    assert PAGE.read_text(encoding="utf-8") == page(), "python -m tools.settings"


def test_it_has_every_setting_with_its_meaning() -> None:
    rows = page().splitlines()
    for name in destinations.NAMES:
        for setting in destinations.find(name).settings:
            assert setting.meaning
            assert [row for row in rows if row.startswith(f"| `{setting.name}` |") and setting.meaning in row]
