/** Flow control in both directions: how much input may be on its way, and when output is acknowledged. */

/** Input that may be sent beyond what the server has confirmed; more closes with 4413. */
export const INPUT_WINDOW_BYTES = 256 * 1024;

/** An acknowledgement is due after this many rendered bytes … */
export const ACK_BYTES = 16 * 1024;

/** … or this long after rendering, whichever is first. */
export const ACK_DELAY_MS = 100;

/** Decide when to acknowledge. Offsets are absolute, so a repeated one does no harm. */
export class AckPolicy {
  #sent = 0;
  #rendered = 0;

  /** Begin at `offset`, which the server knows about. */
  reset(offset: number): void {
    this.#sent = offset;
    this.#rendered = offset;
  }

  /** Note that everything before `offset` is rendered; true when an acknowledgement is due now. */
  rendered(offset: number): boolean {
    this.#rendered = Math.max(this.#rendered, offset);
    return this.#rendered - this.#sent >= ACK_BYTES;
  }

  /** True when something is rendered that the server has not been told about. */
  get isPending(): boolean {
    return this.#rendered > this.#sent;
  }

  /** The offset to send now; it counts as sent. */
  take(): number {
    this.#sent = this.#rendered;
    return this.#sent;
  }
}

/** A piece of input with the offset of its first byte. */
export interface InputPiece {
  readonly offset: number;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/**
 * Input that was typed and has not been confirmed, numbered from the first byte.
 *
 * Everything unconfirmed is kept, so that after a reconnect it is sent again from the offset that
 * the server names: no byte is lost, and the server drops what it already has.
 */
export class InputLog {
  #chunks: InputPiece[] = [];
  /** Everything below is confirmed. */
  #confirmed = 0;
  /** Everything below is sent on this socket. */
  #sent = 0;
  /** Everything below was typed. */
  #typed = 0;
  /** False until the server has named an offset: what was typed before has no number yet. */
  #isNumbered = false;

  /** Bytes that were typed and are not confirmed. */
  get pendingBytes(): number {
    return this.#typed - this.#confirmed;
  }

  /** Bytes that wait for the window. */
  get unsentBytes(): number {
    return this.#typed - this.#sent;
  }

  /** Take what was typed; the bytes must not change afterwards. */
  append(bytes: Uint8Array<ArrayBuffer>): void {
    if (bytes.length === 0) return;
    this.#chunks.push({ offset: this.#typed, bytes });
    this.#typed += bytes.length;
  }

  /** The server has passed on everything below `offset`. */
  confirm(offset: number): void {
    this.#confirmed = Math.max(this.#confirmed, Math.min(offset, this.#typed));
    this.#sent = Math.max(this.#sent, this.#confirmed);
    let count = 0;
    for (const chunk of this.#chunks) {
      if (chunk.offset + chunk.bytes.length > this.#confirmed) break;
      count += 1;
    }
    if (count > 0) this.#chunks.splice(0, count);
  }

  /**
   * A socket was opened and the server expects `offset` next; everything from there is sent again.
   *
   * An offset that this log never reached belongs to an earlier life of the same client (a page
   * that was reloaded): what is pending is numbered anew from there. An offset below what was
   * confirmed means that the server forgot this client; what is pending is numbered anew as well,
   * because what was confirmed is gone from here and has reached the container.
   */
  resume(offset: number): void {
    if (this.#isNumbered && offset >= this.#confirmed && offset <= this.#typed) {
      this.confirm(offset);
      this.#sent = this.#confirmed;
      return;
    }
    this.#isNumbered = true;
    const shift = offset - this.#confirmed;
    this.#chunks = this.#chunks.flatMap((chunk) => {
      const skip = Math.max(0, this.#confirmed - chunk.offset);
      return [{ offset: chunk.offset + skip + shift, bytes: chunk.bytes.subarray(skip) }];
    });
    this.#typed += shift;
    this.#confirmed = offset;
    this.#sent = offset;
  }

  /** Forget what is pending: it must not reach the container any more. */
  discard(): void {
    this.#chunks = [];
    this.#sent = this.#typed;
    this.#confirmed = this.#typed;
  }

  /** The next pieces that the window allows, each at most `maxBytes`; they count as sent. */
  *take(maxBytes: number): Generator<InputPiece> {
    for (;;) {
      const room = this.#confirmed + INPUT_WINDOW_BYTES - this.#sent;
      const size = Math.min(maxBytes, room, this.unsentBytes);
      if (size <= 0) return;
      const piece = { offset: this.#sent, bytes: this.#read(this.#sent, size) };
      this.#sent += size;
      yield piece;
    }
  }

  #read(offset: number, size: number): Uint8Array<ArrayBuffer> {
    const bytes = new Uint8Array(size);
    const end = offset + size;
    for (const chunk of this.#chunks) {
      const chunkEnd = chunk.offset + chunk.bytes.length;
      if (chunkEnd <= offset) continue;
      if (chunk.offset >= end) break;
      const from = Math.max(0, offset - chunk.offset);
      const to = Math.min(chunk.bytes.length, end - chunk.offset);
      bytes.set(chunk.bytes.subarray(from, to), chunk.offset + from - offset);
    }
    return bytes;
  }
}
