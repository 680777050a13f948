"""Pictures of pages at both widths and in both themes, for looking at them.

    .venv/bin/python docs/screenshots.py --base http://127.0.0.1:8000 --user mara --password … / /customers/ segments=/segments/

Needs a running site (./rekindle run) and Chromium. Each page becomes var/screenshots/NAME-WIDTH-THEME.png; a page
that scrolls sideways, or says something on the console, is named. Prints one line per picture.
"""

from __future__ import annotations

import argparse
import shutil
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
         "--disable-background-networking", "--disable-component-update", "--disable-sync"]  # fmt: skip


def main() -> None:
    options = read_options()
    options.out.mkdir(parents=True, exist_ok=True)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=FLAGS)
        state = log_in(browser, options) if options.user else None
        for theme in options.themes.split(","):
            for width in map(int, options.widths.split(",")):
                context = browser.new_context(
                    base_url=options.base,
                    viewport={"width": width, "height": 900 if width > 600 else 780},
                    color_scheme=theme,
                    locale=options.locale,
                    storage_state=state,
                )
                page = context.new_page()
                for named in options.pages:
                    take(page, named, f"{width}-{theme}", options)
                context.close()
        browser.close()


def read_options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", nargs="+", help="a path, or NAME=PATH")
    parser.add_argument("--base", default="http://127.0.0.1:8000")
    parser.add_argument("--user", default="", help="left out: look as somebody who is not logged in")
    parser.add_argument("--password", default="")
    parser.add_argument("--widths", default="1440,360")
    parser.add_argument("--themes", default="light,dark")
    parser.add_argument("--locale", default="en-GB", help="zh-CN for the Chinese pages")
    parser.add_argument("--fold", action="store_true", help="only what is seen without scrolling")
    parser.add_argument("--out", type=Path, default=Path("var/screenshots"))
    return parser.parse_args()


def log_in(browser: Browser, options: argparse.Namespace) -> object:
    """Walks through the log-in form and gives the cookies that it left."""
    page = browser.new_page(base_url=options.base)
    page.goto("/login/")
    page.fill("input[name=username]", options.user)
    page.fill("input[name=password]", options.password)
    page.click("button[type=submit].go")
    page.wait_for_load_state()
    if "/login/" in page.url:
        raise SystemExit(f"{options.user} could not log in at {options.base}")
    return page.context.storage_state()


def take(page: Page, named: str, ending: str, options: argparse.Namespace) -> None:
    name, _equals, path = ("", "", named) if named.startswith("/") else named.partition("=")
    name = name or path.strip("/").replace("/", "-").split("?")[0] or "home"
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text) if message.type == "error" else None)
    size = page.viewport_size or {"width": 1440, "height": 900}
    answer = page.goto(path)
    page.wait_for_load_state("networkidle")
    over = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
    # A menu that sticks to the window would end in the middle of a long picture: make the window as high as the page.
    if not options.fold:
        high = page.evaluate("document.documentElement.scrollHeight")
        page.set_viewport_size({"width": size["width"], "height": min(high, 4000)})
    target = options.out / f"{name}-{ending}.png"
    page.screenshot(path=target)
    page.set_viewport_size(size)
    notes = [f"scrolls sideways by {over}px"] * (over > 0) + said[:3]
    print(answer.status if answer else "-", target, "; ".join(notes))


if __name__ == "__main__":
    main()
