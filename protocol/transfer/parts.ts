import { z } from 'zod'
import { fields, type RefusalCode } from '../documents/index.ts'

/** A self-contained file of a flow; `digest` is sha2-256 in hex. Paths never travel. */
export const partInfo = z.strictObject({
  index: fields.count,
  bytes: fields.count,
  digest: fields.digest
})
export type PartInfo = z.infer<typeof partInfo>

/** No manifest is longer, whatever a receiver would allow: it has to fit in one frame. */
export const MAX_PARTS = 4_096
export const manifest = z.array(partInfo).max(MAX_PARTS)

/** Which flow is opened. `attempt` 2 means the sender's job ran again: what attempt 1 left is dropped. */
export const flowId = z.strictObject({
  contract: fields.documentId,
  flow: fields.count,
  epoch: z.int().min(1).max(3),
  attempt: z.int().min(1).max(2)
})
export type FlowId = z.infer<typeof flowId>

export interface SourcePart extends PartInfo {
  /** The bytes from the first on. It is opened only when the receiver lacks the part, and always read to its end or returned. */
  open(): AsyncIterable<Uint8Array>
}

/** Where parts come from. */
export interface PartSource {
  /** The parts that are there already, so that a receiver can say which it has. */
  known(): readonly PartInfo[]
  /** All parts, each once, in the order they are to be sent; ends when there will be no more. */
  parts(): AsyncIterable<SourcePart>
}

export interface PartWriter {
  /** The bytes are only valid until it resolves. */
  write(bytes: Uint8Array): Promise<void>
  /** The part is whole and has this digest: keep it, so that it survives a crash. */
  commit(part: PartInfo): Promise<void>
  /** Forget everything written. Never throws. */
  abort(): Promise<void>
}

/** Where parts go. A full disk may show as `ENOSPC` or `EDQUOT`. */
export interface PartSink {
  /** Whether this part was committed, in this or an earlier transfer of the flow. */
  has(part: PartInfo): Promise<boolean>
  create(index: number): Promise<PartWriter>
}

/** A receiver's answer to an opening: where to put the parts and how much it takes, or why not. */
export type Admission =
  | { readonly sink: PartSink; readonly maxParts: number; readonly maxBytes: number }
  | { readonly refuse: RefusalCode }

export interface TransferOptions {
  /** The deadline, or the user's cancellation. */
  signal?: AbortSignal
  /** How long the other end may do nothing, in milliseconds. @default 20_000 */
  idleMs?: number
  /** Bytes moved so far (parts that were there already count), of the bytes of all parts known so far. */
  onProgress?: (bytes: number, of: number) => void
}

export interface ReceiveOptions extends TransferOptions {
  /** All parts are there and verified: awaited before the sender is told so, who may forget them then. */
  onVerified?: (flow: FlowId, parts: readonly PartInfo[]) => Promise<void>
}

export const DEFAULT_IDLE_MS = 20_000

export interface Transferred {
  readonly parts: readonly PartInfo[]
  /** Bytes of all parts. */
  readonly bytes: number
  /** Bytes that went over the stream this time. */
  readonly moved: number
}

export function totalBytes(parts: readonly PartInfo[]): number {
  return parts.reduce((sum, part) => sum + part.bytes, 0)
}
