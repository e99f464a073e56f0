"""Which themes a review is of: words as people mean them, in Chinese and English."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.settings import THEME_WORDS, THEMES, ReviewTheme
from streams.domain.themes import DEFAULT_THEMES, Themes


def has(text: str, *words: str) -> bool:
    return bool(Themes([ReviewTheme(name="t", words=words)]).of(text))


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Wrong size!", "size"),
        ("SIZE", "size"),
        ("size", "SIZE"),
        ("Ｓｉｚｅ", "size"),
        ("尺码不对", "尺码"),
        ("我的尺码", "尺码"),
        ("尺码size不对", "size"),
        ("resized, but wrong size", "size"),
        ("value for money, really", "value for money"),
        ("it is worn-out", "worn"),
        ("STRASSE", "straße"),
        ("サイズが合わない", "サイズ"),
        ("good 5g phone", "5g"),
        ("100% cotton", "100%"),
    ],
)
def test_a_word_that_stands_there(text: str, word: str) -> None:
    assert has(text, word)


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("resized", "size"),
        ("sizes", "size"),
        ("my_size2", "size"),
        ("尺 码", "尺码"),
        ("", "size"),
        ("value  for money", "value for money"),
        ("x5g", "5g"),
    ],
)
def test_a_word_that_does_not(text: str, word: str) -> None:
    assert not has(text, word)


def test_a_word_is_in_one_text_or_in_the_other_but_not_across_both() -> None:
    themes = Themes([ReviewTheme(name="t", words=("尺码",))])
    assert themes.of(None, "尺码") == {"t"}
    assert themes.of("尺", "码") == frozenset()


def test_patterns_are_text() -> None:
    assert not has("aaaaaaaaaaaaaaaaaaaaaaaa!", "(a+)+$")
    assert has("they wrote (a+)+$", "(a+)+$")


@given(st.text(max_size=2_000))
def test_any_text_has_an_answer_that_names_themes(text: str) -> None:
    assert Themes(DEFAULT_THEMES).of(text, text) <= {theme.name for theme in DEFAULT_THEMES}


@given(st.text(min_size=1, max_size=20), st.text(max_size=50), st.text(max_size=50))
def test_a_word_with_spaces_around_it_is_found(word: str, before: str, after: str) -> None:
    assert has(f"{before} {word} {after}", word)


def test_the_built_in_list_is_within_the_bounds_of_a_shops_own() -> None:
    assert len(DEFAULT_THEMES) <= THEMES
    for theme in DEFAULT_THEMES:
        assert 0 < len(theme.words) <= THEME_WORDS
        assert len(set(theme.words)) == len(theme.words)
        # Each is found where it stands alone.
        assert all(has(word, word) for word in theme.words)


@pytest.mark.parametrize(
    ("text", "themes"),
    [
        ("质量很好，会再来", {"quality"}),
        ("物流很快，包装完好", {"logistics", "packaging"}),
        ("性价比高，推荐", {"price"}),
        ("尺码不对，客服不回复", {"fit", "service"}),
        ("包装破损，不会再买", {"packaging"}),
        ("用了一天就坏了", {"quality"}),
        ("Too small, and the box was open.", {"fit", "packaging"}),
        ("Good value for money", {"price"}),
        ("nice", set()),
    ],
)
def test_the_built_in_list(text: str, themes: set[str]) -> None:
    assert Themes(DEFAULT_THEMES).of(text) == themes
