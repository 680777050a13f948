"""The words of rules: what each thing that can be asked is called, and what is said of each fault."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _

from customers.models import Channel

FIELD_LABELS = {
    "churn_probability": _("churn probability"),
    "expected_value": _("expected value"),
    "expected_orders": _("expected orders"),
    "interest": _("what they like"),
    "main_reason": _("main reason for leaving"),
    "any_reason": _("one of the reasons for leaving"),
    "score_status": _("state of the prediction"),
    "next_order_on": _("day on which the next order is expected"),
    "reaction_to_offers": _("reaction to campaigns with an offer"),
    "reaction_to_messages": _("reaction to campaigns without an offer"),
    "interested_in": _("turns most to"),
    "likes_brand": _("brand they turn most to"),
    "price_level": _("price level of what they buy"),
    "writes_about": _("writes about (read by a language model)"),
    "recency_days": _("days since the last order"),
    "orders_count": _("number of orders"),
    "total_spent": _("total spent"),
    "country": _("country"),
    "language": _("language"),
    "time_zone": _("time zone"),
    "source": _("system they come from"),
    "customer_for_days": _("days since they joined"),
    "joined_on": _("day on which they joined"),
    "tag": _("tag put by the staff"),
    "has_email_consent": _("agreed to e-mail"),
    "has_open_complaint": _("has an open complaint"),
    "has_open_ticket": _("waits for an answer of support"),
}
#: The head of a group of conditions, by its `match`.
GROUP_HEADS = {
    "all": _("all of these"),
    "any": _("at least one of these"),
    "none": _("none of these"),
}
FAMILY_LABELS = {
    "prediction": _("Prediction"),
    "interests": _("Interests"),
    "orders": _("Orders"),
    "person": _("Person"),
    "behaviour": _("Behaviour"),
}
BEHAVIOUR_LABELS = {
    "ordered": _("ordered"),
    "viewed_product": _("viewed a product"),
    "searched": _("searched"),
    "used_cart": _("changed the cart"),
    "opened_email": _("opened an e-mail"),
    "clicked_email": _("clicked in an e-mail"),
    "asked_support": _("asked support"),
    "complained": _("complained"),
    "complaint_solved": _("had a complaint solved"),
    "reviewed": _("wrote a review"),
    "viewed_page": _("viewed a page"),
    "custom": _("did"),
}
#: What came after, with the same product, and what did not.
FOLLOWED_LABELS = {
    "ordered": _("then ordered it"),
    "viewed_product": _("then viewed it again"),
    "used_cart": _("then put it into the cart"),
    "reviewed": _("then wrote a review of it"),
}
NOT_FOLLOWED_LABELS = {
    "ordered": _("did not order it afterwards"),
    "viewed_product": _("did not view it again"),
    "used_cart": _("did not put it into the cart afterwards"),
    "reviewed": _("wrote no review of it afterwards"),
}
MEASURE_LABELS = {
    "bought": {
        "count": _("number of orders"),
        "sum": _("total of orders"),
        "average": _("average order"),
        "largest": _("largest order"),
        "first": _("first order"),
        "last": _("last order"),
    },
    "returned": {
        "count": _("number of returns"),
        "sum": _("total of returns"),
        "average": _("average return"),
        "largest": _("largest return"),
        "first": _("first return"),
        "last": _("last return"),
    },
}
MESSAGE_LABELS = {
    "received": _("received a message"),
    "opened": _("opened a message"),
    "clicked": _("clicked in a message"),
    "bounced": _("had a message come back"),
    "complained": _("reported a message as spam"),
    "unsubscribed": _("unsubscribed by a message"),
}
CHANNEL_LABELS = dict(Channel.choices)
PERIOD_LABELS = {
    "today": _("today"),
    "yesterday": _("yesterday"),
    "this_week": _("this week"),
    "last_week": _("last week"),
    "this_month": _("this month"),
    "last_month": _("last month"),
    "this_year": _("this year"),
    "last_year": _("last year"),
}
TYPE_LABELS = {
    "text": _("text"),
    "number": _("number"),
    "flag": _("yes or no"),
    "date": _("date"),
}
PRICE_LABELS = {
    "low": _("low"),
    "mid": _("middle"),
    "high": _("high"),
}
OPERATOR_LABELS = {
    "gte": _("at least"),
    "lte": _("at most"),
    "between": _("between"),
    "is": _("is"),
    "is_not": _("is not"),
    "in": _("is one of"),
    "contains": _("contains"),
    "starts_with": _("starts with"),
    "known": _("is known"),
    "unknown": _("is not known"),
    "before": _("before"),
    "from": _("on or after"),
    "on": _("on"),
    "anniversary": _("has its yearly day"),
}
ERROR_SENTENCES = {
    "not_an_object": _("A rule is an object with conditions."),
    "too_deep": _("Groups may be nested %(detail)s deep at most."),
    "unknown_node": _("Each part is a group, a condition with a field, or something the customer did."),
    "unknown_match": _("A group matches “all”, “any” or “none”, not “%(detail)s”."),
    "empty": _("Add at least one condition."),
    "too_many_conditions": _("A rule may have %(detail)s conditions at most."),
    "unknown_field": _("“%(detail)s” is not something we know of a customer."),
    "operator_does_not_fit": _("“%(detail)s” does not fit this condition."),
    "unknown_behaviour": _("“%(detail)s” is not something that customers do here."),
    "category_does_not_fit": _("This behaviour has no category."),
    "not_yes_or_no": _("Choose yes or no."),
    "not_a_list": _("Give at least one value."),
    "too_many_values": _("Give %(detail)s values at most."),
    "not_two_numbers": _("Give two numbers."),
    "wrong_order": _("The first number must not be above the second."),
    "not_a_number": _("Enter a number."),
    "not_a_probability": _("Enter a probability from 0 to 1."),
    "not_a_number_of_days": _("Enter a number of days."),
    "not_a_whole_number": _("Enter a whole number (%(detail)s)."),
    "unknown_version": _(
        "This rule was saved by another version of Rekindle (%(detail)s), which this one cannot read."
    ),
    "unknown_key": _("“%(detail)s” means nothing here."),
    "no_value_here": _("This question takes no value."),
    "not_a_date": _("Enter a date such as 2026-03-31."),
    "not_a_window": _("Say since when: a number of days, two dates, a period, or at any time."),
    "two_windows": _("Say one stretch of time only."),
    "unknown_period": _("“%(detail)s” is no period of the calendar."),
    "product_does_not_fit": _("This behaviour has no product."),
    "brand_does_not_fit": _("This behaviour has no brand."),
    "name_does_not_fit": _("Only what the shop itself tells of has a name."),
    "properties_do_not_fit": _("Orders have no properties to ask for."),
    "too_many_properties": _("Ask for %(detail)s properties at most."),
    "unknown_measure": _("“%(detail)s” cannot be measured of orders."),
    "unknown_kind": _("Orders are “bought” or “returned”, not “%(detail)s”."),
    "unknown_discount": _("Orders are “with” or “without” a discount, not “%(detail)s”."),
    "code_does_not_fit": _("An order without a discount has no code."),
    "unknown_message_act": _("“%(detail)s” is not something that becomes of a message."),
    "unknown_channel": _("“%(detail)s” is no channel."),
    "channel_does_not_fit": _("On this channel nobody can tell."),
    "unknown_channel_state": _("“%(detail)s” cannot be asked of a channel."),
    "unknown_type": _("A value is a text, a number, a date, or yes or no; not “%(detail)s”."),
    "not_percents": _("Give two percentages from 0 to 100, the smaller one first."),
    "unknown_segment": _("The segment number %(detail)s does not exist any more."),
    "segment_broken": _("The rule of the segment “%(detail)s” cannot be used as it stands."),
    "named_too_deep": _("With the segments that it names, this is nested more than %(detail)s deep."),
    "cycle": _("Segments refer to each other in a circle: %(detail)s."),
    "not_a_text": _("Enter a text of at most 120 characters."),
}
WARNING_SENTENCES = {
    "contradiction": _("Nobody can meet this together with another condition of its group."),
    "never_true": _("Nobody can meet this."),
    "always_true": _("Everybody meets this."),
    "always_known": _("This means everybody of whom it is known."),
    "empty_window": _("This stretch of time is empty, or has not begun yet."),
    "product_gone": _("The shop has no product “%(detail)s” any more."),
    "category_gone": _("No product of the shop is in the category “%(detail)s”."),
    "brand_gone": _("No product of the shop is of the brand “%(detail)s”."),
    "attribute_gone": _("No customer has the attribute “%(detail)s”: it may have been renamed."),
    "segment_archived": _("The segment “%(detail)s” is archived."),
    "campaign_gone": _("There is no campaign number %(detail)s any more."),
}
