"""The ASGI entry point: `config.asgi:application`.

Django comes first: everything else may use models. A configuration that is not safe to serve with
ends the process here, under every server.
"""

from __future__ import annotations

import os

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
django.setup()

from django.conf import settings  # noqa: E402

from config.application import build_application  # noqa: E402
from config.backends import backends  # noqa: E402
from config.checks import refuse_bad_configuration  # noqa: E402
from config.daphne_heads import limit_heads  # noqa: E402
from config.heap import kept_small  # noqa: E402
from config.interpreter import serve_promptly  # noqa: E402
from config.lifespan import Lifespan  # noqa: E402
from config.priority import Priority  # noqa: E402
from config.sessions import build_hosting  # noqa: E402

refuse_bad_configuration()
limit_heads()

lifespan = Lifespan()
priority = Priority(settings.HATCHWAY_NICENESS)
lifespan.hold(priority.raised)
lifespan.hold(kept_small)
backends().hold_open(lifespan)
lifespan.hold(build_hosting(backends(), priority).serving)
application = build_application(lifespan, priority)
serve_promptly()
