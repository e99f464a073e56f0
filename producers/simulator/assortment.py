"""What the simulated shop sells: products with Chinese names, prices and attributes."""

import random
from bisect import bisect
from itertools import accumulate, product
from typing import Final, NamedTuple

_ASSORTMENT: Final[dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[int, int]]]] = {
    # category: (styles, nouns, lowest and highest price in yuan)
    "女装": (("碎花", "法式", "加绒", "高腰"), ("连衣裙", "半身裙", "针织衫", "羽绒服"), (79, 699)),
    "男装": (("纯棉", "修身", "商务", "工装"), ("衬衫", "夹克", "牛仔裤", "T恤"), (59, 599)),
    "鞋靴": (("轻便", "真皮", "厚底", "透气"), ("运动鞋", "短靴", "帆布鞋", "乐福鞋"), (99, 899)),
    "美妆": (("保湿", "哑光", "清爽", "修护"), ("面霜", "口红", "防晒霜", "精华液"), (49, 499)),
    "食品": (("手工", "无糖", "现磨", "有机"), ("绿茶", "坚果礼盒", "咖啡豆", "牛肉干"), (19, 199)),
    "数码": (("无线", "降噪", "快充", "便携"), ("耳机", "充电宝", "键盘", "音箱"), (69, 1299)),
    "家居": (("北欧", "加厚", "折叠", "日式"), ("台灯", "毛毯", "收纳箱", "餐具套装"), (29, 399)),
    "母婴": (("婴儿", "儿童", "孕妇", "早教"), ("湿巾", "积木", "防滑拖鞋", "绘本"), (25, 329)),
}
_SERIES: Final = ("经典款", "新品款", "升级款")
_COLOURS: Final = ("红色", "黑色", "米白", "雾蓝")
_SIZES: Final = ("S", "M", "L", "XL")
#: Categories whose lines have a colour and a size.
_WORN: Final = frozenset({"女装", "男装", "鞋靴"})


class Product(NamedTuple):
    """``price`` is in fen."""

    sku: str
    name: str
    category: str
    price: int


def _products() -> tuple[Product, ...]:
    prices = random.Random(649)  # noqa: S311  # one assortment for all seeds
    products: list[Product] = []
    for category, (styles, nouns, (lowest, highest)) in _ASSORTMENT.items():
        for series, style, noun in product(_SERIES, styles, nouns):
            # Most products are cheap, as in most shops.
            price = lowest + (highest - lowest) * prices.random() ** 2
            products.append(
                Product(
                    sku=f"P{len(products) + 1:04}",
                    name=f"{series}{style}{noun}",
                    category=category,
                    price=int(price) * 100 - 10,
                )
            )
    prices.shuffle(products)
    return tuple(products)


PRODUCTS: Final = _products()
#: Popularity by Zipf's law with exponent 0.8, in the shuffled order.
_POPULARITY: Final = tuple(accumulate(1 / (rank + 1) ** 0.8 for rank in range(len(PRODUCTS))))


def popular_product(draw: random.Random) -> Product:
    """A product, popular ones more often."""
    return PRODUCTS[bisect(_POPULARITY, draw.random() * _POPULARITY[-1])]


def attributes(product: Product, draw: random.Random) -> dict[str, str]:
    """What the customer chose of a product: colour and size for what is worn."""
    if product.category not in _WORN:
        return {}
    return {"颜色": draw.choice(_COLOURS), "尺码": draw.choice(_SIZES)}


GOOD_WORDS: Final = (
    "质量很好，会再来",
    "物流很快，包装完好",
    "和描述一致，很喜欢",
    "性价比高，推荐",
)
BAD_WORDS: Final = (
    "和图片差太多，很失望",
    "用了一天就坏了",
    "尺码不对，客服不回复",
    "包装破损，不会再买",
)
REFUND_REASONS: Final = ("不喜欢", "质量问题", "尺码不合适", "收到时已破损")
