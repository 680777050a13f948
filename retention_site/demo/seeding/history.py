"""The demo shop's past, day after day: it lives, is learned from, is written to, and answers.

Nothing that a step of the past reads is later than that step: the simulator has not lived on yet.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

import polars as pl

from campaigns.content.steps import find_step_moment, read_steps
from campaigns.delivery.past import record_past_send
from campaigns.delivery.progression import advance_entries
from campaigns.delivery.scheduler import finish_campaigns, start_campaign
from campaigns.models import Arm, AudienceMember, Campaign, Message, MessageStatus
from campaigns.outcomes.rollup import store_result
from customers.ingest.clock import choose_as_of
from customers.models import ModelVersion
from customers.scoring.runner import score_customers, train_model_version
from retention_site.demo.simulator import CampaignMessage, ShopSimulator

from .answers import ask_to_be_seen, note_readings, report_back
from .campaigns import WORK_HOURS, Office, Stage, at_shop_time, bring_campaign
from .plans import CampaignPlan, PastPlan
from .stretches import CAMPAIGN_TABLES, Say, import_stretch, note_growth
from .truth import tell_truth

RESULT_EVERY_DAYS = 7


class NobodyReached(Exception):
    """A campaign of the past had nobody to write to, so the demo would show nothing."""


@dataclass(frozen=True)
class PastCampaign:
    """A campaign that was sent, what the simulator is told of it, and how many people its treatment arm has."""

    campaign: Campaign
    message: CampaignMessage
    treatment: int


class History:
    """Drives the simulator and the application side by side; one instance is one seeding."""

    def __init__(self, simulator: ShopSimulator, say: Say) -> None:
        self.simulator = simulator
        self.say = say
        self.sent: list[PastCampaign] = []
        self.true_points: dict[int, float] = {}
        self.effects: dict[int, pl.DataFrame] = {}
        self._waiting: list[PastCampaign] = []

    def live_until(self, until: dt.datetime) -> None:
        """Live on and import it; those who were written to meanwhile answer."""
        self.say(f"the shop lives until {until:%d %B %Y}")
        effects = []
        for part in self.simulator.iter_advance(until, [past.message for past in self._waiting]):
            import_stretch(part, self.say)
            effects.append(part.message_effects)
            ask_to_be_seen()
        told = pl.concat(effects)
        self.true_points |= {past.campaign.pk: _true_points(told, past) for past in self._waiting}
        for past in self._waiting:
            self.effects[past.campaign.pk] = told.filter(pl.col("campaign") == past.message.campaign)
            note_readings(past.campaign)
        self._waiting = []

    def learn(self, now: dt.datetime) -> ModelVersion:
        """Train a model on all that is known at `now`. Raises NotEnoughHistory."""
        self.say("training a model, and testing it on days that it has not seen")
        return train_model_version(now=now)

    def score(self, model: ModelVersion, now: dt.datetime) -> None:
        self.say("scoring every customer")
        score_customers(model, as_of=choose_as_of(now))
        note_growth(["customers_score"])

    def send_campaign(self, office: Office, past: PastPlan, model: ModelVersion, today: dt.datetime) -> None:
        """One campaign from the idea to the last message, on the day on which it was sent."""
        send_at = at_shop_time(today, days=-past.days_ago)
        begun_at = send_at - dt.timedelta(hours=WORK_HOURS)
        self.live_until(begun_at)
        self.score(model, begun_at)
        self.say(f"the campaign “{past.campaign.name}” is made, approved and sent")
        campaign = bring_campaign(office, past.campaign, Stage.SCHEDULED, begun_at=begun_at, send_at=send_at)
        start_campaign(campaign, now=send_at)
        counts = record_past_send(campaign, started_at=send_at)
        if not counts[MessageStatus.ACCEPTED]:
            raise NobodyReached(f"Nobody got “{campaign.name}”: {dict(counts)}. A larger shop may help.")
        finish_campaigns(send_at + dt.timedelta(hours=1))
        campaign.refresh_from_db()
        sent = _note_sent(campaign, past.campaign)
        report_back(campaign, now=send_at + dt.timedelta(hours=1))
        self.sent.append(sent)
        self._waiting.append(sent)

    def take_on(self, past: PastPlan, today: dt.datetime) -> None:
        """The further steps of a campaign that were due until `today`, each on its day; who ordered meanwhile has left.

        Hour by hour, because who was spared their quiet hours at one step is due later at the next.
        """
        campaign = next(sent.campaign for sent in self.sent if sent.campaign.name == past.campaign.name)
        assert campaign.sending_started_at is not None
        steps = read_steps(campaign.pk)
        first_due = find_step_moment(campaign.sending_started_at, steps, steps[1].number)
        for hour in range(1, int((today - first_due).total_seconds() // 3600)):
            due = first_due + dt.timedelta(hours=hour)
            if advance_entries(due).queued:
                record_past_send(campaign, started_at=due)
                report_back(campaign, now=due + dt.timedelta(hours=1))

    def measure(self, today: dt.datetime) -> None:
        """The result of each week as it stood then, up to `today` or the end of the window, with the known truth."""
        self.say("measuring what the campaigns did")
        note_growth(CAMPAIGN_TABLES)
        kinds = self.simulator.kinds()
        for past in self.sent:
            tell_truth(past.campaign, self.effects[past.campaign.pk], kinds, as_of=today)
            for as_of in _weeks(past.campaign, today):
                store_result(past.campaign, now=as_of, true_effect_points=self.true_points[past.campaign.pk])


def _note_sent(campaign: Campaign, plan: CampaignPlan) -> PastCampaign:
    """The simulator writes to exactly those whose message went out."""
    reached = Message.objects.filter(campaign=campaign, status=MessageStatus.ACCEPTED)
    assert campaign.sending_started_at is not None
    percent = int(float(plan.offer.value or 0)) if plan.offer.kind == "percent" else 0
    message = CampaignMessage(
        campaign=str(campaign.pk),
        sent_at=campaign.sending_started_at,
        customer_external_ids=list(reached.order_by("pk").values_list("customer__external_id", flat=True)),
        window_days=campaign.attribution_days,
        strength=plan.strength,
        discount_code=plan.offer.code,
        discount_percent=percent,
    )
    treatment = AudienceMember.objects.filter(campaign=campaign, arm=Arm.TREATMENT).count()
    return PastCampaign(campaign, message, treatment)


def _true_points(effects: pl.DataFrame, past: PastCampaign) -> float:
    """The true effect on the treatment arm as it was drawn, percentage points: who was skipped adds nothing to it."""
    mine = effects.filter(pl.col("campaign") == past.message.campaign)
    return round(100 * float(mine["effect"].sum()) / past.treatment, 2)


def _weeks(campaign: Campaign, today: dt.datetime) -> list[dt.datetime]:
    start, closes = campaign.sending_started_at, campaign.measured_until
    assert start is not None
    assert closes is not None
    last = min(today, closes)
    weeks = range(1, (last - start).days // RESULT_EVERY_DAYS + 1)
    return [*(start + dt.timedelta(days=RESULT_EVERY_DAYS * week) for week in weeks), last]
