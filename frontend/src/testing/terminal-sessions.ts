/** Terminal sessions before a fake server, and the screens they draw on. */

import type { ScreenPort } from "@/terminal/output-track";
import type { OpenRequest } from "@/terminal/pane";
import type { Size } from "@/terminal/session-state";
import { TerminalSession } from "@/terminal/terminal-session";
import { FakeMemory, FakeServer } from "./fake-server";
import { utf8 } from "./fixtures";

export const TARGET = { cluster: "demo", namespace: "shop", pod: "web-1", container: "web" };
export const EXEC = {
  kind: "exec",
  target: TARGET,
  shell: "auto",
  command: null,
  isFresh: false,
} satisfies OpenRequest;

/** A screen that remembers what it was told. */
export class RecordingScreen implements ScreenPort {
  text = "";
  replayed = "";
  readonly calls: string[] = [];
  /** Set to hold back "written" until `render`. */
  isBusy = false;
  readonly #unwritten: (() => void)[] = [];

  write(bytes: Uint8Array, isReplay: boolean, onWritten: () => void): void {
    const text = String.fromCharCode(...bytes);
    this.text += text;
    if (isReplay) this.replayed += text;
    this.calls.push(`${isReplay ? "replay" : "write"} ${text}`);
    this.#later(onWritten);
  }

  resize({ cols, rows }: Size): void {
    this.calls.push(`resize ${cols} ${rows}`);
  }

  resync(bytes: Uint8Array, { cols, rows }: Size, skipped: number, onWritten: () => void): void {
    this.text = String.fromCharCode(...bytes);
    this.calls.push(`resync ${cols} ${rows} skipped ${skipped}`);
    this.#later(onWritten);
  }

  render(): void {
    for (const written of this.#unwritten.splice(0)) written();
  }

  #later(onWritten: () => void): void {
    this.#unwritten.push(onWritten);
    if (!this.isBusy) this.render();
  }
}

const open: TerminalSession[] = [];

/** End what `start` opened; to be called after each test. */
export function disposeAll(): void {
  for (const session of open.splice(0)) session.dispose();
}

/** Let promises that are due resolve. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 12; turn += 1) await Promise.resolve();
}

/** Start a terminal before a server that does what the test tells it. */
export async function start(
  server = new FakeServer(),
  {
    request = EXEC,
    memory = new FakeMemory(),
    slot = "tab-1",
  }: { request?: OpenRequest; memory?: FakeMemory; slot?: string } = {},
) {
  const screen = new RecordingScreen();
  const environment = server.environment(memory);
  const session = new TerminalSession(request, slot, { cols: 80, rows: 24 }, screen, environment);
  open.push(session);
  const started = session.start();
  await started;
  await settle();
  const type = (text: string) => session.type(utf8(text));
  const phase = () => session.snapshot.value.phase;
  return { server, screen, session, memory, type, phase, snapshot: () => session.snapshot.value };
}
