"""`python -m tools.settings` writes docs/settings.md from what the destinations say about their settings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fsbridge import destinations
from fsbridge.cloud.destination import SegmentCloud
from fsbridge.contracts import Destination
from fsbridge.fullstory_options import OPTIONS
from fsbridge.runtime import UNDEFINED
from fsbridge.settings import Setting

PAGE = Path(__file__).parent.parent / "docs/settings.md"

HEAD = """\
# Settings

<!-- Written by `python -m tools.settings`; edit the destinations instead. -->

Settings have the vendors' names, and mean what the vendors' code takes them for. They come from the tag's attributes
(`data-track-named-pages="true"`), from `data-settings` (a JSON object), from `connect(…)` and, on the command line,
from `--settings`.

- The org id may have any vendor's name, for every destination: `org`, `orgId` or `fs_org`. In attributes hyphens,
  underscores and capitals make no difference: `data-fs-org` is `fs_org`.
- JavaScript's `undefined` counts as left out. `null` and the empty text don't: what they do is said where it differs
  from leaving the setting out.
- *True or False* follows JavaScript's truth, as the vendors' code does, unless the setting says "only true": `null`,
  `""` and `0` are no, and any other text, `"false"` too, is yes. As an attribute, `true` and `false` mean what they
  say.
- [FullStory's own options](#fullstorys-own-options) count for each destination but `segment-cloud`, beside the
  vendor's settings.
- Any other type is refused. In `connect` and on the command line that is a `SettingsError`. In the tag it is a line on
  the console and the setting counts as left out, as does an unknown one; but where a setting is *required*, or *guards*
  what is sent or with whose consent, the tag starts nothing.

"""

FULLSTORY = """\
## FullStory's own options

These are the options of FullStory's browser SDK, and do what it does with them. In attributes: `data-dev-mode="true"`,
`data-namespace="FSX"`; in Python: `connect(…, devMode=True)`. Where a vendor has a setting of the same name, as
`segment-classic` has `debug`, that one counts; over RudderStack's `fs_host` goes `host`. Segment's Actions hand
theirs on to the SDK as they are, as the vendor's do, and go on calling in `devMode`, in vain.

"""

LOAD = """\
## Options of `load`

These options of `analytics.load(writeKey, options)` count here:

| option | left out | meaning |
|---|---|---|
| `integrations` | all | by a destination's name: `false` leaves it out; an object goes over Classic's settings |
|  |  | and may hold `subscriptions` of `segment-actions`; `All: false` leaves out what isn't named |
| `disableAutoISOConversion` | off | `segment-classic` leaves texts that look like ISO dates alone |
| `disable` | off | only `true`, or a function that returns something true: nothing is sent or remembered |
| `disableClientPersistence` | off | nothing is stored in the browser |
| `storage`, `cookie`, `user`, `group` | Segment's own | where and how the identity is stored |
| `useQueryString` | on | only `false` turns `ajs_…` parameters off; `aid` and `uid` may hold a pattern each |
| `initialPageview` | off | a page call at once |
| `globalAnalyticsKey` | `analytics` | another global for the API, besides |
| `plan` | none | the tracking plan, where the settings document (`cdnSettings`) has none |
| `updateCDNSettings` | none | a function that changes the settings document |

And these of `rudderanalytics.load(writeKey, dataPlaneUrl, options)`:

| option | left out | meaning |
|---|---|---|
| `integrations` | all | by name, by their truth; `All` is for what isn't named |
| `storage` | cookies | `type`, `entries`, `cookie`, `encryption.version`, `migrate` (only `false` turns it off) |
| `setCookieDomain`, `sameSiteCookie` | RudderStack's own | of cookies |
| `secureCookie`, `sameDomainCookiesOnly` | off | of cookies; only with `true` |
| `sessions` | on, 30 minutes | `autoTrack` (only `false` turns it off), `timeout`, `cutOff` (`enabled`: only `true`) |
| `consentManagement`, `preConsent` | none | what is awaited before anything is sent, what may be stored until then |
| `anonymousIdOptions`, `externalAnonymousIdCookieName` | none | where an anonymous id may come from |
| `sourceConfigurationOverride` | none | by a destination's `id`: `enabled`, `config` |
| `useGlobalIntegrationsConfigInEvents` | off | only `true`: `integrations` go into each message |
| `plugins` | all | parts of the SDK by name: nothing is sent without |
|  |  | `DeviceModeDestinations` and `NativeDestinationQueue` |
| `logLevel` | off | only `"DEBUG"`: more on the console |
| `onLoaded` | none | called when the source has started |
"""


def page() -> str:
    """The whole of docs/settings.md."""
    kinds: list[type[Destination]] = [*map(destinations.find, destinations.NAMES), SegmentCloud]
    sections = [f"## `{kind.name}`\n\n{_table(kind.own or kind.settings)}\n" for kind in kinds]
    return HEAD + "".join(sections) + FULLSTORY + _table(OPTIONS) + "\n" + LOAD


def _table(settings: tuple[Setting, ...]) -> str:
    rows = [
        f"| `{setting.name}` | {_takes(setting)} | {_default(setting)} | {setting.meaning} |\n" for setting in settings
    ]
    return f"| setting | takes | left out | meaning |\n|---|---|---|---|\n{''.join(rows)}"


def _takes(setting: Setting) -> str:
    takes = {"text": "text", "boolean": "True or False", "list": "a list", "object": "an object"}[setting.accepts]
    return takes + (", guards" if setting.guards else "")


def _default(setting: Setting) -> str:
    default: Any = setting.default
    if setting.required:
        return "*required*"
    return "–" if default is UNDEFINED else f"`{json.dumps(default)}`"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
