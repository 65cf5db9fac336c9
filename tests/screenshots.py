"""Pictures of every page for the docs, Chinese and English: `make screenshots`.

A demo store of the last month, a real browser, 1440 × 900; what is written is small enough for a repository.
"""

from __future__ import annotations

import io
import sys
import tempfile
from collections.abc import Mapping
from datetime import date, timedelta
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page, sync_playwright

from audit import sampling
from audit.access import LOCAL, Role
from audit.review import Missed, Policy, add_violation
from audit.store import Store, samples
from audit.store.samples import NewPlan, Period, Pool, Stratum
from audit.users import NewUser, add_user
from tests.demo import build_demo
from tests.served import CHROMIUM, QUIET, serving, settled

IMAGES = Path(__file__).parent.parent / "docs" / "images"
MOST_BYTES = 200_000
_DRAWN_MS = 2_500  # charts, tables and the waveform draw themselves after the script has run
LANGUAGES = ("zh", "en")


def main(only: list[str]) -> None:
    """All pictures, or those named."""
    if CHROMIUM is None:
        raise SystemExit("没有 Chromium：apt-get install chromium fonts-noto-cjk，或设置环境变量 CHROMIUM")
    IMAGES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        db = Path(folder) / "callaudit.db"
        build_demo(db, last_day=date.today() - timedelta(days=1))
        _hear_samples(db)
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=list(QUIET))
        page = browser.new_page(viewport={"width": 1440, "height": 900}, timezone_id="Asia/Shanghai")
        with serving(db) as served:
            for name, where in _places(db).items():
                for language in LANGUAGES:
                    if not only or name in only:
                        _take(page, f"{served.url}{where}", name, language)
        if not only or "sign-in" in only:
            _sign_in(db, page)
        browser.close()


def _places(db: Path) -> Mapping[str, str]:
    """Name of the picture → address, without the language."""
    with Store.read(db) as store:
        call = store.one("select call_id from calls where path like '%/s05.opus'") or {}
        agent = (
            store.one("select agent_id from items where state = 'confirmed' group by 1 order by count(*) desc") or {}
        )
        complaint = store.one("select id from complaints where status = 'investigating' order by id") or {}
    return {
        "overview": "?",
        "review": "review?",
        "contacts": "contacts?",
        "call": f"call?call={call['call_id']}&",
        "collectors": "collectors?",
        "collector": f"collectors?agent={agent['agent_id']}&",
        "complaints": "complaints?",
        "complaint": f"complaints?id={complaint['id']}&",
        "coaching": "coaching?",
        "promises": "promises?",
        "appeals": "appeals?",
        "rules": "rules_page?",
        "rule": "rules_page?rule=threaten-contacts&",
        "bench": "rules_page?view=bench&",
        "sampling": "sampling?view=work&",
        "sampling-figures": "sampling?view=figures&",
        "reports": "reports?",
        "operations": "operations?",
    }


def _hear_samples(db: Path) -> None:
    """One sample of calls with no findings heard to its end, with a violation that was missed; one to be heard."""
    days = Period(since=date.today() - timedelta(days=25), until=date.today() - timedelta(days=1))
    with Store.open(db) as store:
        for name, stratum, count in (("每月漏判抽检", Stratum.TEAM, 20), ("随机抽听", Stratum.NONE, 30)):
            plan = NewPlan(name=name, pool=Pool.UNFLAGGED, stratum=stratum, per_stratum=count)
            sample = sampling.draw(store, sampling.make_plan(store, plan, actor=LOCAL).id, days, actor=LOCAL)
            for number, one in enumerate(samples.items(store, sample.id) if stratum is Stratum.TEAM else ()):
                if number in (3, 17):
                    missed = Missed(turn=2, start=0, end=3, category="abuse")
                    add_violation(store, one.call_id, missed, actor=LOCAL, policy=Policy())
                sampling.finish(store, one.id, actor=LOCAL)


def _sign_in(db: Path, page: Page) -> None:
    """Once there is an account, everybody has to sign in."""
    with Store.open(db) as store:
        add_user(store, NewUser(name="吴敏", role=Role.OFFICER, password="a long enough one"), actor=LOCAL)
    with serving(db) as served:
        for language in LANGUAGES:
            page.goto(f"{served.url}sign-in?lang={language}")
            _keep(page.screenshot(), "sign-in", language)


def _take(page: Page, where: str, name: str, language: str) -> None:
    page.goto(f"{where}lang={language}")
    settled(page)
    page.wait_for_timeout(_DRAWN_MS)
    broken = page.locator('[data-testid="stException"]')
    if broken.count():
        raise SystemExit(f"{where}: {broken.first.inner_text()}")
    _keep(page.screenshot(), name, language)


def _keep(png: bytes, name: str, language: str) -> None:
    """With as many colours as fit."""
    picture = Image.open(io.BytesIO(png)).convert("RGB")
    file = IMAGES / f"{name}-{language}.png"
    for colours in (256, 128, 64, 32):
        picture.quantize(colours, dither=Image.Dither.NONE).save(file, optimize=True)
        if file.stat().st_size < MOST_BYTES:
            break
    sys.stderr.write(f"{file.name}: {file.stat().st_size // 1000} kB\n")


if __name__ == "__main__":
    main(sys.argv[1:])
