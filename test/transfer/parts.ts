import { createHash } from 'node:crypto'
import type {
  FlowId,
  PartInfo,
  PartSink,
  PartSource,
  PartWriter,
  SourcePart
} from '../../protocol/transfer/index.ts'

export const FLOW: FlowId = {
  contract: 'bafyreigdyrzt5sfp7udm7hu76uh7y26nf3efuylqabf3oclgtqy55fbzdi',
  flow: 0,
  epoch: 1,
  attempt: 1
}

export const GENEROUS = { maxParts: 100, maxBytes: 1 << 30 }

export interface MemoryPart extends PartInfo {
  readonly content: Uint8Array
}

/** A part of any bytes, the same for the same index and size. */
export function aPart(index: number, size: number): MemoryPart {
  const content = new Uint8Array(size)
  for (let at = 0; at < size; at += 1) content[at] = (at * 31 + index * 7 + (at >> 8)) & 0xff
  return partOf(index, content)
}

export function partOf(index: number, content: Uint8Array): MemoryPart {
  const digest = createHash('sha256').update(content).digest('hex')
  return { index, bytes: content.byteLength, digest, content }
}

export function infoOf({ index, bytes, digest }: PartInfo): PartInfo {
  return { index, bytes, digest }
}

async function* slices(content: Uint8Array): AsyncGenerator<Uint8Array> {
  const step = 100_000
  for (let at = 0; at < content.byteLength; at += step) yield content.subarray(at, at + step)
}

/** Parts from memory; `opened` lists those whose bytes were asked for. */
export function memorySource(
  parts: readonly MemoryPart[],
  overrides: { known?: readonly PartInfo[]; open?: (part: MemoryPart) => AsyncIterable<Uint8Array> } = {}
): PartSource & { readonly opened: number[] } {
  const opened: number[] = []
  return {
    opened,
    known: () => overrides.known ?? parts.map(infoOf),
    async *parts() {
      for (const part of parts) {
        const open = (): AsyncIterable<Uint8Array> => {
          opened.push(part.index)
          return overrides.open?.(part) ?? slices(part.content)
        }
        yield { ...infoOf(part), open } satisfies SourcePart
      }
    }
  }
}

/** Parts in memory. `pending` counts writers that were neither committed nor aborted. */
export class MemorySink implements PartSink {
  readonly committed = new Map<string, Uint8Array>()
  pending = 0
  /** Bytes written by now, committed or not. */
  written = 0
  /** Called with each write before it resolves. */
  beforeWrite: (bytes: Uint8Array) => Promise<void> = async () => {}

  async has(part: PartInfo): Promise<boolean> {
    return this.committed.has(part.digest)
  }

  async create(_index: number): Promise<PartWriter> {
    const chunks: Uint8Array[] = []
    this.pending += 1
    return {
      write: async (bytes) => {
        await this.beforeWrite(bytes)
        chunks.push(bytes.slice())
        this.written += bytes.byteLength
      },
      commit: async (part) => {
        this.pending -= 1
        this.committed.set(part.digest, Buffer.concat(chunks))
      },
      abort: async () => {
        this.pending -= 1
        chunks.length = 0
      }
    }
  }
}
