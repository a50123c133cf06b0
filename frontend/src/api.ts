/** Typed calls of the JSON API; docs/api.md is the contract. */

const CSRF_COOKIE = "hatchway_csrf";
const CSRF_HEADER = "X-CSRFToken";

/** How long a call may take: longer than the server lets a cluster take to answer. */
const CALL_MS = 40_000;
/** And one that waits until an image is pulled and its container runs. */
const LONG_CALL_MS = 150_000;

/** What an error carries for whoever shows it. */
export type ErrorData = Readonly<Record<string, unknown>>;

export interface Me {
  readonly username: string;
  readonly full_name: string;
  readonly groups: readonly string[];
  readonly is_staff: boolean;
  readonly actions: readonly string[];
  readonly version: string;
  readonly demo: boolean;
  readonly recorded: boolean;
  readonly limits: {
    readonly detach_grace_seconds: number;
    readonly idle_seconds: number;
    readonly max_seconds: number;
    readonly sessions_per_person: number;
  };
  readonly debug_images: readonly string[];
}

export interface Cluster {
  readonly name: string;
  readonly identity: "service-account" | "impersonate";
  readonly server_version: string | null;
}

export interface Target {
  readonly cluster: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A target that may also be named by its workload ("Deployment/web"), to survive a rollout. */
export interface Favourite extends Target {
  readonly workload?: string;
}

export type SessionKind = "exec" | "attach";
export type Shell = "auto" | "bash" | "sh" | "custom";

export interface Session {
  readonly id: string;
  readonly target: Target;
  readonly pod_uid: string;
  readonly kind: SessionKind;
  readonly shell: Shell;
  readonly command: readonly string[];
  /** What runs, as far as it is known: the shell that `auto` became, a command's first word. */
  readonly program: string;
  readonly owner: string;
  readonly cluster_user: string;
  readonly address: string;
  readonly state: "starting" | "live" | "ended";
  readonly attached: boolean;
  readonly viewers: number;
  readonly started: string;
  readonly ended: string | null;
  readonly end_reason: string | null;
  readonly exit_code: number | null;
  readonly bytes_out: number;
  readonly bytes_in: number;
  readonly cols: number;
  readonly rows: number;
  readonly mine: boolean;
  readonly may: readonly ("own" | "view" | "terminate")[];
  readonly detached_until: string | null;
}

export interface SessionPage {
  readonly sessions: readonly Session[];
  readonly more: boolean;
}

export interface SessionQuery {
  readonly scope?: "mine" | "all";
  readonly state?: "live" | "ended";
  readonly limit?: number;
  readonly before?: string;
}

export interface Recent {
  readonly target: Target;
  readonly kind: SessionKind;
  readonly shell: Shell;
  /** See Session. */
  readonly program: string;
  readonly used: string;
}

export interface Grant {
  readonly id: string | number;
  readonly name: string;
  readonly actions: readonly string[];
  readonly cluster: string;
  readonly namespaces: unknown;
  readonly labels: unknown;
  readonly containers: unknown;
  readonly until: string | null;
  readonly owner: string;
}

/** What a ticket is asked for: a new session, one that exists, or the live tree. */
export type TicketRequest =
  | {
      readonly target: Target;
      readonly kind: "exec";
      readonly shell: Shell;
      readonly command: readonly string[] | null;
      readonly force_debug: boolean;
    }
  | { readonly target: Target; readonly kind: "attach"; readonly made?: string }
  | { readonly session: string; readonly role: "owner" | "viewer" }
  | { readonly stream: "targets" };

export interface Ticket {
  readonly ticket: string;
  readonly path: string;
  readonly subprotocol: string;
  readonly session: string | null;
  readonly expires_in: number;
}

/** A refusal of the server, or no answer at all (`status` 0, `code` "network"). */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly data: ErrorData = {},
  ) {
    super(message);
    this.name = "ApiError";
  }
}

export interface ApiEnvironment {
  readonly fetch: typeof globalThis.fetch;
  /** The present cookies, as `document.cookie` gives them. */
  readonly cookies: () => string;
}

const BROWSER: ApiEnvironment = {
  fetch: (input, init) => globalThis.fetch(input, init),
  cookies: () => document.cookie,
};

/** The server's JSON API. Every method throws ApiError and nothing else, unless aborted. */
export class Api {
  constructor(private readonly environment: ApiEnvironment = BROWSER) {}

  me = (): Promise<Me> => this.#call("GET", "/api/me");

  signIn = (username: string, password: string): Promise<Me> =>
    this.#call("POST", "/api/sign-in", { username, password });

  signOut = (): Promise<void> => this.#call("POST", "/api/sign-out");

  changePassword = (old: string, next: string): Promise<void> =>
    this.#call("POST", "/api/password", { old, new: next });

  clusters = (): Promise<readonly Cluster[]> => this.#call("GET", "/api/clusters");

  ticket = (request: TicketRequest): Promise<Ticket> => this.#call("POST", "/api/tickets", request);

  sessions = (query: SessionQuery = {}): Promise<SessionPage> =>
    this.#call("GET", `/api/sessions${queryString(query)}`);

  session = (id: string): Promise<Session> =>
    this.#call("GET", `/api/sessions/${encodeURIComponent(id)}`);

  endSession = (id: string): Promise<void> =>
    this.#call("POST", `/api/sessions/${encodeURIComponent(id)}/end`);

  terminateSession = (id: string, reason: string): Promise<void> =>
    this.#call("POST", `/api/sessions/${encodeURIComponent(id)}/terminate`, { reason });

  favourites = (): Promise<readonly Favourite[]> => this.#call("GET", "/api/favourites");

  addFavourite = (favourite: Favourite): Promise<void> =>
    this.#call("PUT", "/api/favourites", favourite);

  removeFavourite = ({ cluster, namespace, workload, container }: Favourite): Promise<void> =>
    this.#call(
      "DELETE",
      `/api/favourites${queryString({ cluster, namespace, workload, container })}`,
    );

  recents = (): Promise<readonly Recent[]> => this.#call("GET", "/api/recents");

  preferences = (): Promise<Readonly<Record<string, unknown>>> =>
    this.#call("GET", "/api/preferences");

  savePreferences = (preferences: Readonly<Record<string, unknown>>): Promise<void> =>
    this.#call("PUT", "/api/preferences", preferences);

  createDebugContainer = (
    target: Target,
    image: string | null,
  ): Promise<{ target: Target; made: string }> =>
    this.#call("POST", "/api/debug-containers", { target, image }, LONG_CALL_MS);

  grants = (): Promise<readonly Grant[]> => this.#call("GET", "/api/grants/mine");

  async #call<T>(method: string, path: string, body?: unknown, most = CALL_MS): Promise<T> {
    const headers: Record<string, string> = { Accept: "application/json" };
    const init: RequestInit = {
      method,
      headers,
      credentials: "same-origin",
      cache: "no-store",
      // A server that took the question and vanished would otherwise leave the page waiting.
      signal: AbortSignal.timeout(most),
    };
    if (method !== "GET")
      headers[CSRF_HEADER] = readCookie(this.environment.cookies(), CSRF_COOKIE);
    if (body !== undefined) {
      headers["Content-Type"] = "application/json";
      init.body = JSON.stringify(body);
    }
    let response: Response;
    let text: string;
    try {
      response = await this.environment.fetch(path, init);
      text = await response.text();
    } catch {
      throw new ApiError(0, "network", "The server could not be reached. Check the connection.");
    }
    const answer = parseJson(text);
    if (!response.ok) throw toError(response.status, answer);
    if (answer === undefined && text !== "") {
      throw new ApiError(response.status, "unreadable", "The server sent an unreadable answer.");
    }
    return answer as T;
  }
}

function queryString(query: object): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query) as [string, unknown][]) {
    if (typeof value === "string" || typeof value === "number") parameters.set(name, String(value));
  }
  const text = parameters.toString();
  return text === "" ? "" : `?${text}`;
}

/** Find a cookie's value; an empty string when it is missing. */
function readCookie(cookies: string, name: string): string {
  for (const part of cookies.split(";")) {
    const [key, ...value] = part.trim().split("=");
    if (key === name) return value.join("=");
  }
  return "";
}

function parseJson(text: string): unknown {
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function toError(status: number, answer: unknown): ApiError {
  const error = isObject(answer) && isObject(answer.error) ? answer.error : {};
  const { code, message, data } = error;
  return new ApiError(
    status,
    typeof code === "string" ? code : `http_${status}`,
    typeof message === "string" ? message : `The server answered with status ${status}.`,
    isObject(data) ? data : {},
  );
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
