import { afterEach, expect, test } from "vitest";

import { ApiError } from "@/api";
import { FakeServer } from "@/testing/fake-server";
import { readFixtures } from "@/testing/fixtures";
import { TreeClient } from "./tree-client";

const open: TreeClient[] = [];

afterEach(() => {
  for (const client of open.splice(0)) client.dispose();
});

async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}

/** A server that answers a hello with the golden frames. */
class TreeServer extends FakeServer {
  override handle(...[socket, message]: Parameters<FakeServer["handle"]>): void {
    if (message.type === "ping") socket.sendText({ type: "pong", t: message.t });
    if (message.type !== "hello") return;
    for (const name of ["cluster is live", "all pods"]) {
      const row = readFixtures("targets/server").find((fixture) => fixture.name === name);
      socket.sendText(row?.text ?? "");
    }
  }
}

async function start(server = new TreeServer()) {
  const client = new TreeClient(server.environment());
  open.push(client);
  client.watch(["demo"]);
  await settle();
  server.clock.advance(50);
  const names = () =>
    client.tree.value.clusters.flatMap((cluster) =>
      cluster.namespaces.flatMap((namespace) => namespace.workloads.map(({ name }) => name)),
    );
  return { server, client, names };
}

test("asks for a ticket of the live tree, says which clusters, and shows them", async () => {
  const { server, client, names } = await start();

  expect(server.tickets).toEqual([{ stream: "targets" }]);
  expect(server.socket.received[0]).toEqual({ type: "hello", clusters: ["demo"] });
  expect(client.connection.value).toEqual({ state: "live" });
  expect(names()).toEqual(["crash", "web"]);
});

test("makes one tree of messages that come close together", async () => {
  const { server, client } = await start();
  let changes = 0;
  client.tree.onChange(() => (changes += 1));

  const uid = "0b6f4a6e-0000-4000-8000-000000000002";
  server.socket.sendText({ type: "gone", cluster: "demo", pods: [uid] });
  server.socket.sendText({ type: "gone", cluster: "demo", pods: ["other"] });
  expect(changes).toBe(0);
  server.clock.advance(50);

  expect(changes).toBe(1);
  expect(client.pod("demo", uid)).toBeUndefined();
});

test("keeps the tree when the line breaks, says so, and asks again", async () => {
  const { server, client, names } = await start();
  server.refusal = new ApiError(0, "network", "No network.");

  server.socket.close();
  await settle();
  expect(names()).toEqual(["crash", "web"]);
  expect(client.tree.value.clusters[0]?.state).toBe("reconnecting");
  expect(client.connection.value.state).toBe("reconnecting");

  server.refusal = null;
  client.retryNow();
  await settle();
  server.clock.advance(50);
  expect(client.connection.value).toEqual({ state: "live" });
  expect(client.tree.value.clusters[0]?.state).toBe("live");
});

test("changes what it watches on the same socket", async () => {
  const { server, client } = await start();

  client.watch(["demo", "other"]);

  expect(server.socket.ofType("hello").at(-1)).toEqual({
    type: "hello",
    clusters: ["demo", "other"],
  });
  expect(server.sockets).toHaveLength(1);
  expect(client.tree.value.clusters.map(({ name }) => name)).toEqual(["demo", "other"]);
});

test("stops when the person is signed out", async () => {
  const { server, client } = await start();

  server.socket.close(4401, "Signed out.");
  server.clock.advance(60_000);

  expect(client.connection.value).toEqual({
    state: "failed",
    code: "close_4401",
    message: "Signed out.",
    closeCode: 4401,
  });
  expect(server.sockets).toHaveLength(1);
});
