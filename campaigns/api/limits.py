"""Limits over the API: how fast messages leave, how many one person gets, the ramp of a new sender, the country rules."""

from __future__ import annotations

from typing import Any, Final

from django.http import Http404
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers, status
from rest_framework.permissions import BasePermission
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from campaigns.approval.country_editing import FIELDS, remove_country_rule, save_country_rule
from campaigns.delivery.pace.editing import begin_warm_up, end_warm_up, remove_pace_limit, save_cap, save_pace_limit
from campaigns.delivery.pace.meters import find_warm_up
from campaigns.models import ContactCap, CountryRule, PaceLimit, WarmUp

from .errors import carry_out, read_body
from .reviewing import person_of

#: In addresses: the cap over all channels together, and the rule of every country that has none of its own.
ALL_CHANNELS: Final = "all"
OTHER_COUNTRIES: Final = "others"
#: The most that fits the column.
MOST: Final = 2_147_483_647
LONGEST_NAME: Final = 60


class PaceLimitSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """At most so many messages; null is no limit, one of the two must be given."""

    scope = serializers.CharField(read_only=True)
    name = serializers.CharField(read_only=True)
    domains = serializers.ListField(child=serializers.CharField(max_length=253), required=False, max_length=200)
    per_minute = serializers.IntegerField(min_value=1, max_value=MOST, allow_null=True, default=None)
    per_hour = serializers.IntegerField(min_value=1, max_value=MOST, allow_null=True, default=None)


class ContactCapSerializer(serializers.ModelSerializer[ContactCap]):
    """One person gets at most `messages` in `days`; `channel` "" counts all together."""

    class Meta:
        model = ContactCap
        fields = ("channel", "messages", "days")
        read_only_fields = ("channel",)


class WarmUpSerializer(serializers.ModelSerializer[WarmUp]):
    """On day n of the ramp `first_day` x `factor`^n messages, until that is `goal`."""

    class Meta:
        model = WarmUp
        fields = ("domain", "first_day", "factor", "goal", "started_on")
        read_only_fields = ("domain",)
        extra_kwargs = {"started_on": {"required": False}}


class SendingLimitsSerializer(serializers.Serializer):  # type: ignore[type-arg]
    """All limits. `warm_up` is null where none is in force."""

    paces = PaceLimitSerializer(many=True)
    caps = ContactCapSerializer(many=True)
    warm_up = WarmUpSerializer(allow_null=True)


class CountryRuleSerializer(serializers.ModelSerializer[CountryRule]):
    """The rule of one country; "" is every country without one."""

    names = serializers.ListField(child=serializers.CharField(max_length=80), required=False, max_length=40)

    class Meta:
        model = CountryRule
        fields = ("country", *FIELDS)
        read_only_fields = ("country",)


class MayViewLimits(BasePermission):
    """Who may see the limits may ask for a change; the function then asks for its own right."""

    def has_permission(self, request: Request, view: Any) -> bool:
        return request.user.has_perm("campaigns.view_countryrule")


class LimitsView(APIView):
    """How fast messages may leave, and how many one person gets."""

    permission_classes = (MayViewLimits,)

    @extend_schema(responses=SendingLimitsSerializer)
    def get(self, request: Request) -> Response:
        """Every limit that holds."""
        told = {
            "paces": PaceLimit.objects.all(),
            "caps": ContactCap.objects.all(),
            "warm_up": find_warm_up(),
        }
        return Response(SendingLimitsSerializer(told).data)


class PaceView(APIView):
    """One rate. Scope `route` and a channel's name: all that leaves by it; `domain`: one mailbox provider's domains."""

    permission_classes = (MayViewLimits,)

    @extend_schema(request=PaceLimitSerializer, responses=PaceLimitSerializer)
    def put(self, request: Request, scope: str, name: str) -> Response:
        """Make or change it."""
        if scope not in PaceLimit.Scope.values or len(name) > LONGEST_NAME:
            raise Http404
        person, asked = person_of(request), read_body(PaceLimitSerializer, request)
        limit = carry_out(lambda: save_pace_limit(person, scope, name, **asked, now=timezone.now()))
        return Response(PaceLimitSerializer(limit).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, scope: str, name: str) -> Response:
        """Nothing holds there any more."""
        limit = get_object_or_404(PaceLimit, scope=scope, name=name)
        carry_out(lambda: remove_pace_limit(person_of(request), limit.pk))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CapView(APIView):
    """How many messages one person gets by one channel, or by `all` together."""

    permission_classes = (MayViewLimits,)

    @extend_schema(request=ContactCapSerializer, responses=ContactCapSerializer)
    def put(self, request: Request, channel: str) -> Response:
        """Make or change it."""
        asked, key = read_body(ContactCapSerializer, request), _read_channel(channel)
        carry_out(lambda: save_cap(person_of(request), key, **asked, now=timezone.now()))
        return Response(ContactCapSerializer(ContactCap.objects.get(channel=key)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, channel: str) -> Response:
        """Nobody is counted there any more; `all` falls back to the shop's setting."""
        get_object_or_404(ContactCap, channel=_read_channel(channel))
        asked = {"messages": None, "days": None}
        carry_out(lambda: save_cap(person_of(request), _read_channel(channel), **asked, now=timezone.now()))
        return Response(status=status.HTTP_204_NO_CONTENT)


class WarmUpView(APIView):
    """The ramp of a new sender domain."""

    permission_classes = (MayViewLimits,)

    @extend_schema(request=WarmUpSerializer, responses={201: WarmUpSerializer})
    def post(self, request: Request) -> Response:
        """Begin one, today or on a day; 409 where one is in force."""
        person, asked = person_of(request), read_body(WarmUpSerializer, request)
        warm_up = carry_out(lambda: begin_warm_up(person, **asked, now=timezone.now()))
        return Response(WarmUpSerializer(warm_up).data, status=status.HTTP_201_CREATED)

    @extend_schema(responses={204: None})
    def delete(self, request: Request) -> Response:
        """End it; 409 where none is in force."""
        carry_out(lambda: end_warm_up(person_of(request), now=timezone.now()))
        return Response(status=status.HTTP_204_NO_CONTENT)


class CountryRulesView(APIView):
    """What the law of each country wants, all in one answer."""

    permission_classes = (MayViewLimits,)

    @extend_schema(responses=CountryRuleSerializer(many=True))
    def get(self, request: Request) -> Response:
        """The rule for all other countries, "", comes first."""
        return Response(CountryRuleSerializer(CountryRule.objects.all(), many=True).data)


class CountryRuleView(APIView):
    """The rule of one country, by its two letters, or of all `others`."""

    permission_classes = (MayViewLimits,)

    @extend_schema(request=CountryRuleSerializer, responses=CountryRuleSerializer)
    def patch(self, request: Request, country: str) -> Response:
        """Make or change it; what is left out stays."""
        code = _read_country(country)
        serializer = CountryRuleSerializer(
            CountryRule.objects.filter(country=code).first(), data=request.data, partial=True
        )
        serializer.is_valid(raise_exception=True)
        asked, person = dict(serializer.validated_data), person_of(request)
        rule = carry_out(lambda: save_country_rule(person, code, asked, now=timezone.now()))
        return Response(CountryRuleSerializer(rule).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, country: str) -> Response:
        """The country falls under the rule for all others."""
        rule = get_object_or_404(CountryRule, country=_read_country(country))
        carry_out(lambda: remove_country_rule(person_of(request), rule.country))
        return Response(status=status.HTTP_204_NO_CONTENT)


def _read_channel(channel: str) -> str:
    return "" if channel == ALL_CHANNELS else channel


def _read_country(country: str) -> str:
    if country == OTHER_COUNTRIES:
        return ""
    if len(country) != 2 or not country.isalpha():
        raise Http404
    return country.upper()
