from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from assent.evals.watch.counting import CRITICAL_REASONS
from assent.ui import card, settings

UI = Path(settings.__file__).parent
STATIC = UI / "card"
SCRIPTS = sorted(STATIC.glob("*.js"))


def test_no_template_holds_data() -> None:
    for path in (*STATIC.glob("*.html"), *STATIC.glob("*.css")):
        text = path.read_text(encoding="utf-8")
        assert not [mark for mark in ("{{", "${", "`", "\\") if mark in text], path.name


def test_templates_and_styles_are_the_files_themselves() -> None:
    for component in (card.review_card, card.conversation_view, card.top_bar, lambda: card.records_view("history")):
        made = component()
        assert made.value is None
        assert made.html_template == (STATIC / "card.html").read_text(encoding="utf-8")
        assert "{{" not in made.css_template and "${" not in made.css_template


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_scripts_make_no_markup_and_no_code_from_text(path: Path) -> None:
    markup = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|srcdoc|createContextualFragment|DOMParser"
    forbidden = markup + r"|eval\(|new Function|javascript:|\.on[a-z]+ ="
    assert not re.findall(forbidden, path.read_text(encoding="utf-8"))


def test_nothing_is_fetched_from_elsewhere() -> None:
    for path in (*SCRIPTS, *STATIC.glob("*.css"), *STATIC.glob("*.html"), *UI.rglob("*.py")):
        assert not re.findall(r"https?://(?!127|localhost)[a-z]", path.read_text(encoding="utf-8")), path.name


def test_no_page_keeps_state_on_the_server_or_opens_a_public_door() -> None:
    pages = "\n".join(path.read_text(encoding="utf-8") for path in (UI / "pages").glob("*.py"))
    for name in ("gr.State", "gr.render", "unload", "ChatInterface", "Markdown", "value=lambda"):
        assert name not in pages, name


def test_a_reviewer_can_name_each_reason_that_takes_a_class_down() -> None:
    panel = (STATIC / "panels.js").read_text(encoding="utf-8")
    offered = re.findall(r"\['(\w+)', '[^']+'\]", panel.split("REASONS = [", 1)[1].split("];", 1)[0])
    assert len(offered) == 6 and set(CRITICAL_REASONS) <= set(offered)


def test_importing_the_desks_front_loads_neither_gradio_nor_fastapi() -> None:
    code = "import sys, assent, assent.ui; print([name for name in ('gradio', 'fastapi') if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"


def test_building_the_application_looks_up_no_other_machine() -> None:
    code = """
import socket, time, types
asked = []
ask = socket.getaddrinfo
socket.getaddrinfo = lambda host, *rest, **more: (asked.append(host), ask(host, *rest, **more))[1]
from assent.ui import UiSettings, create_app
desk = types.SimpleNamespace(users=types.SimpleNamespace(session=None), denied=None)
create_app(desk, UiSettings(run_worker=False))
time.sleep(2)
print([host for host in asked if host not in ('localhost', '127.0.0.1', '::1', None)])
"""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True, timeout=120)
    assert done.stdout.strip() == "[]"
