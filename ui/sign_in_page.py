"""The sign-in page as a string; refuses scripts and everything from elsewhere."""

from __future__ import annotations

from html import escape

STYLE = """
:root { color-scheme: light dark; --ink: #1f2328; --soft: #57606a; --paper: #ffffff; --ground: #f4f5f7; --line: #d0d7de;
  --accent: #24563f; --on-accent: #ffffff; --bad: #a40e26; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e8eb; --soft: #a4adb8; --paper: #1b1f24; --ground: #121518;
  --line: #3b434c; --accent: #7fd1a8; --on-accent: #0d1f17; --bad: #ff9aa5; } }
* { box-sizing: border-box; }
body { margin: 0; min-height: 100vh; display: grid; place-items: center; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif; padding: 24px; }
main { width: 100%; max-width: 380px; background: var(--paper); border: 1px solid var(--line); border-radius: 14px; padding: 32px; }
h1 { font-size: 22px; margin: 0 0 4px; letter-spacing: -0.01em; }
p { margin: 0 0 20px; color: var(--soft); }
label { display: block; font-weight: 600; margin: 14px 0 6px; }
input { width: 100%; font: inherit; padding: 10px 12px; border: 1px solid var(--line); border-radius: 8px;
  background: var(--ground); color: var(--ink); }
button { width: 100%; margin-top: 22px; font: inherit; font-weight: 600; padding: 11px; border: 0; border-radius: 8px;
  background: var(--accent); color: var(--on-accent); cursor: pointer; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
[role=alert] { color: var(--bad); font-weight: 600; }
"""


def password_page(base: str, problem: str = "", then: str = "/", note: str = "") -> str:
    """Return the page with the form for user name and password; `then` is where a sign-in leads."""
    alert = _alert(problem) or (f'<p role="status">{escape(note)}</p>' if note else "")
    return _page(
        base,
        f"""<h1>Assent</h1><p>Sign in to the desk.</p>{alert}
<form method="post" action="{escape(base)}/sign-in">
<input type="hidden" name="then" value="{escape(then)}">
<label for="name">User name</label><input id="name" name="name" autocomplete="username" autofocus required>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Sign in</button></form>""",
    )


def link_page(base: str, token: str) -> str:
    """Return the page of a one-time link: a button, so that whoever merely previews the link does not use it up."""
    return _page(
        base,
        f"""<h1>Assent</h1><p>This link signs you in once.</p>
<form method="post" action="{escape(base)}/sign-in/link"><input type="hidden" name="token" value="{escape(token)}">
<button autofocus>Sign in</button></form>""",
    )


def reset_page(base: str, token: str, problem: str = "") -> str:
    """Return the page of a link that sets a password; sending its form uses the link up."""
    return _page(
        base,
        f"""<h1>Assent</h1><p>Choose a new password. All your sessions end with it.</p>{_alert(problem)}
<form method="post" action="{escape(base)}/sign-in/reset"><input type="hidden" name="token" value="{escape(token)}">
<label for="password">New password</label>
<input id="password" name="password" type="password" autocomplete="new-password" minlength="8" autofocus required>
<label for="again">The same again</label>
<input id="again" name="again" type="password" autocomplete="new-password" minlength="8" required>
<button>Set the password</button></form>""",
    )


def refused_page(base: str, message: str) -> str:
    """Return the page of a door that is shut for this user."""
    return _page(base, f'<h1>Assent</h1>{_alert(message)}<p><a href="{escape(base)}/">Back to the desk</a></p>')


def again_page(base: str) -> str:
    """Return a page that asks for itself again: a browser that came from another site sends a strict cookie only then."""
    return _page(base, "<p>One moment…</p>", '<meta http-equiv="refresh" content="0">')


def _alert(problem: str) -> str:
    return f'<p role="alert">{escape(problem)}</p>' if problem else ""


def _page(base: str, body: str, head: str = "") -> str:
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Sign in · Assent</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{head}"
        f'<link rel="stylesheet" href="{escape(base)}/sign-in.css"></head><body><main>{body}</main></body></html>'
    )
