"""The sandbox as one WSGI application: S3, IAM, STS, KMS, Service Quotas and Bedrock.

A request is dispatched by the account of its access key, by the service in its signature's scope,
and within Bedrock by its method and raw path. `server` binds the application to a port; tests also
use it without one. The paths below `/_sandbox` are the sandbox's own.
"""

import ctypes
import gc
import os
import random
import re
import sys
import time
import uuid
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from functools import partial
from http.client import responses
from pathlib import Path
from threading import Lock, Semaphore
from typing import Any

from werkzeug.datastructures import EnvironHeaders
from werkzeug.wsgi import ClosingIterator

from haikuft.errors import SandboxError
from haikuft.sandbox import control
from haikuft.sandbox.access.authorization import check_call, check_request
from haikuft.sandbox.access.policy_evaluation import PolicyError
from haikuft.sandbox.access.s3_authorization import answer_s3
from haikuft.sandbox.access.store import ADMINISTRATOR_ID, Store, administrator_arn
from haikuft.sandbox.bedrock import quotas
from haikuft.sandbox.bedrock.records import ControlPlane, utc_now
from haikuft.sandbox.bedrock.resources import ResourceNames
from haikuft.sandbox.directory import as_state_error
from haikuft.sandbox.http import messages, moto_services, rest_json
from haikuft.sandbox.http.event_stream import serialize_stream
from haikuft.sandbox.http.faults import make_faults
from haikuft.sandbox.http.messages import Call, Handler, Request, Response, Scope, ServiceError
from haikuft.sandbox.http.request_checks import check_moto_request
from haikuft.sandbox.http.server import CUT, Turns
from haikuft.sandbox.jobs.customization_runner import CONCURRENT_TRAININGS, CustomizationRunner
from haikuft.sandbox.jobs.evaluation_runner import EvaluationRunner
from haikuft.sandbox.jobs.runner import JobRunner
from haikuft.sandbox.operations import Bedrock, open_plane
from haikuft.sandbox.persistence.database import DATABASE_FILE, Database
from haikuft.sandbox.persistence.moto_state import MotoState
from haikuft.sandbox.runtime.invocation import Runtime, load_stand_in
from haikuft.sandbox.settings import SandboxSettings, load_settings, store_settings

TURNS = 2  # requests that are worked on at once: one may take long, as the loading of a model
SERVED = (*moto_services.SERVICES, "servicequotas", "bedrock")
ACCOUNTS_KIND = "sandbox.accounts"  # of the database's entries: the accounts but the first


class Sandbox:
    """A local AWS: the account of the settings, and those that access keys have named.

    An access key of twelve digits names the account of that number, whose administrator it is. A
    key that IAM has made belongs to the account of that IAM, any other to that of the settings.
    All accounts share the memory for loaded models, and the trainings that run at once.

    Args:
        state: The state directory; custom models' files are below it.
        database: The database in it, if it is open already; `close` closes it.
        settings: The settings to begin with; None for those in the database.
        handlers: Operation name to handler; None for those of the sandbox's Bedrock.
        now: Returns the time, aware, UTC.
        clock: Returns seconds of a monotonic clock, to measure idle time.

    Attributes:
        settings: The current settings.
        on_stop: Called when a request asks the sandbox to stop.
    """

    def __init__(
        self,
        state: Path,
        *,
        database: Database | None = None,
        settings: SandboxSettings | None = None,
        handlers: Mapping[str, Handler] | None = None,
        now: Callable[[], datetime] = utc_now,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.state = state
        self.database = database or Database(state / DATABASE_FILE)
        self.settings = settings or load_settings(self.database)
        self._faults = make_faults(self.settings)
        self._moto_state = MotoState(self.database, state)
        self._now = now
        self.on_stop: Callable[[], None] = lambda: None
        self._turns = Turns(TURNS)
        moto_services.correct_moto(ADMINISTRATOR_ID, administrator_arn)
        self._trainings = Semaphore(CONCURRENT_TRAININGS)
        self._handlers = handlers
        self._accounts: dict[str, Bedrock] = {}
        self._lock = Lock()  # around accounts, settings, and the requests that are open
        for account_id in (self.settings.account_id, *self.database.read(ACCOUNTS_KIND)):
            self._open_account(account_id)
        self.bedrock = self._accounts[self.settings.account_id]
        self.store = self.bedrock.plane.store
        self._clock = clock
        self._open_requests = 0
        self._last_request = clock()
        for runner in self._runners():
            runner.resume()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        """Answer one WSGI request."""
        with self._lock:
            self._open_requests += 1
        try:
            answer = self._answer(environ)
        except BaseException:
            self._end_request()
            raise
        status = f"{answer.status} {responses.get(answer.status, '')}"
        start_response(status, list(answer.headers.items()))
        if answer.frames is not None:
            return ClosingIterator(answer.frames, self._end_request)
        self._end_request()
        return [answer.body]

    def _end_request(self) -> None:
        with self._lock:
            self._open_requests -= 1
            self._last_request = self._clock()

    def idle_seconds(self) -> float:
        """Return the seconds since the last request; 0 while a job runs."""
        with self._lock:
            if self._open_requests or any(runner.running for runner in self._runners()):
                return 0.0
            return self._clock() - self._last_request

    def release_memory(self) -> None:
        """Unload the models, and return freed memory to the system."""
        load_stand_in.cache_clear()
        gc.collect()
        if sys.platform == "linux":
            with suppress(AttributeError):  # musl has no malloc_trim
                ctypes.CDLL(None).malloc_trim(0)

    def close(self) -> None:
        """Stop running jobs, which the next server resumes, and close the database."""
        for runner in reversed(self._runners()):
            runner.close()
        with self.store.lock:
            self.store.moto_state.save()
        self.database.close()

    def list_accounts(self) -> list[str]:
        """List the ids of the accounts, that of the settings first."""
        return list(self._accounts)

    def change_settings(self, changes: Mapping[str, Any]) -> SandboxSettings:
        """Store settings, and return all; changed ones count from the next request on.

        A change starts the injected faults anew.

        Raises SettingsError for a name or a value that they do not take.
        """
        with self._lock:
            found = store_settings(self.database, self.settings, changes)
            if found != self.settings:
                self.settings, self._faults = found, make_faults(found)
            return found

    def _open_account(self, account_id: str) -> None:
        """Open an account; that of the settings has no folder and no kinds of its own."""
        own = account_id == self.settings.account_id
        store = Store(
            account_id,
            settings=lambda: self.settings,
            now=self._now,
            moto_state=self._moto_state,
        )
        plane = open_plane(
            store,
            lambda: self.settings,
            self.state / ("models" if own else f"models-{account_id}"),
            self._now,
            database=self.database,
            prefix="" if own else f"{account_id}.",
        )
        runner = CustomizationRunner(plane, slots=self._trainings)
        runtime = Runtime(plane, sleep=self._turns.sleep)
        evaluations = EvaluationRunner(plane, runtime.converse)
        self._accounts[account_id] = Bedrock(plane, runner, evaluations, runtime)

    def _find_account(self, access_key: str) -> Bedrock:
        """Find the account of an access key; one that it names begins with its first request."""
        with self._lock:
            for account in self._accounts.values():
                if access_key in account.plane.store.iam().access_keys:
                    return account
            if access_key not in self._accounts and re.fullmatch("[0-9]{12}", access_key):
                with self.database.transaction() as write:
                    write(ACCOUNTS_KIND, access_key, b"")
                self._open_account(access_key)
            return self._accounts.get(access_key, self._accounts[self.settings.account_id])

    def _runners(self) -> list[JobRunner]:
        accounts = list(self._accounts.values())
        return [runner for one in accounts for runner in (one.runner, one.evaluations)]

    def _answer(self, environ: dict[str, Any]) -> Response:
        # The system's random numbers would let other threads go on in the middle of a request.
        request_id = str(uuid.UUID(int=random.getrandbits(128), version=4))
        scope = Scope("", "", "")
        try:
            messages.check_origin(environ)
            path = messages.raw_path(environ)
            scope = messages.read_scope(environ)
            body = messages.read_body(environ, scope.service)
            if path == control.PATH or path.startswith(f"{control.PATH}/"):
                return control.answer(self, environ["REQUEST_METHOD"], path, body)
            with self._turns:
                return self._answer_aws(Request(environ, scope, path, body, request_id))
        except Exception as error:
            refusal = self._refusal(error)
            if scope.service == "bedrock":
                return rest_json.serialize_error(refusal, request_id)
            return messages.write_refusal(scope.service, environ, refusal, request_id)

    def _refusal(self, error: Exception) -> ServiceError:
        """Return the error of AWS's that answers a request in which this was raised."""
        if isinstance(error, ServiceError):
            return error
        if isinstance(error, PolicyError):
            message = f"The sandbox cannot evaluate this. {error}"
            return ServiceError("NotImplemented", message, status=501)
        if isinstance(error, OSError | SandboxError) and not self.state.is_dir():
            message = (
                f"The state directory {self.state} was moved or deleted while process "
                f"{os.getpid()} serves it. Put it back, or end the process with "
                f"`kill {os.getpid()}` and start the sandbox again."
            )
        else:
            message = messages.report_failure(as_state_error(error, self.state))
        return ServiceError("InternalServerException", message, status=500)

    def _answer_aws(self, request: Request) -> Response:
        service = request.scope.service
        if not service:
            message = "The sandbox takes signed requests; any key will do."
            raise ServiceError("MissingAuthenticationToken", message, status=403)
        if service not in SERVED:
            message = f"The sandbox does not serve {service}. It serves {', '.join(SERVED)}."
            raise ServiceError("NotImplemented", message, status=501)
        account = self._find_account(request.scope.access_key)
        if service == "bedrock":
            return self._answer_bedrock(account, request)
        if service == "servicequotas":
            return self._answer_quotas(account.plane, request)
        return self._answer_moto(account.plane.store, request)

    def _answer_bedrock(self, account: Bedrock, request: Request) -> Response:
        environ, scope, store = request.environ, request.scope, account.plane.store
        route = rest_json.find_operation(environ["REQUEST_METHOD"], request.path)
        handlers = account.handlers if self._handlers is None else self._handlers
        handler = handlers.get(route.model.name)
        if handler is None:
            message = f"The sandbox does not serve {route.model.name} of {route.service}."
            raise ServiceError("UnknownOperationException", message)
        parameters = rest_json.parse(
            route.model,
            labels=route.labels,
            query=environ.get("QUERY_STRING", ""),
            headers=EnvironHeaders(environ),
            body=request.body,
        )
        rest_json.validate(route.model, parameters)
        cut = self._faults is not None and self._faults.inject()
        call = Call(route.model.name, parameters, scope.region, store.account_id)
        check_call(store, ResourceNames(account.plane), scope, call)
        result = handler(call)
        if not route.model.has_event_stream_output:
            environ[CUT] = cut
            return rest_json.serialize(route.model, result, request.id)
        return serialize_stream(route.model, result, request.id, cut=cut)

    def _answer_quotas(self, plane: ControlPlane, request: Request) -> Response:
        check_request(plane.store, request)
        operation = messages.read_json_operation(request.environ)
        asked, region = messages.read_object(request.body), request.scope.region
        call = Call(operation, asked, region, plane.store.account_id)
        return messages.write_json(200, quotas.answer(plane, call), request.id)

    def _answer_moto(self, store: Store, request: Request) -> Response:
        service = request.scope.service
        check_moto_request(request, store.s3())
        environ = {**request.environ, "HTTP_X_MOTO_ACCOUNT_ID": store.account_id}
        forward = partial(moto_services.answer, store.moto_state, service, environ)
        if service == "s3":
            return answer_s3(store, request, forward)
        check_request(store, request)
        return forward(request.body)
