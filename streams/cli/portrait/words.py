"""What the portrait says, in Chinese and in English. A word without a translation is shown as it is."""

import os
import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Language(StrEnum):
    """What --language takes."""

    zh = "zh"
    en = "en"


def language_of(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the locale, by POSIX's order of its variables; English where it is no Chinese.

    >>> language_of({"LANG": "zh_CN.UTF-8"}), language_of({"LC_ALL": "C", "LANG": "zh_CN.UTF-8"})
    (<Language.zh: 'zh'>, <Language.en: 'en'>)
    """
    named = next((n for n in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(n)), None)
    return Language.zh if named and environment[named].startswith("zh") else Language.en


#: A number of one before what the English texts count in the plural.
_ONE: Final = re.compile(r"(?<![\d.,])1 (day|order|like|review)s\b")
#: Word -> (Chinese, English). Sections first, then their lines, then what stands in them.
_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "portrait": ("客户画像", "Portrait of customer"),
    "in_shop": ("店铺 {shop}", "shop {shop}"),
    "as_of": ("截至 {moment}", "as of {moment}"),
    "who": ("基本信息", "Who"),
    "shopping": ("购物习惯", "How they shop"),
    "preferences": ("偏好", "What they prefer"),
    "worth": ("价值", "Worth"),
    "lifecycle": ("生命周期", "Life-cycle"),
    "risk": ("风险", "Risk"),
    "offers": ("优惠与响应", "Offers, and what came of them"),
    # Who
    "known_since": ("首次出现", "known since"),
    "last_seen": ("最近出现", "last seen"),
    "channels": ("可触达渠道", "agreed to"),
    "refused": ("拒绝渠道", "refused"),
    "ordered_through": ("下单渠道", "ordered through"),
    "region": ("地区", "region"),
    "profile": ("资料", "profile"),
    "tags": ("标签", "tags"),
    "member_since": ("入会时间", "member since"),
    "points": ("积分", "points"),
    "expiring": (", 其中 {count} 即将过期", ", {count} of them expire soon"),
    "uses": ("使用渠道", "uses"),
    "erased": ("已删除", "erased"),
    "erased_until": ("{moment} 及以前的行为不再保留", "nothing until {moment} counts or is known"),
    "birthday": ("生日", "born"),
    # How they shop
    "sessions": ("访问次数", "sessions"),
    "actions": ("行为", "actions"),
    "rhythm": ("购买间隔", "rhythm"),
    "every_days": ("约 {days} 天一次", "orders every {days} days"),
    "hours": ("下单时段", "hours"),
    "mostly_at": ("0-23 点, 最多在 {hour} 点", "0 to 23, mostly at {hour}:00"),
    "cart": ("当前购物车", "cart now"),
    "recent": ("近期订单", "recent orders"),
    "path": ("最近浏览路径", "last path"),
    "touches": ("来源触点", "came through"),
    "shared": ("分享过", "shared"),
    "came_by": ("由谁分享而来", "brought by"),
    # What they prefer
    "categories": ("类目", "categories"),
    "price": ("价位", "price"),
    "price_band": ("{begin} 至 {end}", "{begin} to {end}"),
    "price_from": ("{begin} 以上", "{begin} or more"),
    "viewed": ("看过未买", "viewed, not bought"),
    "keywords": ("搜索词", "keywords"),
    "favorites": ("收藏", "favourites"),
    "wishes": ("心愿", "wishes"),
    "wanted": ("想要", "wanted"),
    "liked_by": ("{wish} ({count} 人点赞)", "{wish} ({count} likes)"),
    "wishes_open": ("{open} 个未定, 共 {made} 个", "{open} open of {made}"),
    # Worth
    "segment": ("分层 (RFM)", "segment (RFM)"),
    "tier": ("会员等级", "tier"),
    "paid": ("累计支付", "paid in all"),
    "net": ("净支付", "net of refunds"),
    "orders_amount": ("{orders} 单, {amount}", "{orders} orders, {amount}"),
    "unknown_amounts": (" ({count} 单金额未知)", " (amount of {count} unknown)"),
    "late_refunds": (
        " (据查询库扣除 {count} 单的迟到退款)",
        " (less late refunds of {count}, by the query store)",
    ),
    "window": ("近 {days} 天", "last {days} days"),
    "expected_next": ("预计下次购买", "next purchase expected"),
    "overdue": (" (已逾期 {days} 天)", " ({days} days overdue)"),
    "not_scored": ("无有效订单, 不评分", "no orders, not scored"),
    # Life-cycle
    "stage": ("阶段", "stage"),
    "reason": ("原因", "because"),
    "changes_at": ("若无动作将变化", "changes, if nothing happens"),
    "why_visitor": ("没有有效订单", "there is no order that counts"),
    "why_new": (
        "{age} 天前首次下单 (不超过 {fresh} 天)",
        "the only order was {age} days ago (at most {fresh})",
    ),
    "why_lost": (
        "{age} 天未购买 (超过 {lost} 天, 且超过购买间隔的 3 倍)",
        "no order for {age} days (more than {lost}, and than 3 times the own interval)",
    ),
    "why_dormant": ("{age} 天未购买 (超过 {dormant} 天)", "no order for {age} days (more than {dormant})"),
    "why_dormant_by_interval": (
        "{age} 天未购买 (超过购买间隔 {days} 天的 2 倍)",
        "no order for {age} days (more than twice the own interval of {days})",
    ),
    "why_won_back": (
        "沉睡后在近 {fresh} 天内再次购买",
        "ordered again within the last {fresh} days, after having been dormant",
    ),
    "why_repeat": ("近 365 天内有效订单 {orders} 单", "{orders} orders in 365 days"),
    "why_repeat_some": ("近 365 天内至少 2 单", "at least 2 orders in 365 days"),
    "why_active": ("最近一单在 {age} 天前", "the last order was {age} days ago"),
    # Risk
    "bad_reviews": ("未处理差评", "bad reviews open"),
    "of_all": ("{open} 条, 共 {bad} 条差评, {posted} 条评价", "{open} of {bad}, in {posted} reviews"),
    "complaints": ("未结投诉", "complaints open"),
    "cases": ("未结工单", "cases open"),
    "count_since": ("{count} 件, 最早 {moment}", "{count}, the earliest since {moment}"),
    "refunds": ("退款", "refunds"),
    "refunded": ("{count} 笔, {amount}", "{count}, {amount}"),
    "dormancy": ("沉睡", "dormancy"),
    "dormant_for": ("{age} 天未购买", "no order for {age} days"),
    "no_risk": ("未发现风险", "none known"),
    # Offers
    "no_offers": ("尚未发放优惠券", "no coupon was issued yet"),
    "until": ("有效至 {moment}", "valid until {moment}"),
    "redeemed": ("已在订单 {order} 中使用", "redeemed in order {order}"),
    "ordered_after": ("未用券, 之后下单 {order}", "not used, but ordered {order} after it"),
    "no_order_after": ("有效期内尚无订单", "no order within its time"),
    "response_unknown": ("响应未知", "what came of it is not known"),
    "earlier": ("另有更早的 {count} 条", "and {count} earlier ones"),
    # What stands in lines
    "unknown": ("未知", "not known"),
    "no_settings": ("缺少店铺设置, 无法计算", "not known without the shop's settings"),
    "none": ("无", "none"),
    "empty": ("空", "empty"),
    "more": ("等, 另 {count} 项", "and {count} more"),
    "pieces": ("{name} ×{quantity}", "{name} ×{quantity}"),
    "champions": ("重要价值客户", "champions"),
    "loyal": ("忠诚客户", "loyal"),
    "potential": ("潜力客户", "potential"),
    "new": ("新客户", "new"),
    "at_risk": ("流失风险客户", "at risk"),
    "hibernating": ("休眠客户", "hibernating"),
    "visitor": ("访客", "visitor"),
    "lost": ("已流失", "lost"),
    "dormant": ("沉睡", "dormant"),
    "won_back": ("已召回", "won back"),
    "repeat": ("复购", "repeat"),
    "active": ("活跃", "active"),
    "view": ("浏览", "views"),
    "search": ("搜索", "searches"),
    "favorite": ("收藏", "favourites"),
    "unfavorite": ("取消收藏", "no longer favourites"),
    "share": ("分享", "shares"),
    "ask": ("咨询", "questions"),
    "trial_apply": ("申请试用", "trials asked for"),
    "game_play": ("互动游戏", "games"),
    "card_collect": ("集卡", "cards collected"),
    "live_enter": ("进入直播", "live streams entered"),
    "live_leave": ("离开直播", "live streams left"),
    "campaign_open": ("打开活动", "campaigns opened"),
    "store_visit": ("进店", "shop visits"),
    "placed": ("已下单", "placed"),
    "order_paid": ("已支付", "paid"),
    "shipped": ("已发货", "shipped"),
    "received": ("已签收", "received"),
    "cancelled": ("已取消", "cancelled"),
    "order_refunded": ("已退款", "refunded"),
    "refund_requested": ("退款中", "refund requested"),
    "abandoned-cart": ("购物车挽回", "abandoned-cart"),
    "bad-review": ("差评挽回", "bad-review"),
    "second-order": ("二次购买", "second-order"),
    "female": ("女", "female"),
    "male": ("男", "male"),
    "app": ("应用", "app"),
    "web": ("网页", "web"),
    "pc": ("电脑", "computer"),
    "store": ("门店", "store"),
    "ad": ("广告", "ad"),
    "live": ("直播", "live stream"),
    "direct": ("直接访问", "direct"),
    "campaign": ("活动", "campaign"),
    "app_push": ("应用推送", "app push"),
    "sms": ("短信", "SMS"),
    "email": ("邮件", "e-mail"),
    "chat": ("聊天", "chat"),
    "miniapp": ("小程序", "mini app"),
}  # fmt: skip


class Words:
    """The words of one language."""

    def __init__(self, language: Language) -> None:
        self._at = 0 if language == Language.zh else 1

    def __call__(self, word: str, **values: object) -> str:
        """The text of ``word``, one of the portrait's own, with ``values`` in it. Raises KeyError."""
        text = _WORDS[word][self._at].format(**values)
        return _ONE.sub(r"1 \1", text) if self._at else text

    def name(self, value: str) -> str:
        """What a stage, channel or other name of the contract is called; one that is new: itself."""
        found = _WORDS.get(value)
        return found[self._at] if found else value

    @property
    def comma(self) -> str:
        """Between the entries of a list."""
        return "、" if self._at == 0 else ", "

    @property
    def arrow(self) -> str:
        """Between the steps of a way."""
        return " > "


def all_words() -> Mapping[str, tuple[str, str]]:
    """Every word with its Chinese and its English text."""
    return _WORDS
