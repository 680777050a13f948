"""Who may do what: one table, kept as Django groups."""

from __future__ import annotations

from typing import Any

#: Rights by role. A role is a group; the admin role is staff besides (Django admin) and gets every right.
READ = (
    "customers.view_customer", "customers.view_order", "customers.view_orderline", "customers.view_product",
    "customers.view_customerevent", "customers.view_score", "customers.view_segment", "customers.view_modelversion",
    "customers.view_customermerge",
    "campaigns.view_campaign", "campaigns.view_campaignresult", "campaigns.view_archetype", "campaigns.view_variant",
    "campaigns.view_offer", "campaigns.view_approval", "campaigns.view_audiencemember", "campaigns.view_domaincheck",
    "campaigns.view_countryrule", "campaigns.view_stagedchange",
    "campaigns.view_brandvoice", "campaigns.view_shoppolicies", "support.view_article",
)  # fmt: skip
ROLES: dict[str, tuple[str, ...]] = {
    "marketer": (
        *READ,
        "campaigns.view_message", "campaigns.view_deliveryevent",
        "customers.add_segment", "customers.change_segment", "customers.export_list", "customers.suppress_list",
        "customers.add_importrun", "customers.view_importrun", "customers.view_importrejection",
        "customers.view_intakeday", "customers.view_refuseditem",
        "customers.add_replay", "customers.merge_customer", "customers.view_suppression", "customers.add_suppression",
        "campaigns.add_campaign", "campaigns.change_campaign", "campaigns.submit_campaign",
        "campaigns.schedule_campaign", "campaigns.control_sending",
        "campaigns.change_offer", "campaigns.change_variant", "campaigns.add_variant", "campaigns.add_domaincheck",
        "llm.view_llmcall",
    ),
    "approver": (
        *READ,
        "campaigns.view_message", "campaigns.view_deliveryevent", "campaigns.approve_campaign", "campaigns.schedule_campaign",
        "campaigns.add_domaincheck",
        "customers.add_replay",
        "campaigns.control_sending", "campaigns.confirm_sending", "campaigns.change_pacelimit", "llm.view_llmcall",
        # What every text is held against is the word of those who approve, not of those who write the texts.
        "campaigns.add_brandvoice", "campaigns.add_shoppolicies", "campaigns.add_costrates",
    ),
    "analyst": (
        *READ,
        "customers.add_segment", "customers.change_segment", "customers.export_list",
        "customers.add_importrun", "customers.view_importrun",
        "customers.view_importrejection", "customers.view_intakeday", "customers.view_refuseditem",
        "customers.add_modelversion", "customers.add_replay",
        "customers.add_sensitiveattributes", "campaigns.view_message", "campaigns.view_deliveryevent", "llm.view_llmcall",
        "customers.view_auditentry", "support.view_answer", "campaigns.add_costrates",
    ),
    "support": ("customers.view_customer", "customers.view_order", "customers.view_orderline",
                "customers.view_product", "customers.view_customerevent", "customers.view_score",
                "customers.view_privacyrequest", "customers.add_privacyrequest", "customers.export_customer",
                "customers.change_preference",
                "customers.view_suppression", "customers.add_suppression",
                "customers.view_customermerge", "customers.merge_customer",
                "campaigns.view_message", "campaigns.view_deliveryevent",
                "support.view_ticket", "support.answer_ticket", "support.view_attachment", "support.view_mailboxstate",
                "support.view_answer", "support.view_article",
                "support.add_article", "support.change_article", "support.view_cannedanswer", "support.add_cannedanswer",
                "support.change_cannedanswer"),
    # A shop's own key: it delivers what it knows and reads what we make of it; it decides nothing.
    "integration": (
        "customers.view_customer", "customers.add_customer", "customers.change_customer",
        "customers.view_order", "customers.add_order", "customers.change_order",
        "customers.view_product", "customers.add_product", "customers.change_product",
        "customers.view_customerevent", "customers.add_customerevent", "customers.view_segment",
        "customers.view_consentrecord", "customers.add_consentrecord", "customers.add_privacyrequest",
        "customers.view_customermerge", "customers.merge_customer",
        "campaigns.view_campaign", "campaigns.view_campaignresult", "campaigns.view_deliveryevent",
        "support.view_ticket", "support.add_ticket", "support.view_article",
    ),
}  # fmt: skip
ADMIN_ROLE = "admin"


def sync_roles(**_kwargs: Any) -> None:
    """Make the groups and give them exactly the rights of the table. Running it again changes nothing."""
    from django.contrib.auth.models import Group, Permission

    rights = {
        f"{right.content_type.app_label}.{right.codename}": right
        for right in Permission.objects.select_related("content_type")
    }
    for role, names in ROLES.items():
        group, _created = Group.objects.get_or_create(name=role)
        group.permissions.set([rights[name] for name in names if name in rights])
    admin, _created = Group.objects.get_or_create(name=ADMIN_ROLE)
    admin.permissions.set(rights.values())
