import {
  decodeSigned,
  encodeSigned,
  type Flow,
  openDocument,
  type Refusal
} from '../../protocol/documents/index.ts'
import { codeOf, DynamosError } from '../../protocol/errors/index.ts'
import type {
  ReleasedQuestion,
  ReleasedReply,
  ReleaseQuestion,
  ReleaseReply
} from '../../protocol/messages/index.ts'
import { append } from '../audit/index.ts'
import {
  type Clock,
  type Dossier,
  type Logger,
  ShareFailed,
  type Speaker,
  StoppedByPolicy
} from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'
import {
  type Digests,
  isAbout,
  organisationOf,
  type Release,
  resultOf,
  suffices,
  toldCode,
  whoseWord
} from './released.ts'

/** As what it is kept. */
const RELEASE = 'release'
const STEP = 'release'
const DAY = 86_400_000
const RECORD_LIFETIME = 3650 * DAY
/** How long a data provider is asked, which decides by its policy; never more than half of what is left then of the exchange. */
const RELEASE_WITHIN_MS = 30_000
const FETCH_WITHIN_MS = 10_000
const AGAIN_AFTER_MS = 500
/** A data provider that answers so will not give it, however often it is asked. */
const FINAL: readonly string[] = ['release-refused', 'contract-invalid']

export interface ReleasesComponents {
  self: { peer: string }
  speaker: Speaker
  store: Store
  clock: Clock
  log: Logger
  /** What policy says of a result that another party made. */
  decisions: { lastWord(dossier: Dossier, contract: string): Promise<Refusal | null> }
  /** The documents of a contract that has started here, and is not over. */
  runningDossier(contract: string): Dossier | undefined
  /** Writes to the log what was decided. */
  logDecisions(contract: string): Promise<void>
  askRelease(peer: string, question: ReleaseQuestion, options: { signal: AbortSignal }): Promise<ReleaseReply>
  askReleased(
    peer: string,
    question: ReleasedQuestion,
    options: { signal: AbortSignal }
  ): Promise<ReleasedReply>
  /** Awaited before a question is answered; a test holds it there. */
  beforeRelease?: ((contract: string) => Promise<void>) | undefined
}

/** A question that has no answer here; the code is told. */
export class ReleaseNotGiven extends DynamosError {
  static override readonly name = 'ReleaseNotGiven'
}

/**
 * Last words of data providers about results. Whoever would send one to its recipient gets that of each data provider whose
 * acceptance says `releaseAsk`, before anything leaves; the recipient sees them before it keeps anything. A release is of one
 * content, out of one flow of one contract, to one recipient.
 */
export class Releases {
  readonly #components: ReleasesComponents
  /** One at a time for each flow, so that no two different ones are signed. */
  readonly #deciding = new Map<string, Promise<Release>>()

  constructor(components: ReleasesComponents) {
    this.#components = components
  }

  /**
   * Resolves when every one of those data providers has released what is about to leave by a flow.
   *
   * @param of organisations whose rows are in it
   * @param endsAt when the exchange runs out of time
   * @throws {StoppedByPolicy} when one refuses; {ShareFailed} of the one whose it is: `peer-silent` when it does not answer in
   * time, `release-missing` when it gives something else
   */
  async obtain(
    dossier: Dossier,
    contract: string,
    flow: Flow,
    of: readonly string[],
    parts: Digests,
    { signal, endsAt }: { signal: AbortSignal; endsAt: number }
  ): Promise<void> {
    const held = dossier.contract(contract)
    const asked = whoseWord(held.contract, held.acceptances, of)
    if (asked.length === 0) return
    if (flow.from === flow.to) {
      if (asked.every((peer) => peer === this.#components.self.peer)) return
      const reason = 'whoever computes the result receives it, so that nobody could hold it back'
      const refusal = { clause: null, reason, acceptable: null, position: null }
      throw new StoppedByPolicy({
        refusal: { ...refusal, code: 'clause-not-enforceable' },
        hop: this.#components.self.peer
      })
    }
    const question = { contract, flow: flow.flow, result: await resultOf(parts) }
    const left = Math.max(0, endsAt - this.#components.clock.now())
    const within = Math.min(RELEASE_WITHIN_MS, Math.floor(left / 2))
    await Promise.all(
      asked.map(async (peer) => await this.#obtain(dossier, flow, question, peer, within, signal))
    )
  }

  /**
   * Whether what came by a flow is what those data providers released.
   *
   * @throws {ShareFailed} `release-missing`, of whoever sent it
   */
  async verify(
    dossier: Dossier,
    contract: string,
    flow: Flow,
    of: readonly string[],
    parts: Digests,
    signal: AbortSignal
  ): Promise<void> {
    const { self, clock } = this.#components
    const held = dossier.contract(contract)
    const asked = whoseWord(held.contract, held.acceptances, of).filter((peer) => peer !== self.peer)
    if (asked.length === 0 || flow.from === flow.to) return
    const outgoing = { contract: held.contract, flow, result: await resultOf(parts) }
    const { releases } = await this.#asking(
      flow.from,
      async (options) =>
        await this.#components.askReleased(flow.from, { contract, flow: flow.flow }, options),
      FETCH_WITHIN_MS,
      signal
    )
    const given = await Promise.all(
      releases.map(async (bytes) => await openDocument('release', bytes).catch(() => null))
    )
    const verdict = suffices(
      outgoing,
      asked,
      given.filter((one) => one !== null)
    )
    if ('missing' in verdict)
      throw missing(
        flow.from,
        `expected the release of ${organisationOf(held.contract, verdict.missing)} for what came by flow ${flow.flow}, found none`
      )
    for (const release of verdict.releases) await this.#keep(dossier, release, clock.now())
  }

  /** The releasing hop asks for this data provider's last word. @throws {ReleaseNotGiven} */
  async answer({ contract, flow: number, result }: ReleaseQuestion, from: string): Promise<ReleaseReply> {
    await this.#components.beforeRelease?.(contract)
    const dossier = this.#components.runningDossier(contract)
    const flow = dossier?.contract(contract).contract.payload.flows.find((one) => one.flow === number)
    if (dossier === undefined || flow === undefined || flow.from !== from)
      throw new ReleaseNotGiven(
        'flow-not-in-contract',
        'expected a flow of the asker, of what has started here'
      )
    const release = await this.#decided(dossier, flow, { contract, flow: number, result })
    return { release: release.bytes }
  }

  /** The recipient of a flow of this agent's asks for what was released of it. @throws {ReleaseNotGiven} */
  async released({ contract, flow: number }: ReleasedQuestion, from: string): Promise<ReleasedReply> {
    const dossier = this.#components.runningDossier(contract)
    const flow = dossier?.contract(contract).contract.payload.flows.find((one) => one.flow === number)
    const { self } = this.#components
    if (dossier === undefined || flow === undefined || flow.from !== self.peer || flow.to !== from)
      throw new ReleaseNotGiven(
        'flow-not-in-contract',
        'expected a flow to the asker, of what has started here'
      )
    const kept = await this.#kept(dossier)
    const ofFlow = kept.filter(({ payload }) => payload.contract === contract && payload.flow === number)
    return { releases: ofFlow.map((one) => one.bytes) }
  }

  async #obtain(
    dossier: Dossier,
    flow: Flow,
    question: ReleaseQuestion,
    peer: string,
    within: number,
    signal: AbortSignal
  ): Promise<void> {
    const { self, clock } = this.#components
    if (peer === self.peer) {
      // Its policy was asked just now, about the flow.
      await this.#decided(dossier, flow, question, null)
      return
    }
    const { contract } = dossier.contract(question.contract)
    const organisation = organisationOf(contract, peer)
    const reply = await this.#asking(
      peer,
      async (options) => await this.#components.askRelease(peer, question, options),
      within,
      signal
    )
    const release = await openDocument('release', reply.release).catch(() => null)
    if (release === null || !isAbout(release, peer, { contract, flow, result: question.result }))
      throw missing(
        peer,
        `expected the release of ${organisation} for flow ${flow.flow}, found something else`
      )
    const { refused } = release.payload
    if (refused !== null) dossier.positions.hear(release, clock.now())
    if (refused !== null) {
      const reason = `${organisation} refused to release the result`
      const refusal = { code: refused, clause: null, reason, acceptable: null, position: null }
      throw new StoppedByPolicy({ refusal, hop: peer })
    }
    await this.#keep(dossier, release, clock.now())
  }

  /**
   * Asks until there is an answer or no time left.
   *
   * @throws {ShareFailed} `peer-silent`, or `release-missing` where no asking will help; what `stop` was aborted with
   */
  async #asking<T>(
    peer: string,
    ask: (options: { signal: AbortSignal }) => Promise<T>,
    milliseconds: number,
    stop: AbortSignal
  ): Promise<T> {
    const { log, clock } = this.#components
    const late = new AbortController()
    const cancel = clock.after(milliseconds, () => late.abort())
    const within = AbortSignal.any([stop, late.signal])
    try {
      for (;;) {
        try {
          within.throwIfAborted()
          return await ask({ signal: within })
        } catch (error) {
          stop.throwIfAborted()
          if (late.signal.aborted)
            throw new ShareFailed(
              { hop: peer, code: 'peer-silent', step: STEP, position: null },
              `expected an answer of ${peer} about a release in time, found none`,
              { cause: error }
            )
          const code = codeOf(error)
          if (FINAL.includes(code)) throw missing(peer, `expected a release of ${peer}, found ${code}`, error)
          log.debug({ peer, code }, 'a release is asked for again')
          await this.#pause(within)
        }
      }
    } finally {
      cancel()
    }
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>()
    const cancel = this.#components.clock.after(AGAIN_AFTER_MS, resolve)
    const wake = (): void => resolve()
    signal.addEventListener('abort', wake, { once: true })
    await promise
    cancel()
    signal.removeEventListener('abort', wake)
  }

  /** This agent's own, the one there is or a new one. @param refusal what policy said, where it was asked already */
  async #decided(
    dossier: Dossier,
    flow: Flow,
    question: ReleaseQuestion,
    refusal?: Refusal | null
  ): Promise<Release> {
    const key = `${question.contract}/${flow.flow}`
    const before = this.#deciding.get(key)
    const deciding = (async () => {
      await before?.catch(() => undefined)
      return await this.#sign(dossier, flow, question, refusal)
    })()
    this.#deciding.set(key, deciding)
    try {
      return await deciding
    } finally {
      if (this.#deciding.get(key) === deciding) this.#deciding.delete(key)
    }
  }

  async #sign(
    dossier: Dossier,
    flow: Flow,
    { contract, result }: ReleaseQuestion,
    asked: Refusal | null | undefined
  ): Promise<Release> {
    const { self, speaker, store, clock, decisions } = this.#components
    const request = dossier.request.id
    const earlier = (await this.#kept(dossier)).find(
      ({ payload }) =>
        payload.issuer === self.peer && payload.contract === contract && payload.flow === flow.flow
    )
    if (earlier !== undefined) {
      if (earlier.payload.result === result) return earlier
      throw new ReleaseNotGiven(
        'release-refused',
        'expected the result of this flow that was asked about before'
      )
    }
    const own = dossier.contract(contract).acceptances.get(self.peer)?.payload.resultTerms?.releaseAsk
    if (own !== true)
      throw new ReleaseNotGiven('contract-invalid', 'nobody here wants the last word about it')
    const refusal = asked === undefined ? await decisions.lastWord(dossier, contract) : asked
    const refused = refusal === null ? null : toldCode(refusal.code)
    const release = await store.transaction(async (tx) => {
      const time = clock.now()
      const fields = { flow: flow.flow, result, code: refusal?.code ?? null }
      const log = await append(tx, { time, kind: 'release', request, contract, fields })
      const { organisation } = speaker
      const body = { contract, request, organisation, flow: flow.flow, to: flow.to, result, refused, log }
      const signed = await speaker.sign('release', body, RECORD_LIFETIME)
      await tx.documents.put({
        id: signed.id,
        type: RELEASE,
        request,
        bytes: encodeSigned(signed),
        receivedAt: time
      })
      return signed
    })
    await this.#components.logDecisions(contract)
    return release
  }

  async #keep(dossier: Dossier, release: Release, receivedAt: number): Promise<void> {
    // Written with the next step of the exchange.
    dossier.positions.hear(release, receivedAt)
    const { request } = release.payload
    const bytes = encodeSigned(release)
    await this.#components.store.documents.put({ id: release.id, type: RELEASE, request, bytes, receivedAt })
  }

  async #kept(dossier: Dossier): Promise<Release[]> {
    const stored = await this.#components.store.documents.ofRequest(dossier.request.id)
    return await Promise.all(
      stored
        .filter(({ type }) => type === RELEASE)
        .map(async ({ bytes }) => await decodeSigned('release', bytes))
    )
  }
}

/** @param hop who should have had it, and is blamed */
function missing(hop: string, message: string, cause?: unknown): ShareFailed {
  return new ShareFailed({ hop, code: 'release-missing', step: STEP, position: null }, message, { cause })
}
