import type { Stream } from '@libp2p/interface'
import { Conversation } from '../../protocol/streams/index.ts'

/** Half of what the answering end allows, so that no question is put to a stream that is just being closed. */
const IDLE_MS = 30_000
const MAX_IDLE = 4

interface Idle {
  readonly conversation: Conversation
  readonly timer: NodeJS.Timeout
}

/** Streams that are kept between questions, a few for each peer and protocol. */
export class Conversations {
  readonly #open: (peer: string, protocol: string, signal: AbortSignal) => Promise<Stream>
  readonly #idle = new Map<string, Map<string, Idle[]>>()

  constructor(open: (peer: string, protocol: string, signal: AbortSignal) => Promise<Stream>) {
    this.#open = open
  }

  /** A conversation that nobody else uses; give it back. */
  async take(peer: string, protocol: string, signal: AbortSignal): Promise<Conversation> {
    const idle = this.#idle.get(peer)?.get(protocol) ?? []
    for (let one = idle.pop(); one !== undefined; one = idle.pop()) {
      clearTimeout(one.timer)
      if (one.conversation.usable) return one.conversation
    }
    return new Conversation(await this.#open(peer, protocol, signal))
  }

  give(peer: string, protocol: string, conversation: Conversation): void {
    if (!conversation.usable) return
    const ofPeer = this.#idle.get(peer) ?? new Map<string, Idle[]>()
    const idle = ofPeer.get(protocol) ?? []
    if (idle.length >= MAX_IDLE) {
      conversation.close()
      return
    }
    const timer = setTimeout(() => {
      const index = idle.findIndex((one) => one.conversation === conversation)
      if (index >= 0) idle.splice(index, 1)
      conversation.close()
    }, IDLE_MS)
    timer.unref()
    idle.push({ conversation, timer })
    ofPeer.set(protocol, idle)
    this.#idle.set(peer, ofPeer)
  }

  /** The peer is gone, and its streams with it. */
  gone(peer: string): void {
    for (const { timer, conversation } of [...(this.#idle.get(peer)?.values() ?? [])].flat()) {
      clearTimeout(timer)
      conversation.close()
    }
    this.#idle.delete(peer)
  }

  stop(): void {
    for (const peer of [...this.#idle.keys()]) this.gone(peer)
  }
}
