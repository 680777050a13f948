"""REST: putting a segment away, and taking it back."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from customers.models import Segment
from customers.segments.archiving import SegmentInUse, archive_segment, restore_segment

from .permissions import MayChange
from .problems import StateRefused
from .segments import SegmentSerializer


class _Putting(APIView):
    permission_classes = [MayChange]
    queryset = Segment.objects.all()


class SegmentArchival(_Putting):
    """No longer offered or counted; its revisions, sizes and changes stay. A second time changes nothing."""

    @extend_schema(
        request=None, responses={200: SegmentSerializer}, description="409: it is still used, and by what it is."
    )
    def post(self, request: Request, pk: int) -> Response:
        try:
            segment = archive_segment(request.user, get_object_or_404(Segment, pk=pk))
        except SegmentInUse as refusal:
            raise StateRefused(str(refusal)) from refusal
        return Response(SegmentSerializer(segment).data)


class SegmentRestoration(_Putting):
    """Take it back: offered again, and counted by the next sweep. A second time changes nothing."""

    @extend_schema(request=None, responses={200: SegmentSerializer})
    def post(self, request: Request, pk: int) -> Response:
        return Response(SegmentSerializer(restore_segment(request.user, get_object_or_404(Segment, pk=pk))).data)
