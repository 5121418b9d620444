"""The types of `connect`: what settings each destination takes, and which source's API it gives."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, TypedDict, Unpack, overload

from .analytics import AnalyticsJs, RudderAnalytics

class Options(TypedDict, total=False):
    """What any connection takes."""

    expose: bool
    strict: bool
    diagnostics: bool
    window: Any
    beside: Any
    destination_id: str | None
    when_doubled: Literal["", "send"]
    session_url: bool

class FullStoryOptions(Options, total=False):
    """FullStory's own options, which every destination takes."""

    debug: bool
    devMode: bool
    namespace: str
    host: str
    script: str
    appHost: str
    cookieDomain: str
    recordOnlyThisIFrame: bool
    recordCrossDomainIFrames: bool
    startCaptureManually: bool
    assetMapId: str
    sessionUid: str

class SegmentClassic(FullStoryOptions, total=False):
    """The settings of segment-classic, without its org id."""

    isOuterScript: bool
    trackAllPages: bool
    trackNamedPages: bool
    trackCategorizedPages: bool
    trackPagesWithEvents: bool

class SegmentActions(FullStoryOptions, total=False):
    """The settings of segment-actions, without its org id."""

    subscriptions: Sequence[Mapping[str, Any]]
    integrationName: str

class RudderStack(FullStoryOptions, total=False):
    """The settings of rudderstack, without its org id."""

    fs_debug_mode: bool
    fs_host: str
    id: str
    enabled: bool
    displayName: str
    eventFilteringOption: str
    whitelistedEvents: Sequence[Mapping[str, Any]]
    blacklistedEvents: Sequence[Mapping[str, Any]]
    connectionMode: str
    useNativeSDK: bool
    useNativeSDKToSend: bool
    consentManagement: Sequence[Mapping[str, Any]]
    oneTrustCookieCategories: Sequence[Mapping[str, Any]]
    ketchConsentPurposes: Sequence[Mapping[str, Any]]

# An org id goes by the vendor's name or ours; the source is by default the one of the destination's vendor.

@overload
def connect(
    destination: Literal["segment-classic"],
    *,
    org: str,
    source: Literal["analytics.js"] | None = None,
    **settings: Unpack[SegmentClassic],
) -> AnalyticsJs: ...
@overload
def connect(
    destination: Literal["segment-classic"],
    *,
    org: str,
    source: Literal["rudderanalytics"],
    **settings: Unpack[SegmentClassic],
) -> RudderAnalytics: ...
@overload
def connect(
    destination: Literal["segment-actions"],
    *,
    org: str,
    source: Literal["analytics.js"] | None = None,
    **settings: Unpack[SegmentActions],
) -> AnalyticsJs: ...
@overload
def connect(
    destination: Literal["segment-actions"],
    *,
    orgId: str,
    source: Literal["analytics.js"] | None = None,
    **settings: Unpack[SegmentActions],
) -> AnalyticsJs: ...
@overload
def connect(
    destination: Literal["segment-actions"],
    *,
    org: str,
    source: Literal["rudderanalytics"],
    **settings: Unpack[SegmentActions],
) -> RudderAnalytics: ...
@overload
def connect(
    destination: Literal["segment-actions"],
    *,
    orgId: str,
    source: Literal["rudderanalytics"],
    **settings: Unpack[SegmentActions],
) -> RudderAnalytics: ...
@overload
def connect(
    destination: Literal["rudderstack"],
    *,
    org: str,
    source: Literal["rudderanalytics"] | None = None,
    **settings: Unpack[RudderStack],
) -> RudderAnalytics: ...
@overload
def connect(
    destination: Literal["rudderstack"],
    *,
    fs_org: str,
    source: Literal["rudderanalytics"] | None = None,
    **settings: Unpack[RudderStack],
) -> RudderAnalytics: ...
@overload
def connect(
    destination: Literal["rudderstack"],
    *,
    org: str,
    source: Literal["analytics.js"],
    **settings: Unpack[RudderStack],
) -> AnalyticsJs: ...
@overload
def connect(
    destination: Literal["rudderstack"],
    *,
    fs_org: str,
    source: Literal["analytics.js"],
    **settings: Unpack[RudderStack],
) -> AnalyticsJs: ...
