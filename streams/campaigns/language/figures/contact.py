"""Figures of what customers and shop have to do with each other: reviews, service, wishes, coupons."""

from collections.abc import Callable
from typing import Final

from streams.campaigns.language.figures.figure import Figure, Reading, Seen, Unknown
from streams.campaigns.language.figures.scene import Scene
from streams.domain.names import cut
from streams.domain.offered import COUPON, kind_of
from streams.domain.service import CASES, is_open
from streams.domain.state import COUPONS, Coupon
from streams.domain.wishes import WISHES, counted_likers, status_of


def _review(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        reviews = scene.state.reviews
        return Seen(0 if reviews is None else getattr(reviews, name), scene.is_erased)

    return read


def _stars(stars: int) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        reviews = scene.state.reviews
        ratings = [] if reviews is None else reviews.ratings
        return Seen(ratings[stars - 1] if ratings else 0, scene.is_erased)

    return read


def _service(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        service = scene.state.service
        return Seen(0 if service is None else getattr(service, name), scene.is_erased)

    return read


def _open_cases(scene: Scene) -> Reading:
    service = scene.state.service
    return Seen(0 if service is None else service.opened - service.resolved)


def _waiting(scene: Scene) -> Reading:
    service = scene.state.service
    cases = [] if service is None else service.cases
    opened = [case.opened_at for case in cases if is_open(case) and case.opened_at is not None]
    if not opened:
        return Unknown("no case is open")
    # An older one may have left for want of room.
    is_cut = service is not None and service.opened - service.resolved > len(opened) >= CASES
    return Seen(scene.since(min(opened)), is_cut)


def _reply(scene: Scene) -> Reading:
    service = scene.state.service
    if service is None or not service.replied:
        return Unknown("no case was replied to")
    return Seen(service.reply_ms // service.replied)


def _score(scene: Scene) -> Reading:
    score = None if scene.state.service is None else scene.state.service.survey_score
    return Unknown("no survey was answered") if score is None else Seen(score)


def _survey_ago(scene: Scene) -> Reading:
    at = None if scene.state.service is None else scene.state.service.survey_at
    return Unknown("no survey was answered") if at is None else Seen(scene.since(at))


def _wish(name: str) -> Callable[[Scene], Reading]:
    def read(scene: Scene) -> Reading:
        wishes = scene.state.wishes
        return Seen(0 if wishes is None else getattr(wishes, name), scene.is_erased)

    return read


def _open_wishes(scene: Scene) -> Reading:
    wishes = scene.state.wishes
    if wishes is None:
        return Seen(0)
    return Seen(wishes.made - wishes.withdrawn - wishes.granted - wishes.declined)


def _wished(scene: Scene) -> Reading:
    wishes = scene.state.wishes
    kept = [] if wishes is None else wishes.wishes
    wanted = frozenset(wish.sku for wish in kept if wish.sku and status_of(wish) == "open")
    return Seen(wanted, len(kept) >= WISHES or (wishes is not None and bool(wishes.past)))


def _most_likers(scene: Scene) -> Reading:
    wishes = scene.state.wishes
    kept = [] if wishes is None else [wish for wish in wishes.wishes if status_of(wish) == "open"]
    if not kept:
        return Unknown("no wish is open")
    return Seen(max(counted_likers(wish) for wish in kept))


def _is_full(scene: Scene) -> bool:
    return len(scene.state.coupons) >= COUPONS


def _coupons(scene: Scene) -> list[Coupon]:
    return [each for each in scene.state.coupons if kind_of(each.how) == COUPON]


def _good(scene: Scene) -> list[Coupon]:
    return [
        coupon for coupon in _coupons(scene) if coupon.issued_at <= scene.at < coupon.valid_until
    ]


def _last_coupon(scene: Scene) -> Reading:
    coupons = _coupons(scene)
    if not coupons:
        return Unknown("no coupon was issued")
    return Seen(scene.since(max(coupon.issued_at for coupon in coupons)))


CONTACT: Final = (
    Figure("reviews.posted.count", "count", "Reviews posted and not removed.", '">=1"', _review("posted"),
           "reviews"),
    Figure("reviews.appended.count", "count", "Of these: with an addition.", '">=1"', _review("appended"),
           "reviews"),
    Figure("reviews.shown.count", "count", "Of these: with photos.", '">=1"', _review("shown"), "reviews"),
    Figure("reviews.bad.count", "count", "Of these: rated 1 or 2.", '"==0"', _review("bad"), "reviews"),
    Figure("reviews.bad_open.count", "count", "Of these: without a reply.", '"==0"', _review("bad_open"),
           "reviews"),
    Figure("reviews.removed.count", "count", "Reviews that were removed.", '"==0"', _review("removed"),
           "reviews"),
    *(
        Figure(f"reviews.stars_{stars}.count", "count", f"Reviews rated {stars}.", '">=1"', _stars(stars),
               "reviews")
        for stars in range(1, 6)
    ),
    Figure("service.opened.count", "count", "Service cases, over the whole life.", '">=1"',
           _service("opened"), "cases"),
    Figure("service.complaints.count", "count", "Of these: with a complaint.", '"==0"',
           _service("complaints"), "cases"),
    Figure("service.resolved.count", "count", "Of these: resolved.", '">=1"', _service("resolved"), "cases"),
    Figure("service.open.count", "count", "Of these: not resolved yet.", '"==0"', _open_cases, "cases"),
    Figure("service.open.age", "duration", "Since the oldest open case was opened.", '">=2d"', _waiting),
    Figure("service.reply", "duration", "Mean time to the first reply.", '">=1h"', _reply),
    Figure("service.survey.score", "count", "The last answer to a survey.", '"<=6"', _score, bounds=(0, 10)),
    Figure("service.survey.ago", "duration", "Since that answer.", '"<=30d"', _survey_ago),
    Figure("wishes.made.count", "count", "Wishes made.", '">=1"', _wish("made"), "wishes"),
    Figure("wishes.open.count", "count", "Of these: neither withdrawn, granted nor declined.", '">=1"',
           _open_wishes, "wishes"),
    Figure("wishes.granted.count", "count", "Of these: granted.", '">=1"', _wish("granted"), "wishes"),
    Figure("wishes.declined.count", "count", "Of these: declined.", '">=1"', _wish("declined"),
           "wishes"),
    Figure("wishes.withdrawn.count", "count", "Of these: withdrawn.", '">=1"', _wish("withdrawn"),
           "wishes"),
    Figure("wishes.likes.count", "count", "Likes of all wishes that count.", '">=10"', _wish("likes"),
           "likes"),
    Figure("wishes.suspicious.count", "count", "Likes that are held to be bought, and do not count.", '"==0"',
           _wish("suspicious"), "likes"),
    Figure("wishes.likers.most", "count", "Likers who count of the open wish that has most.", '">=10"',
           _most_likers, "likers"),
    Figure("wishes.skus", "set", "Skus wished for, in open wishes that are kept whole.", "[T-1]", _wished,
           known_as=cut),
    Figure("coupons.count", "count", f"Coupons issued, of the {COUPONS} that a state remembers.", '"<=2"',
           lambda scene: Seen(len(_coupons(scene)), _is_full(scene) or scene.is_erased), "coupons"),
    Figure("coupons.good.count", "count", "Of these: issued and not past their end at the moment.", '"==0"',
           lambda scene: Seen(len(_good(scene)), _is_full(scene) and len(_good(scene)) == COUPONS),
           "coupons"),
    Figure("coupons.ago", "duration", "Since the last coupon was issued.", '">=7d"', _last_coupon),
    Figure("coupons.campaigns", "set", "Campaigns whose coupons a state remembers.",
           "{none_of: [welcome]}",
           lambda scene: Seen(frozenset(coupon.campaign for coupon in _coupons(scene)), _is_full(scene))),
)  # fmt: skip
