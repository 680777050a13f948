"""Settings of Rekindle, read from the environment; `.env.example` lists them with their meaning."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from campaigns.delivery.channels.targets import SmsTarget, WebhookTarget
from retention_site.admin_look import ADMIN_LOOK
from retention_site.api_settings import API, API_DESCRIPTION
from retention_site.engine_urls import (
    catch_sms,
    catch_webhooks,
    read_database_url,
    read_email_url,
    read_imap_target,
    read_sms_target,
    read_webhook_target,
)
from retention_site.env_values import (
    read_choice,
    read_currency,
    read_flag,
    read_list,
    read_number,
    read_text,
    read_time_zone,
)
from retention_site.logs import configure_structlog, make_logging
from retention_site.sweeps import BEAT_SCHEDULE, TASK_ROUTES
from support.mail.imap.target import ImapTarget

BASE_DIR = Path(__file__).resolve().parent.parent
VAR_DIR = Path(read_text("REKINDLE_VAR", str(BASE_DIR / "var")))

# --- The site -------------------------------------------------------------------------------------------------------
DEBUG = read_flag("DEBUG")
SECRET_KEY = read_text("SECRET_KEY")
if not SECRET_KEY:
    secret_file = VAR_DIR / "secret_key"
    if not secret_file.exists():
        raise ImproperlyConfigured("SECRET_KEY is not set. Start with ./rekindle, which makes one under var/.")
    SECRET_KEY = secret_file.read_text().strip()
SECRET_KEY_FALLBACKS = read_list("SECRET_KEY_FALLBACKS")  # former ones: they still open what they closed
ALLOWED_HOSTS = read_list("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
SITE_URL = read_text("SITE_URL", "http://127.0.0.1:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = [SITE_URL] if SITE_URL.startswith("https://") else []
SITE_IS_HTTPS = SITE_URL.startswith("https://")
ROOT_URLCONF = "retention_site.urls"
WSGI_APPLICATION = "retention_site.wsgi.application"

INSTALLED_APPS = [
    "retention_site",
    "campaigns",
    "support",
    "customers",
    "llm",
    "unfold",
    "unfold.contrib.filters",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",
    "rest_framework",
    "django_filters",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_htmx",
    "csp",
    "anymail",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "retention_site.middleware.ProbeMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "retention_site.middleware.RequestIdMiddleware",
    "retention_site.middleware.ContentSecurityPolicyMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "retention_site.audit_people.ActorMiddleware",
    "customers.api.idempotency.IdempotencyMiddleware",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "retention_site.middleware.ShopTimeMiddleware",
    "retention_site.middleware.WorkflowErrorMiddleware",
    "retention_site.middleware.FormAddressMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.debug",
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "retention_site.navigation.frame",
            ],
            "builtins": ["retention_site.templatetags.dates"],
        },
    },
]

# --- Engines --------------------------------------------------------------------------------------------------------
DATABASE_URL = read_text("DATABASE_URL")
if not DATABASE_URL:
    raise ImproperlyConfigured(
        "DATABASE_URL is not set. Use ./rekindle run, ./rekindle manage or ./rekindle test: they start a PostgreSQL "
        "under var/. Or set DATABASE_URL to one of your own."
    )
DATABASES: dict[str, dict[str, Any]] = {
    "default": read_database_url(DATABASE_URL) | {"CONN_MAX_AGE": 60, "CONN_HEALTH_CHECKS": True}
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
REDIS_URL = read_text("REDIS_URL", "redis://127.0.0.1:6379/1")
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

CELERY_BROKER_URL = read_text("BROKER_URL", REDIS_URL)
WORKER_NICENESS = read_number("WORKER_NICENESS", 19, most=19)  # 0: background work counts as much as pages
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TIMEZONE = "UTC"
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_TASK_ROUTES = TASK_ROUTES
CELERY_BEAT_SCHEDULE = BEAT_SCHEDULE

# --- Mail: the built-in catcher unless EMAIL_URL names a server or a provider -------------------------------------------
EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
EMAIL_TIMEOUT = read_number("EMAIL_TIMEOUT", 30.0, least=0.1)  # longest silence of the mail server, seconds
EMAIL_URL = read_text("EMAIL_URL")
EMAIL_PROVIDER = ""  # of campaigns.delivery.channels.providers; "" sends by SMTP
ANYMAIL: dict[str, Any] = {}
USES_MAIL_CATCHER = not EMAIL_URL
MAIL_CATCHER_DIR = Path(read_text("MAIL_CATCHER_DIR", str(VAR_DIR / "mail")))
if USES_MAIL_CATCHER:
    EMAIL_HOST = read_text("MAIL_CATCHER_HOST", "127.0.0.1")
    EMAIL_PORT = read_number("MAIL_CATCHER_PORT", 1025, least=1, most=65535)
    EMAIL_HOST_USER = EMAIL_HOST_PASSWORD = ""
    EMAIL_USE_TLS = EMAIL_USE_SSL = False
else:
    globals().update(read_email_url(EMAIL_URL))
ANYMAIL["REQUESTS_TIMEOUT"] = EMAIL_TIMEOUT
DNS_RESOLVER = read_text("DNS_RESOLVER")  # host or host:port; "": that of the system
DNS_TIMEOUT_S = read_number("DNS_TIMEOUT_S", 3.0, least=0.1, most=30)
DKIM_SELECTOR = read_text("DKIM_SELECTOR")
DKIM_DOMAIN = read_text("DKIM_DOMAIN").lower()  # "": the domain of SHOP_FROM_EMAIL
EPOCH_FILE = read_text("EPOCH_FILE", str(VAR_DIR / "sending_epoch.json"))
EPOCH_KEY = read_text("EPOCH_KEY", "rekindle:sending-epoch")
SMTP_CONNECTIONS = read_number("SMTP_CONNECTIONS", 2, least=1, most=100)

# --- Text messages and web hooks: caught like mail while neither they nor a mail server are named ------------------------
MESSAGE_CATCHER_HOST = read_text("MESSAGE_CATCHER_HOST", "127.0.0.1")
MESSAGE_CATCHER_PORT = read_number("MESSAGE_CATCHER_PORT", 1026, least=1, most=65535)
MESSAGE_CATCHER_URL = f"http://{MESSAGE_CATCHER_HOST}:{MESSAGE_CATCHER_PORT}"
SMS_URL = read_text("SMS_URL")
SMS_IS_CAUGHT = USES_MAIL_CATCHER and not SMS_URL
SMS_TARGET: SmsTarget | None = None  # not connected
if SMS_URL:
    SMS_TARGET = read_sms_target(SMS_URL)
elif SMS_IS_CAUGHT:
    SMS_TARGET = catch_sms(MESSAGE_CATCHER_URL)
SMS_PART_PRICE = read_number("SMS_PART_PRICE", 0.0, most=100)  # of one part, in SHOP_CURRENCY; 0: not known
WEBHOOK_URL = read_text("WEBHOOK_URL")
WEBHOOK_SECRET = read_text("WEBHOOK_SECRET")
WEBHOOK_KEY_HOURS = read_number("WEBHOOK_KEY_HOURS", 0.0, most=720)
WEBHOOK_IS_CAUGHT = USES_MAIL_CATCHER and not WEBHOOK_URL
WEBHOOK_TARGET: WebhookTarget | None = None  # not connected
if WEBHOOK_URL:
    WEBHOOK_TARGET = read_webhook_target(
        WEBHOOK_URL, secret=WEBHOOK_SECRET, key_hours=WEBHOOK_KEY_HOURS, is_public=SITE_IS_HTTPS
    )
elif WEBHOOK_IS_CAUGHT:
    WEBHOOK_TARGET = catch_webhooks(MESSAGE_CATCHER_URL, secret_key=SECRET_KEY)
CHANNEL_CONNECTIONS = read_number("CHANNEL_CONNECTIONS", 2, least=1, most=100)

# --- What comes back ----------------------------------------------------------------------------------------------------
EMAIL_WEBHOOK_SECRET = read_text("EMAIL_WEBHOOK_SECRET")  # without one no webhook is taken
EMAIL_BOUNCE_ADDRESS = read_text("EMAIL_BOUNCE_ADDRESS")  # "": the sender's own
SOFT_BOUNCES = read_number("SOFT_BOUNCES", 3, least=1, most=100)
SOFT_BOUNCE_DAYS = read_number("SOFT_BOUNCE_DAYS", 30, least=1, most=3650)
CLICK_TRACKING = read_choice("CLICK_TRACKING", "all", ("all", "consent", "off"))

# --- The shop: what every message says of the sender -----------------------------------------------------------------
SHOP_NAME = read_text("SHOP_NAME", "Tarnside Outdoor")
SHOP_URL = read_text("SHOP_URL", "https://tarnside.test").rstrip("/")
SHOP_FROM_EMAIL = read_text("SHOP_FROM_EMAIL", "hello@tarnside.test")
SHOP_POSTAL_ADDRESS = read_text("SHOP_POSTAL_ADDRESS", "Tarnside Outdoor, 4 Harbour Street, Leith EH6 6QU")
SHOP_CURRENCY = read_currency("SHOP_CURRENCY", "EUR")
SHOP_TIME_ZONE = read_time_zone("SHOP_TIME_ZONE", "Europe/London")
SHOP_COUNTRY = read_text("SHOP_COUNTRY")  # ISO 3166, two letters; "": that of the time zone
SHOP_LINK_DOMAINS = read_list("SHOP_LINK_DOMAINS")
DEFAULT_FROM_EMAIL = SHOP_FROM_EMAIL

# --- Limits --------------------------------------------------------------------------------------------------------
HOLDOUT_SHARE = read_number("HOLDOUT_SHARE", 0.1, most=1)
MESSAGE_TOPICS = read_list("MESSAGE_TOPICS", "promotions,news,advice")  # of campaigns.audience.topics
FREQUENCY_CAP_MESSAGES = read_number("FREQUENCY_CAP_MESSAGES", 2)
FREQUENCY_CAP_DAYS = read_number("FREQUENCY_CAP_DAYS", 7, most=3650)
UNCAPPED_TOPICS = read_list("UNCAPPED_TOPICS", "service")  # of campaigns.audience.topics
PRIORITY_LOOK_AHEAD_HOURS = read_number("PRIORITY_LOOK_AHEAD_HOURS", 48, most=720)
ALLOWED_DRIFT_SHARE = read_number("ALLOWED_DRIFT_SHARE", 0.1, most=1)
APPROVAL_VALID_DAYS = read_number("APPROVAL_VALID_DAYS", 14, least=1, most=365)
MAX_ARCHETYPES = read_number("MAX_ARCHETYPES", 12, least=1, most=60)  # proposed to a new campaign
MOST_ARCHETYPES = read_number("MOST_ARCHETYPES", 30, least=1, most=60)  # more than this nobody can choose
CHURN_HORIZON_DAYS = read_number("CHURN_HORIZON_DAYS", 0, most=3650)  # 0: proposed from the shop's own gaps
SCORING_PROCESSES = read_number("SCORING_PROCESSES", 1, least=1, most=64)  # for large shops, on more than two cores
SEQUENCE_MODEL = read_flag("SEQUENCE_MODEL")  # needs PyTorch; without it nothing changes
MAX_UPLOAD_MB = read_number("MAX_UPLOAD_MB", 512, least=1)
UPLOAD_DIR = VAR_DIR / "uploads"
TRACKING_SOURCE = read_text("TRACKING_SOURCE", "shop")  # the source of what comes in under /v1/
OPT_IN_LINK_DAYS = read_number(
    "OPT_IN_LINK_DAYS", 7, least=1, most=60
)  # how long the link in a confirmation mail works
CONSENT_KEEPS_IP = read_flag("CONSENT_KEEPS_IP")  # whether the proof of a consent holds network addresses
# Customers whom the shop itself vouches to be one person are merged by themselves; off, everything is suggested.
AUTOMATIC_MERGES = read_flag("AUTOMATIC_MERGES", default=True)
HELD_EVENT_DAYS = read_number("HELD_EVENT_DAYS", 60, least=1, most=3650)  # of visitors whom nobody knows
SHOP_DELIVERY_DAYS = read_number("SHOP_DELIVERY_DAYS", 30, least=1, most=3650)  # how long webhooks of shops are listed
SHOPS_MAY_BE_LOCAL = DEBUG  # a connected shop may be on this machine, in development
API_REQUESTS_PER_MINUTE = read_number("API_REQUESTS_PER_MINUTE", 6_000)  # of one key or person; 0: as many as come
ERASURE_FILE = read_text("ERASURE_FILE", str(VAR_DIR / "erasures.jsonl"))
WISHES_FILE = read_text("WISHES_FILE", str(VAR_DIR / "wishes.jsonl"))
OUTGOING_MAY_BE_LOOPBACK = read_flag("OUTGOING_MAY_BE_LOOPBACK", default=not SITE_IS_HTTPS)  # web hooks to this machine
OWN_LINK_HOURS = read_number("OWN_LINK_HOURS", 24, least=1, most=168)  # of a person's own link to a copy or erasure
ERASURE_COOLING_DAYS = read_number("ERASURE_COOLING_DAYS", 0, most=25)  # between a person's yes and their erasure
EVENT_RETENTION_MONTHS = read_number("EVENT_RETENTION_MONTHS", 0, most=1200)  # 0: events are kept for good
AUDIT_WITNESS_FILE = read_text("AUDIT_WITNESS_FILE", str(VAR_DIR / "audit_heads.jsonl"))
SUPPORT_ANSWER_HOURS = read_number("SUPPORT_ANSWER_HOURS", 24.0, least=0.1, most=720)  # of a usual question
SUPPORT_ASK_RATING = read_flag("SUPPORT_ASK_RATING", default=True)  # the mail that ends a ticket asks how it was
COMPLAINT_COOLING_DAYS = read_number(
    "COMPLAINT_COOLING_DAYS", 14.0, most=365
)  # no promotions so long after a closed one

# --- Mail to support ------------------------------------------------------------------------------------------------------
SUPPORT_ADDRESS = read_text("SUPPORT_ADDRESS", SHOP_FROM_EMAIL)  # answers go out from it, and customers write to it
SUPPORT_HOOK_PROVIDER = read_text("SUPPORT_HOOK_PROVIDER").lower()  # of support.mail.hook
SUPPORT_HOOK_SECRET = read_text("SUPPORT_HOOK_SECRET")  # without one no mail is taken by a web hook
SUPPORT_IMAP_URL = read_text("SUPPORT_IMAP_URL")
SUPPORT_IMAP_TARGET: ImapTarget | None = read_imap_target(SUPPORT_IMAP_URL) if SUPPORT_IMAP_URL else None
SUPPORT_AUTH_SERVER = read_text(
    "SUPPORT_AUTH_SERVER"
).lower()  # whose Authentication-Results are believed; "": nobody's
SUPPORT_MAIL_MB = read_number("SUPPORT_MAIL_MB", 25, least=1, most=100)  # of a larger mail only the beginning is read
SUPPORT_FIND_SENT = "retention_site.sent_messages.find_sent_message"
SUPPORT_VOICE = "retention_site.support_voice.describe_support_voice"
SUPPORT_FILE_DAYS = read_number("SUPPORT_FILE_DAYS", 365, most=36500)  # after a ticket was closed; 0: for good
ATTACHMENTS_PER_MAIL = read_number("ATTACHMENTS_PER_MAIL", 10, most=40)
ATTACHMENT_MB = read_number("ATTACHMENT_MB", 10, least=1, most=100)  # one file
ATTACHMENTS_MB = read_number("ATTACHMENTS_MB", 20, least=1, most=100)  # all files of a mail
ATTACHMENT_DIR = Path(read_text("ATTACHMENT_DIR", str(VAR_DIR / "attachments")))
DATA_UPLOAD_MAX_MEMORY_SIZE = 10 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 6_000  # the largest rule of a segment: 100 rows with five questions each

# --- Language model ---------------------------------------------------------------------------------------------------
LLM_BASE_URL = read_text("LLM_BASE_URL")
LLM_API_KEY = read_text("LLM_API_KEY")
LLM_MODEL = read_text("LLM_MODEL")
LLM_LABEL = read_text("LLM_LABEL")
LLM_TIMEOUT_S = read_number("LLM_TIMEOUT_S", 60.0, least=0.1)
LLM_DAILY_TOKEN_CAP = read_number("LLM_DAILY_TOKEN_CAP", 2_000_000)
LLM_CALL_TOKEN_CAP = read_number("LLM_CALL_TOKEN_CAP", 8_000)
LLM_CAMPAIGN_TOKEN_CAP = read_number("LLM_CAMPAIGN_TOKEN_CAP", 500_000)
LLM_CAMPAIGN_COST_CAP = read_text("LLM_CAMPAIGN_COST_CAP")
LLM_DAILY_COST_CAP = read_text("LLM_DAILY_COST_CAP")
LLM_CALL_COST_CAP = read_text("LLM_CALL_COST_CAP")
LLM_PRICE_IN_PER_MTOK = read_text("LLM_PRICE_IN_PER_MTOK")
LLM_PRICE_OUT_PER_MTOK = read_text("LLM_PRICE_OUT_PER_MTOK")
LLM_PRICE_CURRENCY = read_text("LLM_PRICE_CURRENCY", "USD")
LLM_KEEP_CALLS_DAYS = read_number("LLM_KEEP_CALLS_DAYS", 90, most=36500)
LLM_BATCH = read_flag("LLM_BATCH")
LLM_MAX_CONCURRENCY = read_number("LLM_MAX_CONCURRENCY", 4, most=1000)  # 0: no limit
LLM_BREAKER_FAILURES = read_number("LLM_BREAKER_FAILURES", 5, most=1000)  # 0: no breaker
LLM_BREAKER_PAUSE_S = read_number("LLM_BREAKER_PAUSE_S", 30.0, least=1, most=3600)
LLM_REUSE_HOURS = read_number("LLM_REUSE_HOURS", 24.0, most=8760)

# --- People ---------------------------------------------------------------------------------------------------------
LOGIN_URL = "login"
LOGIN_REDIRECT_URL = "home"
LOGOUT_REDIRECT_URL = "login"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"

# --- Language and time ---------------------------------------------------------------------------------------------------
LANGUAGE_CODE = "en"
LANGUAGES = [("en", _("English")), ("zh-hans", _("Simplified Chinese"))]
LOCALE_PATHS = [BASE_DIR / "retention_site" / "locale"]
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = True
FORMAT_MODULE_PATH = "retention_site.formats"

# --- Files ---------------------------------------------------------------------------------------------------------
STATIC_URL = "static/"
STATIC_ROOT = VAR_DIR / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
WHITENOISE_USE_FINDERS = True
FORM_RENDERER = "django.forms.renderers.DjangoTemplates"

# --- Security ------------------------------------------------------------------------------------------------------
CONTENT_SECURITY_POLICY: dict[str, Any] = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "frame-src": [SELF],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [SELF],
    }
}
X_FRAME_OPTIONS = "SAMEORIGIN"  # the preview of a message is a sandboxed frame of our own
SILENCED_SYSTEM_CHECKS = ["security.W019"]  # which asks for DENY
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SITE_IS_HTTPS
SECURE_SSL_REDIRECT = read_flag("SECURE_SSL_REDIRECT", default=SITE_IS_HTTPS)
SECURE_HSTS_SECONDS = 31536000 if SITE_IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = SITE_IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if read_flag("BEHIND_PROXY") else None

# --- The look of Django's admin; the REST API; logs --------------------------------------------------------------------------
UNFOLD = ADMIN_LOOK
REST_FRAMEWORK = API
SPECTACULAR_SETTINGS = API_DESCRIPTION
LOGGING = make_logging()
configure_structlog()
