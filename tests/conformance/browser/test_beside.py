"""The recordings through the vendors' real SDKs, and us beside them: FullStory gets what the vendor's own makes.

A spread of them on each runtime; ``FSBRIDGE_SPREAD=1`` plays all. A recording of what isn't the SDK's business here (a
vendor's snippet that is blocked, a destination that isn't set up) isn't played.

The vendor's own destination is in the same page where it can be had: npm has Segment's FullStory (Actions) of 2023,
with the V1 actions, and RudderStack's SDK 1.4, the last with its integrations in it: FullStory's is taken out of it.
Of the V2 actions and of Segment's Classic integration there is nothing on npm, only on the vendors' servers: what those
make is in the recordings.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser

from tests.e2e.beside import (
    CUSTOM,
    RUDDER_SNIPPET,
    SEGMENT_SETTINGS,
    Vendors,
    destination,
    rudder_config,
    rudders_own,
    segment_snippet,
    with_actions,
)

from .. import player_rudder, tagged, test_rudderstack, test_segment
from ..deviations import rule_for
from ..recordings import identifier, recordings
from . import visits
from .stage import Internet, PageLoad, Stage

SPREAD = int(os.environ.get("FSBRIDGE_SPREAD", "0"))
"""Every how manieth recording is played."""
SEGMENT_FIELDS = {"id", "system", "title", "tags", "settings", "pages", "loadOptions"}
PAGE_FIELDS = {"url", "referrer", "title", "canonical", "script", "expect", "anonymousIdOrdinals", "storage"}


class BesideStage(Stage):
    """A stage whose pages have an SDK beside the tag."""

    def __init__(self, browser: Browser, internet: Internet, proxy: str) -> None:
        super().__init__(browser, internet, proxy)
        self.vendors = Vendors(self.page)

    def _play(self, load: PageLoad) -> dict[str, Any]:
        self.vendors.got.clear()
        if "config" in load.play:
            self.vendors.config = load.play.pop("config")
        self.vendors.settings = load.play.pop("vendors", SEGMENT_SETTINGS)
        return super()._play(load)


class BesidePage(PageLoad):
    """A page with a vendor's snippet above the tag."""

    snippet = ""

    def document(self) -> str:
        return super().document().replace("<script src=", f"<script>{self.snippet}</script><script src=", 1)


@pytest.fixture(scope="module")
def stage(stages: Any, browser: Browser) -> Iterator[BesideStage]:
    made = BesideStage(browser, stages.internet, stages.proxy)
    yield made
    made.close()


def beside(load: PageLoad, snippet: str, **play: Any) -> BesidePage:
    page = BesidePage(load.url, dict(load.tag), {**load.play, **play}, load.title, load.referrer, load.canonical)
    page.snippet = snippet
    return page


def spread(found: list[dict[str, Any]], micropython: int, pyodide: int) -> pytest.MarkDecorator:
    plays = [("micropython", each) for each in found[:: SPREAD or micropython]]
    plays += [("pyodide", each) for each in found[:: SPREAD or pyodide]]
    ids = [f"{runtime}-{identifier(each)}" for runtime, each in plays]
    return pytest.mark.parametrize(("runtime", "scenario"), plays, ids=ids)


def of_segment(scenario: dict[str, Any]) -> bool:
    plain = set(scenario) <= SEGMENT_FIELDS and rule_for(scenario) is None
    return plain and all(set(page) <= PAGE_FIELDS for page in scenario["pages"])


SEGMENT = [each for each in [*recordings("segment-classic"), *recordings("segment-actions")] if of_segment(each)]


OFF = {"FullStory": False, "Fullstory (Actions)": False}
"""What keeps a message from us, whatever a recording's ``load`` says of us."""


@spread(SEGMENT, 40, 150)
def test_segments_sdk(stage: BesideStage, runtime: str, scenario: dict[str, Any], record_property: Any) -> None:
    visit = visits.segment(scenario, runtime)
    if visits.refusal(visit.loads[0].tag):
        pytest.skip("settings that a user's check refuses")
    if "@liquid" in json.dumps(scenario["settings"]):
        pytest.skip("@liquid, which browsers haven't got, as test_recordings.py shows")
    snippet = segment_snippet(False)
    early = [["load", "wk", scenario.get("loadOptions") or {}]]
    visit.loads = [
        beside(load, snippet, beside=len(page["expect"]), early=early, off=OFF)
        for page, load in zip(scenario["pages"], visit.loads, strict=True)
    ]
    outcomes = stage.play(visit)
    problems = test_segment.compare(
        scenario, record_property, lambda given, queued=False: visits.segment_played(given, outcomes, queued)
    )
    assert not problems, scenario["title"] + "\n" + "\n".join(problems)


V1 = {
    "trackEvent": ("track", {"name": {"@path": "$.event"}, "properties": {"@path": "$.properties"}}),
    "viewedPage": ("page", {"pageName": {"@path": "$.name"}, "properties": {"@path": "$.properties"}}),
    "identifyUser": (
        "identify",
        {"userId": {"@path": "$.userId"}, "anonymousId": {"@path": "$.anonymousId"}, "traits": {"@path": "$.traits"}},
    ),
}
OURS = "FSX"


def v1_subscriptions(scenario: dict[str, Any]) -> list[dict[str, Any]]:
    """Those of the scenario, if they are all of V1 actions, else one for each.

    The package on npm gives a visitor with a user id no ``email`` and ``displayName``, today's does: nobody gets any.
    """
    given = (scenario["settings"] or {}).get("subscriptions") or []
    if not given or any(each.get("partnerAction") not in V1 for each in given):
        return [
            {
                "name": action,
                "enabled": True,
                "subscribe": f'type = "{type_}"',
                "partnerAction": action,
                "mapping": mapping,
            }
            for action, (type_, mapping) in V1.items()
        ]
    return [
        {
            **each,
            "mapping": {key: value for key, value in each["mapping"].items() if key not in ("email", "displayName")},
        }
        for each in given
    ]


def at_load(scenario: dict[str, Any]) -> Any:
    """What ``integrations`` of load say of the Actions: False where they let in by name, and name others."""
    given = (scenario.get("loadOptions") or {}).get("integrations") or {}
    return given.get("Fullstory (Actions)", given.get("All", True))


def is_for_both_actions(scenario: dict[str, Any]) -> bool:
    """Whether load gives no subscriptions: today's destination takes those in place of its own, that on npm doesn't."""
    given = at_load(scenario)
    return not (isinstance(given, dict) and "subscriptions" in given)


@spread([each for each in SEGMENT if is_for_both_actions(each)], 40, 150)
def test_beside_segments_own_actions_in_one_page(stage: BesideStage, runtime: str, scenario: dict[str, Any]) -> None:
    """Both get each message from one SDK, and make the same calls, in the same order, each under its own namespace."""
    settings = {"orgId": "o-1ABC-na1", "subscriptions": v1_subscriptions(scenario)}
    visit = visits.segment({**scenario, "system": "segment-actions", "settings": settings}, runtime)
    tag = visits.tag("segment-actions", {**settings, "namespace": OURS}, runtime)
    for load in visit.loads:
        load.tag.update(tag, **{"when-doubled": "send"})
    early = [["load", "wk", scenario.get("loadOptions") or {}]]
    more = {"early": early, "off": OFF, "fsOther": OURS, "vendors": with_actions(**settings)}
    visit.loads = [
        beside(load, segment_snippet(False), beside=len(page["expect"]) if at_load(scenario) else 0, **more)
        for page, load in zip(scenario["pages"], visit.loads, strict=True)
    ]
    for outcome in stage.play(visit):
        found: dict[str, list[Any]] = {"FS": [], OURS: []}
        for call in outcome["calls"]:
            name, _, method = call["call"].partition(".")
            found[name].append([method, call["args"]])
        assert not tagged.differences(tagged.decode(found["FS"]), tagged.decode(found[OURS]))


def of_rudderstack(scenario: dict[str, Any]) -> bool:
    plain = set(scenario) <= SEGMENT_FIELDS
    return plain and all(set(page) <= PAGE_FIELDS for page in scenario["pages"])


RUDDERSTACK = [each for each in recordings("rudderstack") if of_rudderstack(each)]


def leaves_us_out(integrations: Any) -> bool:
    """Whether ``integrations`` let in by name only, which is the vendor's, not that of a custom destination."""
    given = integrations if isinstance(integrations, dict) else {}
    return given.get("All", True) is False and bool(given.get("Fullstory", False) or given.get("Fullstory") == {})


def is_left_out(scenario: dict[str, Any]) -> bool:
    """Whether RudderStack's SDK itself keeps something from each custom destination that the vendor's own gets."""
    options = [(scenario.get("loadOptions") or {}).get("integrations")]
    for page in scenario["pages"]:
        options += [arg.get("integrations") for _, *args in page["script"] for arg in args if isinstance(arg, dict)]
    return any(leaves_us_out(each) for each in options)


@spread(RUDDERSTACK, 20, 80)
def test_rudderstacks_sdk(stage: BesideStage, runtime: str, scenario: dict[str, Any], record_property: Any) -> None:
    if is_left_out(scenario):
        pytest.skip('an allow-list that names "Fullstory" alone: the SDK knows us as "Custom Device Mode"')
    visit = visits.rudderstack(scenario, runtime)
    settings = player_rudder.settings_of(scenario)
    config = rudder_config()
    config["source"]["destinations"] = [
        {**destination(CUSTOM, "Custom Device Mode", **(scenario["settings"] or {})), "id": settings["id"]}
    ]
    loads: list[PageLoad] = []
    for page, load in zip(scenario["pages"], visit.loads, strict=True):
        options = {**(scenario.get("loadOptions") or {}), "configUrl": "https://config.example"}
        key, _ = player_rudder.LOAD
        early = [["load", key, "https://data.example", options]]
        load.play["consents"] = bool((options.get("preConsent") or {}).get("enabled"))  # the SDK begins by the script
        load.tag["destination-id"] = settings["id"]
        expected = len(page["expect"])
        loads.append(beside(load, RUDDER_SNIPPET, beside=expected, early=early, config=config, returns=False))
    visit.loads = loads
    outcomes = [{**outcome, "returns": {}} for outcome in stage.play(visit)]
    for page in scenario["pages"]:
        page.pop("returns", None)
    played = visits.rudderstack_played(scenario, outcomes)
    for _, each in played:
        each.returns = {}
        each.lost_by_vendor = []  # that is our own API's: what the SDK doesn't say of a visitor nobody knows
    problems = test_rudderstack.compare(scenario, played, record_property)
    assert not problems, scenario["title"] + "\n" + "\n".join(problems)


OWN = "own-1"
"""The id of the custom destination that hands its messages to RudderStack's own FullStory integration."""
OWN_INTEGRATION = f"""
(() => {{
  const own = new RudderFullstory({{ fs_org: "o-1ABC-na1" }}, {{ loadOnlyIntegrations: {{}} }});
  const hand = (type) => (sdk, log, event) => own[type](event);
  rudderanalytics.addCustomIntegration("{OWN}", {{
    init() {{}}, isReady: () => own.isLoaded(), track: hand("track"), page: hand("page"), identify: hand("identify"),
  }});
}})();
"""


def is_for_both(scenario: dict[str, Any]) -> bool:
    """Whether the SDK gives both the same: by name it can leave out, or let in, the one that has FullStory's alone."""
    return "integrations" not in json.dumps([scenario.get("loadOptions"), [p["script"] for p in scenario["pages"]]])


def stumbles_over(args: list[Any]) -> bool:
    """Whether 1.4 throws where the recorded integration makes this call: for a name without a letter or a digit."""
    return any(not key.partition("_")[0] for arg in args if isinstance(arg, dict) for key in arg)


@spread([each for each in RUDDERSTACK if is_for_both(each)], 20, 80)
def test_beside_rudderstacks_own_integration_in_one_page(
    stage: BesideStage, runtime: str, scenario: dict[str, Any]
) -> None:
    """Both get each message from one SDK, and make the same calls, in the same order, each under its own namespace."""
    visit = visits.rudderstack(scenario, runtime)
    given = {"connectionMode": "device", "useNativeSDK": True, **(scenario["settings"] or {})}
    config = rudder_config()
    config["source"]["destinations"] = [
        {**destination(id_, "Custom Device Mode", **given), "id": id_} for id_ in (CUSTOM, OWN)
    ]
    settings = {**player_rudder.settings_of(scenario), "id": CUSTOM, "namespace": OURS}
    loads: list[PageLoad] = []
    for page, load in zip(scenario["pages"], visit.loads, strict=True):
        options = {**(scenario.get("loadOptions") or {}), "configUrl": "https://config.example"}
        load.tag.update(visits.tag("rudderstack", settings, runtime), **{"destination-id": CUSTOM})
        load.play["consents"] = bool((options.get("preConsent") or {}).get("enabled"))
        load.play.update(beside=2 * len(page["expect"]), fsOther=OURS, config=config, returns=False)
        load.play["early"] = [["load", player_rudder.LOAD[0], "https://data.example", options]]
        loads.append(beside(load, rudders_own() + RUDDER_SNIPPET + OWN_INTEGRATION))
    visit.loads = loads
    for outcome in stage.play(visit):
        found: dict[str, list[Any]] = {"FS": [], OURS: [], "throw": []}  # the last: what the SDK hasn't got
        for call in outcome["calls"]:
            name, _, method = call["call"].partition(".")
            found[name].append([method, call["args"]])
        ours = [each for each in found[OURS] if not stumbles_over(each[1])]
        assert not tagged.differences(tagged.decode(found["FS"]), tagged.decode(ours))
