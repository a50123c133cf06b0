import { expect, test, vi } from "vitest";

import { Api, ApiError } from "./api";

const TARGET = { cluster: "demo", namespace: "shop", pod: "web-1", container: "web" };

/** An API before a server that always answers the same. */
function answering(status: number, body: unknown, cookies = "hatchway_csrf=token; other=1") {
  const text = typeof body === "string" ? body : JSON.stringify(body);
  const fetch = vi.fn<(path: string, init: RequestInit) => Promise<Response>>(() =>
    Promise.resolve(new Response(status === 204 ? null : text, { status })),
  );
  const api = new Api({
    fetch: fetch as unknown as typeof globalThis.fetch,
    cookies: () => cookies,
  });
  const sent = () => {
    const [path, init] = fetch.mock.calls[0] ?? [];
    return { path, method: init?.method, headers: init?.headers, body: init?.body };
  };
  return { api, sent };
}

test("a GET carries no token and returns what the server says", async () => {
  const { api, sent } = answering(200, { username: "alice" });

  expect(await api.me()).toEqual({ username: "alice" });
  expect(sent()).toEqual({
    path: "/api/me",
    method: "GET",
    headers: { Accept: "application/json" },
    body: undefined,
  });
});

test("every other method carries the token of the cookie", async () => {
  const { api, sent } = answering(201, { ticket: "t" });

  await api.ticket({ stream: "targets" });

  expect(sent()).toMatchObject({
    path: "/api/tickets",
    method: "POST",
    headers: { "X-CSRFToken": "token", "Content-Type": "application/json" },
    body: '{"stream":"targets"}',
  });
});

test("a call that is never answered ends as one that could not be made", async () => {
  const limits: number[] = [];
  const over = AbortSignal.abort(new DOMException("too late", "TimeoutError"));
  vi.spyOn(AbortSignal, "timeout").mockImplementation((ms) => {
    limits.push(ms);
    return over;
  });
  const api = new Api({
    fetch: (_, init) => Promise.reject(init?.signal?.reason as DOMException),
    cookies: () => "",
  });

  await expect(api.me()).rejects.toMatchObject({ status: 0, code: "network" });
  await expect(api.createDebugContainer(TARGET, null)).rejects.toBeInstanceOf(ApiError);
  expect(limits[0]).toBeLessThanOrEqual(60_000);
  expect(limits[1]).toBeGreaterThan(limits[0] ?? 0);
  vi.restoreAllMocks();
});

test("an empty answer is fine where none is due", async () => {
  const { api, sent } = answering(204, "");

  await expect(api.removeFavourite({ ...TARGET, workload: "Deployment/web" })).resolves.toBe(
    undefined,
  );
  expect(sent()).toMatchObject({
    method: "DELETE",
    path: "/api/favourites?cluster=demo&namespace=shop&workload=Deployment%2Fweb&container=web",
  });
});

test("a query names only what is asked for", async () => {
  const { api, sent } = answering(200, { sessions: [], more: false });

  await api.sessions({ scope: "all", limit: 20 });

  expect(sent().path).toBe("/api/sessions?scope=all&limit=20");
});

test("a refusal becomes an ApiError with code, sentence and data", async () => {
  const { api } = answering(403, {
    error: { code: "forbidden", message: "Ask ops.", data: { owner: "ops" } },
  });

  await expect(api.clusters()).rejects.toMatchObject({
    status: 403,
    code: "forbidden",
    message: "Ask ops.",
    data: { owner: "ops" },
  });
});

test.each([
  [502, "<html>Bad gateway</html>", "http_502"],
  [500, "", "http_500"],
  [400, { error: "text" }, "http_400"],
  [200, "<html>A proxy's page</html>", "unreadable"],
])("an answer %i that is not ours becomes an ApiError too", async (status, body, code) => {
  const { api } = answering(status, body);

  const error = await api.me().catch((reason: unknown) => reason);

  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status, code });
});

test("no network becomes an ApiError with status 0", async () => {
  const api = new Api({
    fetch: () => Promise.reject(new TypeError("Failed to fetch")),
    cookies: () => "",
  });

  await expect(api.me()).rejects.toMatchObject({ status: 0, code: "network" });
});
