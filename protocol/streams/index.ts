/**
 * How bytes travel between agents: paced reading and writing of libp2p 3 streams, frames with a required end, and one
 * message for one reply. Knows nothing of nodes, members or meaning.
 *
 * @example
 * ```ts
 * await serveOnce(stream, question, async (message) => await answer(message))
 * const reply = await exchangeOnce(stream, { question: 'who are you' }, answerSchema, { signal: AbortSignal.timeout(5_000) })
 * ```
 */
export { Conversation, serveAll } from './conversation.ts'
export { PeerRefused, StreamEndedEarly, StreamIdle } from './errors.ts'
export {
  type ExchangeOptions,
  encodeRefusal,
  encodeReply,
  exchangeOnce,
  MAX_MESSAGE_BYTES,
  openReply,
  serveOnce
} from './exchange.ts'
export {
  type FrameCodec,
  type FrameLimits,
  frameOf,
  plainFrames,
  readFrames,
  writeFrame,
  writeFrames
} from './frames.ts'
export * from './introductions.ts'
export { memoryPair } from './memory-pair.ts'
export { type Chunk, drained, readPaced, writeAll } from './pace.ts'
