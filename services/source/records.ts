/**
 * The shape of CSV text, byte by byte: where fields, quoted parts and lines end (RFC 4180, with every line end found in the
 * wild). A quote opens only at the start of a field; elsewhere it is an ordinary character.
 */
const CR = 13
const LF = 10

export interface Shape {
  delimiter: Buffer
  quote: number
}

export interface RecordListener {
  /** A line that is not blank ended; `line` is where it began, from 1. */
  record(fields: number, line: number): void
}

/**
 * Follows the bytes of a file through any number of chunks. `copy` gives the same bytes with each line end outside quotes as
 * a single LF.
 */
export class RecordScanner {
  private readonly first: number
  private readonly last: number
  private inQuotes = false
  private quoteEnded = false
  private fieldStart = true
  private matched = 0
  private returns = 0
  private fields = 1
  private blank = true
  private line = 1
  private recordLine = 1
  private quoteLine = 0

  constructor(
    private readonly shape: Shape,
    private readonly listener?: RecordListener
  ) {
    this.first = shape.delimiter[0] ?? 44
    this.last = shape.delimiter.length - 1
  }

  /** The line where a quoted field opened that the file never closes. */
  get openQuote(): number | undefined {
    return this.inQuotes && !this.quoteEnded ? this.quoteLine : undefined
  }

  scan(chunk: Buffer): void {
    this.follow(chunk, undefined)
  }

  copy(chunk: Buffer): Buffer {
    // at most one byte more than the chunk: line ends that were still open when the last chunk ended
    const out = Buffer.allocUnsafe(chunk.length + this.returns + 1)
    return out.subarray(0, this.follow(chunk, out))
  }

  /** Ends the file; gives the line ends that were still open. */
  end(): Buffer {
    const open = this.returns
    for (let index = 0; index < open; index++) this.endLine()
    this.returns = 0
    if (!this.blank) this.endLine()
    return Buffer.alloc(open, LF)
  }

  private follow(chunk: Buffer, out: Buffer | undefined): number {
    let written = 0
    for (let index = 0; index < chunk.length; index++) {
      const byte = chunk[index] ?? 0
      if (this.inQuotes && !this.quoteEnded) {
        if (byte === this.shape.quote) this.quoteEnded = true
        else if (byte === LF || (byte === CR && chunk[index + 1] !== LF && chunk[index + 1] !== CR))
          this.line++
        if (out !== undefined) out[written++] = byte
        continue
      }
      if (this.quoteEnded && byte === this.shape.quote) {
        this.quoteEnded = false
        if (out !== undefined) out[written++] = byte
        continue
      }
      this.inQuotes = false
      this.quoteEnded = false
      if (byte === CR) {
        this.returns++
        continue
      }
      if (byte === LF) {
        this.returns = 0
        this.endLine()
        if (out !== undefined) out[written++] = LF
        continue
      }
      for (; this.returns > 0; this.returns--) {
        this.endLine()
        if (out !== undefined) out[written++] = LF
      }
      this.content(byte)
      if (out !== undefined) out[written++] = byte
    }
    return written
  }

  private content(byte: number): void {
    if (this.blank) {
      this.blank = false
      this.recordLine = this.line
    }
    if (this.fieldStart && byte === this.shape.quote) {
      this.inQuotes = true
      this.quoteEnded = false
      this.fieldStart = false
      this.quoteLine = this.line
      return
    }
    this.fieldStart = false
    if (byte === (this.matched === 0 ? this.first : this.shape.delimiter[this.matched])) {
      if (this.matched === this.last) {
        this.matched = 0
        this.fields++
        this.fieldStart = true
      } else this.matched++
    } else this.matched = byte === this.first && this.last > 0 ? 1 : 0
  }

  private endLine(): void {
    if (!this.blank) this.listener?.record(this.fields, this.recordLine)
    this.line++
    this.blank = true
    this.fields = 1
    this.matched = 0
    this.fieldStart = true
  }
}
