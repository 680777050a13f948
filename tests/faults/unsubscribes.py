"""People unsubscribe at random moments of a send: nobody is written to later than a second after."""

from __future__ import annotations

import random
import threading
import time
from concurrent.futures import ThreadPoolExecutor

from .history import judge_withdrawals
from .kills import round_seconds
from .stage import Sending, Stage, nudge, start_a_campaign

HANDS = 4
GRACE_S = 1.0


def measure_unsubscribes(stage: Stage, size: int, unsubscribes: int) -> dict[str, object]:
    """`unsubscribes` people of a send press the button that their mail program shows, spread over the whole of it."""
    dice = random.Random(stage.seed + 2)
    sending = start_a_campaign(stage, "leaving", size)
    # When each presses: as a share of the send. Whom it strikes is chosen without looking at who was written to.
    leaving = dice.sample(sorted(sending.asked), unsubscribes)
    moments = sorted(dice.uniform(0, 0.97) for _one in leaving)
    waiting = list(zip(moments, leaving, strict=True))[::-1]
    lock, refused = threading.Lock(), []
    pressed_s: dict[str, float] = {}
    withdrawn_s: dict[str, float] = {}

    def press() -> None:
        from django.db import connection

        while True:
            with lock:
                if not waiting:
                    break
                share, name = waiting.pop()
            wait_until(sending, share * (size - unsubscribes))
            pressed_s[name] = time.monotonic()
            status = press_button(sending.asked[name])
            withdrawn_s[name] = time.monotonic()  # committed before it was answered
            if status != 204:
                refused.append(status)
        connection.close()

    stage.start_worker()
    nudge()
    with ThreadPoolExecutor(HANDS) as pool:
        hands = [pool.submit(press) for _number in range(HANDS)]
        try:
            while not all(hand.done() for hand in hands):
                stage.tend()
                time.sleep(0.05)
        finally:
            waiting.clear()  # whoever ends the run does not wait for the rest of them
        for hand in hands:
            hand.result()
    states = sending.wait_for_the_end()
    verdict = sending.judge(states, but=withdrawn_s)
    arrivals = [(arrival.at_s, arrival.message_id) for arrival in sending.arrivals()]
    found = judge_withdrawals(withdrawn_s, arrivals, grace_s=GRACE_S)
    since_pressed = judge_withdrawals(pressed_s, arrivals, grace_s=GRACE_S)
    unsaid = [name for name in found.spared if states[name] != "skipped"]
    twice = len([name for _at, name in arrivals if name in withdrawn_s]) - len(found.before) - len(found.late)
    return {
        "size": size,
        "unsubscribes": len(withdrawn_s),
        "refused": len(refused),
        "spared": len(found.spared),
        "written_to_before": len(found.before),
        "late": len(found.late),
        "longest_s": round_seconds(found.longest_s),
        "longest_since_pressed_s": round_seconds(since_pressed.longest_s),
        "doubled": len(verdict.doubled) + twice,
        "lost": len(verdict.lost) + len(verdict.unsaid) + len(verdict.strangers) + len(unsaid),
        "unknown": len(verdict.unknown),
        # Without both kinds of people the moments were not those of a send, and the figure would say nothing.
        "is_right": verdict.is_clean
        and not (found.late or refused or unsaid or twice)
        and bool(found.spared and found.before),
    }


def wait_until(sending: Sending, count: float) -> None:
    """Until so many have arrived, or nothing has for some seconds: the last ones may be among those who left."""
    last, since = -1, time.monotonic()
    while (now := sending.count()) < count and time.monotonic() < since + 5:
        if now != last:
            last, since = now, time.monotonic()
        time.sleep(0.002)


def press_button(message_id: int) -> int:
    """The one-click POST of RFC 8058, as a mailbox provider makes it; the status of the answer."""
    from django.test import Client

    from campaigns.delivery.unsubscribe import make_token
    from campaigns.models import Message

    customer = Message.objects.values_list("customer_id", flat=True).get(pk=message_id)
    address = f"/u/{make_token(message_id, customer)}/"
    return Client(SERVER_NAME="localhost").post(address, {"List-Unsubscribe": "One-Click"}).status_code
