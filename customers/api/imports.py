"""REST: imports of files and how far they are; cancelling one, and having one that stopped go on. Files are given on the page."""

from __future__ import annotations

from django.contrib.auth.models import User
from django.db import transaction
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotAuthenticated
from rest_framework.generics import ListAPIView, RetrieveAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.ingest.progress import RunIsTaken
from customers.ingest.runs import can_resume, cancel_import, resume_import
from customers.ingest.schema import KINDS, ORDERS, FileProblem
from customers.models import ImportRun
from customers.tasks import import_file

from .fields import ToldField
from .pagination import NewestFirst
from .permissions import HasModelRight
from .privacy import read_user
from .problems import StateRefused


class ImportSerializer(serializers.ModelSerializer[ImportRun]):
    """One import. `progress` is the share done, 0 to 1; `lines_written` are taken over already, and stay; `report` counts what
    became of all lines once it is done. `can_resume`: it stopped, and goes on where it was when it is asked to."""

    kind = serializers.SerializerMethodField()
    lines_written = serializers.IntegerField(read_only=True)
    error = ToldField()
    can_resume = serializers.SerializerMethodField()

    class Meta:
        model = ImportRun
        fields = (
            "id", "file_name", "kind", "status", "is_trial", "step", "progress", "lines_written", "report", "error",
            "can_resume", "requested_by", "created_at", "started_at", "finished_at",
        )  # fmt: skip
        read_only_fields = fields

    @extend_schema_field(serializers.ChoiceField(choices=KINDS))
    def get_kind(self, run: ImportRun) -> str:
        return str(run.options.get("kind", ORDERS))

    def get_can_resume(self, run: ImportRun) -> bool:
        return can_resume(run)


class ImportList(ListAPIView[ImportRun]):
    """Every import, the newest first."""

    queryset = ImportRun.objects.all()
    serializer_class = ImportSerializer
    pagination_class = NewestFirst
    filter_backends = []


class ImportItem(RetrieveAPIView[ImportRun]):
    """One import."""

    queryset = ImportRun.objects.all()
    serializer_class = ImportSerializer


class _ImportDecision(APIView):
    permission_classes = [HasModelRight]
    queryset = ImportRun.objects.all()


class ImportCancellation(_ImportDecision):
    """Stop an import that waits or runs. What is written stays, and for a day it can go on."""

    @extend_schema(request=None, responses={200: ImportSerializer}, description="409: it is over already.")
    def post(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(ImportRun, pk=pk)
        try:
            cancel_import(_read_person(request), run)
        except RunIsTaken as refusal:
            raise StateRefused(_("It was over already.")) from refusal
        return Response(ImportSerializer(run).data)


class ImportResumption(_ImportDecision):
    """Have an import that failed or was cancelled go on after the last step that was committed."""

    @extend_schema(
        request=None,
        responses={200: ImportSerializer},
        description="409: it is open or done, or its file is no longer kept.",
    )
    def post(self, request: Request, pk: int) -> Response:
        run = get_object_or_404(ImportRun, pk=pk)
        try:
            resume_import(_read_person(request), run)
        except FileProblem as problem:
            raise StateRefused(str(problem)) from problem
        except RunIsTaken as refusal:
            raise StateRefused(_("It goes on already, or is through.")) from refusal
        transaction.on_commit(lambda: import_file.delay(run.pk))
        return Response(ImportSerializer(run).data)


def _read_person(request: Request) -> User:
    """Who asks; the right was looked at before, so it is somebody."""
    user = read_user(request)
    if user is None:
        raise NotAuthenticated
    return user
