"""White space between tags goes, and what is to be seen stays."""

from __future__ import annotations

import pytest

from shimsite.compact import compact


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("<ul>\n\n  <li>\n    a  b\n  </li>\n</ul>", "<ul>\n<li>\na  b\n</li>\n</ul>"),
        ("<i>a</i>\n  <i>b</i>", "<i>a</i>\n<i>b</i>"),
        ("<p>\n\n</p><pre>a\n\n  b</pre>\n\n<p>", "<p>\n</p><pre>a\n\n  b</pre>\n<p>"),
        ('<pre class="x"><code>a\n\n  b\n</code></pre>', '<pre class="x"><code>a\n\n  b\n</code></pre>'),
        ("<script>a\n\n  // b\n  c</script>\n\n", "<script>a\n\n  // b\n  c</script>\n"),
        ("<pre>a\n\n</pre>\n\n<pre>\n\nb</pre>", "<pre>a\n\n</pre>\n<pre>\n\nb</pre>"),
        ("<preview>\n\na</preview>", "<preview>\na</preview>"),
    ],
)
def test_lines_go_where_they_do_not_count(before: str, after: str) -> None:
    assert compact(before) == after
