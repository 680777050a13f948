"""What runs by itself how often, and which queue it waits in."""

from __future__ import annotations

#: The queue of those tasks that others shall not wait behind.
TASK_ROUTES = {
    "campaigns.tasks.send_*": {"queue": "sending"},
    "campaigns.tasks.draft_*": {"queue": "drafting"},
    "customers.tasks.read_texts": {"queue": "drafting"},
    "llm.tasks.batch_sweep": {"queue": "drafting"},
    "support.tasks.suggest_*": {"queue": "drafting"},
    "support.tasks.read_tickets": {"queue": "drafting"},
}
#: Seconds between two runs.
BEAT_SCHEDULE = {
    "start-due-campaigns": {"task": "campaigns.tasks.start_due_campaigns", "schedule": 15.0},
    "let-people-in": {"task": "campaigns.tasks.let_people_in", "schedule": 15.0},
    "advance-entries": {"task": "campaigns.tasks.advance_entries", "schedule": 30.0},
    "void-outlived-approvals": {"task": "campaigns.tasks.void_outlived_approvals", "schedule": 600.0},
    "watch-catalogue": {"task": "campaigns.tasks.watch_catalogue", "schedule": 60.0},
    "mail-notifications": {"task": "campaigns.tasks.mail_notifications", "schedule": 20.0},
    "send-queued-messages": {"task": "campaigns.tasks.send_sweep", "schedule": 10.0},
    "mail-opt-ins": {"task": "campaigns.tasks.mail_opt_ins", "schedule": 10.0},
    "lapse-consents": {"task": "campaigns.tasks.lapse_consents", "schedule": 21600.0},
    "reap-stuck-messages": {"task": "campaigns.tasks.reap_stuck_messages", "schedule": 30.0},
    "draft-requested": {"task": "campaigns.tasks.draft_sweep", "schedule": 10.0},
    "judge-visits": {"task": "campaigns.tasks.judge_visits", "schedule": 30.0},
    "check-domain": {"task": "campaigns.tasks.check_domain", "schedule": 21600.0},
    "measure-results": {"task": "campaigns.tasks.measure_results", "schedule": 3600.0},
    "send-web-hooks": {"task": "customers.tasks.send_outgoing", "schedule": 5.0},
    "run-waiting-imports": {"task": "customers.tasks.import_sweep", "schedule": 15.0},
    "apply-shop-webhooks": {"task": "customers.tasks.shop_sweep", "schedule": 15.0},
    "sweep-segments": {"task": "customers.tasks.sweep_segments", "schedule": 60.0},
    "sweep-totals": {"task": "customers.tasks.sweep_totals", "schedule": 60.0},
    "score-nightly": {"task": "customers.tasks.score_daily", "schedule": 3600.0},
    "watch-model": {"task": "customers.tasks.watch_model", "schedule": 300.0},
    "suggest-merges": {"task": "customers.tasks.suggest_merges", "schedule": 3600.0},
    "forget-intake": {"task": "customers.tasks.forget_intake", "schedule": 3600.0},
    "witness-audit": {"task": "customers.tasks.witness_audit", "schedule": 3600.0},
    "warm-insights": {"task": "customers.tasks.warm_insights", "schedule": 3600.0},
    "replay-days": {"task": "customers.tasks.replay_sweep", "schedule": 30.0},
    "interests-nightly": {"task": "customers.tasks.interests_daily", "schedule": 3600.0},
    "queue-texts": {"task": "customers.tasks.queue_texts", "schedule": 3600.0},
    "read-texts": {"task": "customers.tasks.read_texts", "schedule": 60.0},
    "sort-tickets": {"task": "support.tasks.sort_tickets", "schedule": 30.0},
    "read-tickets": {"task": "support.tasks.read_tickets", "schedule": 15.0},
    "answer-tickets": {"task": "support.tasks.answer_tickets", "schedule": 15.0},
    "retrain-triage": {"task": "support.tasks.retrain_triage", "schedule": 3600.0},
    "suggest-answers": {"task": "support.tasks.suggest_answers", "schedule": 15.0},
    "model-batches": {"task": "llm.tasks.batch_sweep", "schedule": 60.0},
    "settle-lost-model-calls": {"task": "llm.tasks.settle_lost_calls", "schedule": 300.0},
    "delete-expired-model-calls": {"task": "campaigns.tasks.delete_expired_model_calls", "schedule": 3600.0},
}
