"""What is shown holds other programs' words as they are."""

from monlab.stack.display import StackView
from monlab.stack.engine import State


def test_brackets_in_foreign_words_are_no_markup():
    state = State("x", "failed", "1", "http://[fe80::1]:9090", detail="last: mount [/var/lib] denied")
    view = StackView("docker", (state,), "dial tcp [::1]:443 [/b]", lambda state: state.url)
    assert "[/var/lib]" in repr(view) and "[fe80::1]" in repr(view) and "[::1]:443 [/b]" in repr(view)
    assert "[/var/lib]" in view._repr_html_()
