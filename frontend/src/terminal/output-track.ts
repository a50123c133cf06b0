/** The output of one session by offset: every byte reaches the screen once and in order. */

import type { Clock } from "@/lib/clock";
import { type Disposable, DisposableStore, MutableDisposable } from "@/lib/disposable";
import { ProtocolError } from "@/protocol/fields";
import { ACK_DELAY_MS, AckPolicy } from "@/protocol/flow";
import type { BytesFrame } from "@/protocol/tty";
import type { Size } from "./session-state";

/** Where output goes. The calls take effect in their order. */
export interface ScreenPort {
  write(bytes: Uint8Array, isReplay: boolean, onWritten: () => void): void;
  resize(size: Size): void;
  resync(bytes: Uint8Array, size: Size, skippedBytes: number, onWritten: () => void): void;
}

/** An exact screen that the server has announced; its bytes come next. */
export interface AnnouncedScreen {
  readonly offset: number;
  readonly skipped: number;
  readonly size: Size;
}

export interface OutputHost {
  /** Tell the server that everything before `offset` is rendered; dropped without a socket. */
  sendAck(offset: number): void;
  /** From here on the session has this size. */
  sizeChanged(size: Size): void;
}

/** Take frames of any socket of the session; repeated bytes are dropped, missing ones noticed. */
export class OutputTrack implements Disposable {
  readonly #store = new DisposableStore();
  readonly #ackTimer = this.#store.add(new MutableDisposable());
  readonly #acks = new AckPolicy();
  #next: number | null = null;
  /** Output below this offset is a replay. */
  #live = 0;
  #announced: AnnouncedScreen | null = null;
  /** Sizes of the session that take effect at an offset still to come. */
  #sizes: { readonly offset: number; readonly size: Size }[] = [];

  constructor(
    private readonly screen: ScreenPort,
    private readonly clock: Clock,
    private readonly host: OutputHost,
  ) {}

  /** The next byte that is needed; null when there is nothing yet. */
  get next(): number | null {
    return this.#next;
  }

  /** A socket was opened: output begins at `offset`, or at `next` when that is known. */
  begin(offset: number, live: number): void {
    this.#next ??= offset;
    this.#live = live;
    this.#announced = null;
    this.#acks.reset(this.#next);
  }

  announce(screen: AnnouncedScreen): void {
    this.#announced = screen;
  }

  /** From `offset` on the session has this size. */
  changeSize(offset: number, size: Size): void {
    this.#sizes.push({ offset, size });
    this.#applySizes();
  }

  /** Take bytes; false when some before them are missing. Throws ProtocolError. */
  receive(frame: BytesFrame): boolean {
    if (frame.type === "output") return this.#receiveOutput(frame);
    this.#receiveScreen(frame);
    return true;
  }

  /** Acknowledge what is rendered now instead of soon. */
  flushAck(): void {
    this.#ackTimer.clear();
    if (this.#acks.isPending) this.host.sendAck(this.#acks.take());
  }

  dispose(): void {
    this.#store.dispose();
  }

  #receiveScreen({ offset, bytes }: BytesFrame): void {
    const announced = this.#announced;
    this.#announced = null;
    if (announced?.offset !== offset) {
      throw new ProtocolError("The server sent a screen that it has not announced.");
    }
    this.#next = offset;
    this.#live = offset;
    this.#sizes = this.#sizes.filter((entry) => entry.offset > offset);
    this.host.sizeChanged(announced.size);
    this.screen.resync(bytes, announced.size, announced.skipped, () => {
      if (this.#store.isDisposed) return;
      this.#acks.reset(offset);
      this.host.sendAck(offset);
    });
  }

  #receiveOutput(frame: BytesFrame): boolean {
    let offset = this.#next ?? frame.offset;
    const end = frame.offset + frame.bytes.length;
    if (frame.offset > offset) return false;
    let bytes = frame.bytes.subarray(offset - frame.offset);
    while (offset < end) {
      const stop = Math.min(end, ...this.#bordersAfter(offset));
      this.#write(bytes.subarray(0, stop - offset), stop);
      bytes = bytes.subarray(stop - offset);
      offset = stop;
      this.#next = offset;
      this.#applySizes();
    }
    return true;
  }

  /** Offsets at which a replay ends or a size changes. */
  #bordersAfter(offset: number): number[] {
    return [this.#live, ...this.#sizes.map((entry) => entry.offset)].filter(
      (border) => border > offset,
    );
  }

  #write(bytes: Uint8Array, end: number): void {
    this.screen.write(bytes, end <= this.#live, () => {
      if (this.#store.isDisposed) return;
      if (this.#acks.rendered(end)) this.flushAck();
      else if (this.#acks.isPending) {
        this.#ackTimer.value ??= this.clock.after(ACK_DELAY_MS, () => {
          this.flushAck();
        });
      }
    });
  }

  #applySizes(): void {
    const next = this.#next ?? 0;
    const due = this.#sizes.filter((entry) => entry.offset <= next);
    this.#sizes = this.#sizes.filter((entry) => entry.offset > next);
    for (const { size } of due) this.host.sizeChanged(size);
  }
}
