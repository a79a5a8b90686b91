"""The pages over HTTP: who gets in, what a form needs, and what nobody may do."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from streamal.console.server import WebServer
from streamal.errors import SettingsInvalid
from tests.support.desk import TOKENS, ReviewDesk
from tests.support.visitor import Visitor

SignIn = Callable[[ReviewDesk, str], Visitor]
PAGES = ("/review", "/queue", "/dashboard", "/history", "/item?id=e1", "/status", "/adjudicate")


def test_signing_in_and_out(desk: ReviewDesk) -> None:
    visitor = Visitor(desk.address)
    page = visitor.get("/queue?search=x")
    assert "Your token" in page.words
    assert 'value="/queue?search=x"' in page.text

    page = visitor.sign_in(TOKENS["ana"], "/queue?search=x")
    assert "Nothing waits that matches" in page.words
    assert "HttpOnly; Max-Age=43200; Path=/; SameSite=strict" in str(
        Visitor(desk.address).ask("POST", "/login", {"token": TOKENS["ana"]}).headers["set-cookie"]
    )

    before = visitor.cookie
    visitor.post("/logout")
    visitor.cookie = before
    assert "Your token" in visitor.get("/review").words


def test_a_wrong_token_is_refused_and_guessing_is_slowed_down(desk: ReviewDesk) -> None:
    visitor = Visitor(desk.address)
    attempts = [visitor.sign_in(f"guess {n}").status for n in range(12)]
    assert attempts == [403] * 10 + [429] * 2
    assert visitor.sign_in(TOKENS["ana"]).status == 429

    desk.clock.advance(61)

    assert visitor.sign_in(TOKENS["ana"]).status == 200


@pytest.mark.parametrize("following", ["https://evil.example/", "//evil.example", "/\\evil", "x"])
def test_the_sign_in_page_sends_nobody_elsewhere(desk: ReviewDesk, following: str) -> None:
    page = Visitor(desk.address).ask("POST", "/login", {"token": TOKENS["ana"], "next": following})
    assert page.headers["location"] == "/"


def test_a_session_ends_after_its_time(desk: ReviewDesk, signed_in: SignIn) -> None:
    ana = signed_in(desk, "ana")
    desk.clock.advance(43_199)
    assert "All done" in ana.get("/review").words

    desk.clock.advance(1)

    assert "Your token" in ana.get("/review").words


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("vic", {"/queue", "/dashboard", "/history", "/item?id=e1", "/status"}),
        ("ana", {*PAGES} - {"/adjudicate"}),
        ("lea", {*PAGES}),
    ],
)
def test_who_may_see_what(
    desk: ReviewDesk, signed_in: SignIn, name: str, allowed: set[str]
) -> None:
    desk.ask("e1")
    desk.step()
    visitor = signed_in(desk, name)

    assert {path for path in PAGES if visitor.get(path).status == 200} == allowed
    assert {path for path in PAGES if visitor.get(path).status == 403} == {*PAGES} - allowed


def test_a_viewer_cannot_answer_and_a_reviewer_cannot_decide(
    desk: ReviewDesk, signed_in: SignIn
) -> None:
    desk.ask("e1")
    desk.step()
    viewer = signed_in(desk, "vic")
    viewer.get("/queue")
    assert viewer.answer("e1", "label:yes").status == 403
    reviewer = signed_in(desk, "ana")
    reviewer.get("/review")

    assert "Only a lead decides." in reviewer.answer("e1", "label:yes", verdict="1").words

    desk.pass_time(10)
    assert desk.labels() == []


def test_a_form_needs_the_token_of_its_own_session(desk: ReviewDesk, signed_in: SignIn) -> None:
    desk.ask("e1")
    desk.step()
    ana, ben = signed_in(desk, "ana"), signed_in(desk, "ben")
    ana.get("/review")
    ben.get("/review")
    own, ana.csrf = ana.csrf, ben.csrf

    assert ana.answer("e1", "label:yes").status == 403
    ana.csrf = ""
    assert ana.answer("e1", "label:yes").status == 403
    ana.csrf, ana.cookie = own, ""
    assert ana.answer("e1", "label:yes").status == 403
    desk.pass_time(10)
    assert desk.labels() == []


def test_every_answer_carries_a_strict_policy_and_is_not_kept(desk: ReviewDesk) -> None:
    for path in ("/login", "/nowhere", "/static/console.js"):
        headers: dict[str, str] = Visitor(desk.address).ask("GET", path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert headers["x-frame-options"] == "DENY"
        assert headers["referrer-policy"] == "no-referrer"
        assert headers.get("cache-control") == (None if "static" in path else "no-store")
        assert "server" not in headers


def test_pages_have_no_inline_script_or_style(desk: ReviewDesk, signed_in: SignIn) -> None:
    desk.ask("e1")
    desk.step()
    visitor = signed_in(desk, "lea")
    for path in PAGES:
        text = visitor.get(path).text
        assert "<style" not in text
        assert " style=" not in text
        assert " on" not in "".join(part for part in text.split("<script")[1:2]).split(">")[0]
        assert "http://" not in text
        assert "https://" not in text


def test_values_of_events_are_never_markup(desk: ReviewDesk, signed_in: SignIn) -> None:
    evil = "<script>alert(1)</script>"
    desk.ask(
        f"e{evil}",
        features={evil: evil, "link": "javascript:alert(1)", "img": f"data:image/svg+xml,{evil}"},
        metadata={"m": '"><img src=x onerror=alert(1)>'},
    )
    desk.step()
    visitor = signed_in(desk, "lea")

    for path in ("/review", "/queue"):
        text = visitor.get(path).text
        assert "alert(1)" in text or path == "/queue"
        assert "<script>alert" not in text
        assert "<img" not in text
        assert 'href="javascript:' not in text


def test_a_foreign_host_name_is_refused(desk: ReviewDesk) -> None:
    assert Visitor(desk.address, host="evil.example").ask("GET", "/login").status == 400
    assert Visitor(desk.address, host="localhost:80").ask("GET", "/login").status == 200
    assert Visitor(desk.address, host="[::1]:80").ask("GET", "/login").status == 200


def test_allowed_hosts_are_the_only_ones(new_desk: Callable[..., ReviewDesk]) -> None:
    changes = {"console": {"allowed_hosts": ["Console.example"], "secure_cookies": True}}
    desk = new_desk(changes)
    assert Visitor(desk.address).ask("GET", "/login").status == 400
    page = Visitor(desk.address, host="console.example").ask(
        "POST", "/login", {"token": TOKENS["ana"]}
    )
    assert "Secure" in page.headers["set-cookie"]
    assert "max-age" in page.headers["strict-transport-security"]


def test_without_accounts_this_machine_is_a_lead(new_desk: Callable[..., ReviewDesk]) -> None:
    desk = new_desk(accounts=[])
    desk.ask("e1")
    desk.step()
    visitor = Visitor(desk.address)
    assert visitor.get("/").item == "e1"
    assert "Adjudicate" in visitor.get("/queue").words
    visitor.answer("e1", "label:no")
    desk.pass_time(10)

    assert [label.annotator for label in desk.labels()] == ["local"]


def test_forms_that_are_none_are_refused(desk: ReviewDesk, signed_in: SignIn) -> None:
    visitor = signed_in(desk, "ana")
    visitor.get("/review")
    assert visitor.post("/answer", {"note": "x" * 200_000}).status == 413
    assert visitor.post("/answer", {str(n): "x" for n in range(30)}).status == 400
    assert visitor.ask("POST", "/answer").status == 415
    assert visitor.ask("GET", "/answer").status == 405
    assert visitor.get("/nowhere").status == 404


def test_a_broken_page_says_so_without_details(
    desk: ReviewDesk, signed_in: SignIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    visitor = signed_in(desk, "ana")
    monkeypatch.setattr("streamal.console.reviewing._LISTED", "nonsense")
    page = visitor.get("/queue")

    assert page.status == 500
    assert "Nothing was lost" in page.words
    assert "nonsense" not in page.text


def test_the_port_is_said_when_it_is_taken(desk: ReviewDesk) -> None:
    async def nothing(*_: object) -> None: ...

    port = int(desk.address.rpartition(":")[2])
    with pytest.raises(SettingsInvalid, match=rf"console\.port = {port}: in use"):
        WebServer(nothing, host="127.0.0.1", port=port)
    with pytest.raises(SettingsInvalid, match=r"console\.host = 'no\.such\.host\.invalid'"):
        WebServer(nothing, host="no.such.host.invalid", port=0)
