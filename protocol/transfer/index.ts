/**
 * Bulk transfer: the parts of one flow over one libp2p stream, `/dynamos/flow/1`.
 *
 * ```
 *   sender                                   receiver
 *   open {flow, parts known so far}    ──▶
 *                                      ◀──   accept {have} | refuse {code}
 *   part {index, bytes, digest}        ──▶
 *   chunk … (256 KiB each)             ──▶
 *   part-end {index, digest}           ──▶   verified, committed
 *   …
 *   end {all parts}                    ──▶
 *                                      ◀──   done {all parts}
 * ```
 *
 * Either end may say `failed {code}` at any time and then closes. The sender has succeeded when it read `done`, and never
 * before; the receiver when it holds, verified, every part of the final list. Anything else is an error with a code at both
 * ends. Frames have a length prefix of at most 1 MiB and one byte that tells control (DAG-CBOR) from bytes.
 *
 * Knows nothing of disk: parts come from a {@link PartSource} and go to a {@link PartSink}.
 */
export { FlowFailed, FlowRefused } from './errors.ts'
export { CHUNK_BYTES, MAX_FRAME_BYTES } from './frames.ts'
export {
  type Admission,
  type FlowId,
  flowId,
  MAX_PARTS,
  type PartInfo,
  type PartSink,
  type PartSource,
  type PartWriter,
  partInfo,
  type ReceiveOptions,
  type SourcePart,
  type TransferOptions,
  type Transferred
} from './parts.ts'
export { type FlowOpening, receiveParts } from './receive.ts'
export { sendParts } from './send.ts'

export const FLOW_PROTOCOL = '/dynamos/flow/1'
