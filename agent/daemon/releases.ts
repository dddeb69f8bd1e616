import {
  RELEASE_PROTOCOL,
  RELEASED_PROTOCOL,
  type ReleasedQuestion,
  type ReleaseQuestion,
  releasedQuestion,
  releasedReply,
  releaseQuestion,
  releaseReply
} from '../../protocol/messages/index.ts'
import type { Releases, ReleasesComponents } from '../exchange/index.ts'
import type { Network } from '../network/index.ts'

/** A question is two ids and a number; each answer may cost a look at the query and a signature. */
const LIMITS = { maxBytes: 1024, ratePerSecond: 10, burst: 40, timeoutMs: 10_000 }

/** How this agent asks others for releases. */
export function askForReleases(network: Network): Pick<ReleasesComponents, 'askRelease' | 'askReleased'> {
  return {
    askRelease: async (peer, question, options) =>
      await network.ask(peer, RELEASE_PROTOCOL, question, releaseReply, options),
    askReleased: async (peer, question, options) =>
      await network.ask(peer, RELEASED_PROTOCOL, question, releasedReply, options)
  }
}

/** Answers those who ask this agent for releases. */
export function serveReleases(network: Network, releases: Releases): void {
  network.handle(
    RELEASE_PROTOCOL,
    releaseQuestion,
    async (question: ReleaseQuestion, { peer }) => await releases.answer(question, peer),
    LIMITS
  )
  network.handle(
    RELEASED_PROTOCOL,
    releasedQuestion,
    async (question: ReleasedQuestion, { peer }) => await releases.released(question, peer),
    LIMITS
  )
}
