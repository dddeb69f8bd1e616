import type { z } from 'zod'
import { DynamosError } from '../../protocol/errors/index.ts'
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
import { ReleaseNotGiven, Releases, type ReleasesComponents } from '../exchange/index.ts'
import type { Exchanges } from '../negotiation/index.ts'
import type { Network } from '../network/index.ts'

/** A question is two ids and a number; each answer may cost a look at the query and a signature. */
const LIMITS = { maxBytes: 1024, ratePerSecond: 10, burst: 40, timeoutMs: 10_000 }

type Own = Pick<ReleasesComponents, 'self' | 'speaker' | 'store' | 'clock' | 'log' | 'decisions'>

/** Last words about results, asked of others over the network. @param more.exchanges those that run here, once there are any */
export function openReleases(
  network: Network,
  own: Own,
  { exchanges, beforeRelease }: { exchanges: () => Exchanges } & Pick<ReleasesComponents, 'beforeRelease'>
): Releases {
  return new Releases({
    ...own,
    runningDossier: (contract) => exchanges().running(contract)?.dossier,
    logDecisions: async (contract) => await exchanges().byContract(contract)?.log.flush(),
    askRelease: async (peer, question, options) =>
      await network.ask(peer, RELEASE_PROTOCOL, question, releaseReply, options),
    askReleased: async (peer, question, options) =>
      await network.ask(peer, RELEASED_PROTOCOL, question, releasedReply, options),
    beforeRelease
  })
}

export type ReleaseAnswers = Pick<Releases, 'answer' | 'released'>

/** As much of the network as answers questions. */
export interface AskedOf {
  handle<T>(
    protocol: string,
    schema: z.ZodType<T>,
    handler: (message: T, caller: { peer: string; signal: AbortSignal }) => Promise<unknown>,
    limits: typeof LIMITS
  ): void
}

/** Answers those who ask this agent for releases. */
export function serveReleases(network: AskedOf, releases: Pick<Releases, 'answer' | 'released'>): void {
  network.handle(
    RELEASE_PROTOCOL,
    releaseQuestion,
    async (question: ReleaseQuestion, { peer, signal }) =>
      await unlessStopped(signal, async () => await releases.answer(question, peer)),
    LIMITS
  )
  network.handle(
    RELEASED_PROTOCOL,
    releasedQuestion,
    async (question: ReleasedQuestion, { peer, signal }) =>
      await unlessStopped(signal, async () => await releases.released(question, peer)),
    LIMITS
  )
}

/** What fails because the agent stops, or nobody waits any more, fails for that reason, and not as whatever it ran into. */
async function unlessStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (!signal.aborted) throw error
    if (signal.reason instanceof DynamosError) throw signal.reason
    throw new ReleaseNotGiven('cancelled', 'nobody waits for the answer any more')
  }
}
