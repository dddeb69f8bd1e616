import {
  assertSignedBy,
  decodeSigned,
  encodePlain,
  encodeSigned,
  type Flow,
  idOf,
  openDocument,
  type Refusal,
  type RefusalCode,
  type Signed
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
import type { HeldPart } from './ports.ts'

/** As what it is kept. */
const RELEASE = 'release'
const STEP = 'release'
const DAY = 86_400_000
const RECORD_LIFETIME = 3650 * DAY
/** How long a data provider is asked, which decides by its policy; never more than a quarter of what the exchange may take. */
const RELEASE_WITHIN_MS = 30_000
const FETCH_WITHIN_MS = 10_000
const AGAIN_AFTER_MS = 500

type Release = Signed<'release'>
type Digests = readonly Pick<HeldPart, 'digest'>[]

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
   * @throws {StoppedByPolicy} when one refuses; {ShareFailed} `peer-silent` when one does not answer in time
   */
  async obtain(
    dossier: Dossier,
    contract: string,
    flow: Flow,
    of: readonly string[],
    parts: Digests,
    signal: AbortSignal
  ): Promise<void> {
    const asked = whoseWord(dossier, contract, of)
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
    await Promise.all(asked.map(async (peer) => await this.#obtain(dossier, flow, question, peer, signal)))
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
    const asked = whoseWord(dossier, contract, of).filter((peer) => peer !== self.peer)
    if (asked.length === 0 || flow.from === flow.to) return
    const question = { contract, flow: flow.flow, result: await resultOf(parts) }
    const within = AbortSignal.any([signal, AbortSignal.timeout(FETCH_WITHIN_MS)])
    const { releases } = await this.#asking(
      flow.from,
      async (options) =>
        await this.#components.askReleased(flow.from, { contract, flow: flow.flow }, options),
      within,
      signal
    )
    const given = await Promise.all(
      releases.map(async (bytes) => await openDocument('release', bytes).catch(() => null))
    )
    for (const peer of asked) {
      const found = given.find(
        (one) => one !== null && one.payload.issuer === peer && isOf(one, dossier, flow, question)
      )
      if (found == null || found.payload.refused !== null)
        throw new ShareFailed(
          { hop: flow.from, code: 'release-missing', step: STEP, position: null },
          `expected the release of ${organisationOf(dossier, contract, peer)} for what came by flow ${flow.flow}, found none`
        )
      await this.#keep(found, clock.now())
    }
  }

  /** The releasing hop asks for this data provider's last word. @throws {ReleaseNotGiven} */
  async answer({ contract, flow: number, result }: ReleaseQuestion, from: string): Promise<ReleaseReply> {
    const dossier = this.#components.runningDossier(contract)
    const flow = dossier?.contract(contract).contract.payload.flows.find((one) => one.flow === number)
    if (dossier === undefined || flow === undefined || flow.from !== from)
      throw new ReleaseNotGiven(
        'flow-not-in-contract',
        'expected a flow of the asker, of what has started here'
      )
    await this.#components.beforeRelease?.(contract)
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
    signal: AbortSignal
  ): Promise<void> {
    const { self, clock } = this.#components
    if (peer === self.peer) {
      // Its policy was asked just now, about the flow.
      await this.#decided(dossier, flow, question, null)
      return
    }
    const { deadline } = dossier.contract(question.contract).contract.payload
    const limit = AbortSignal.timeout(Math.min(RELEASE_WITHIN_MS, Math.ceil(deadline / 4)))
    const release = await this.#asking(
      peer,
      async (options) => {
        const reply = await this.#components.askRelease(peer, question, options)
        const found = await openDocument('release', reply.release)
        if (found.payload.issuer !== peer || !isOf(found, dossier, flow, question))
          throw new ReleaseNotGiven('release-missing', 'the answer is about another result')
        return found
      },
      AbortSignal.any([signal, limit]),
      signal
    )
    const { refused } = release.payload
    if (refused !== null) {
      const reason = `${organisationOf(dossier, question.contract, peer)} refused to release the result`
      const refusal = { code: refused, clause: null, reason, acceptable: null, position: null }
      throw new StoppedByPolicy({ refusal, hop: peer })
    }
    await this.#keep(release, clock.now())
  }

  /** Asks until there is an answer or no time left. @throws {ShareFailed} `peer-silent`, or what `stop` was aborted with */
  async #asking<T>(
    peer: string,
    ask: (options: { signal: AbortSignal }) => Promise<T>,
    within: AbortSignal,
    stop: AbortSignal
  ): Promise<T> {
    const { log } = this.#components
    for (;;) {
      try {
        within.throwIfAborted()
        return await ask({ signal: within })
      } catch (error) {
        stop.throwIfAborted()
        if (within.aborted)
          throw new ShareFailed(
            { hop: peer, code: 'peer-silent', step: STEP, position: null },
            `expected an answer of ${peer} about a release in time, found none`,
            { cause: error }
          )
        log.debug({ peer, code: codeOf(error) }, 'a release is asked for again')
        await this.#pause(within)
      }
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

  async #keep(release: Release, receivedAt: number): Promise<void> {
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

/** The id of a result: of the list of the digests of its parts, in their order. */
export async function resultOf(parts: Digests): Promise<string> {
  return await idOf(encodePlain(parts.map(({ digest }) => digest)))
}

/** Agents whose last word a flow waits for. @param of organisations whose rows are in it */
function whoseWord(dossier: Dossier, contract: string, of: readonly string[]): string[] {
  const { contract: signed, acceptances } = dossier.contract(contract)
  return signed.payload.parties
    .filter(({ roles, organisation }) => roles.includes('data') && of.includes(organisation))
    .filter(({ peer }) => acceptances.get(peer)?.payload.resultTerms?.releaseAsk === true)
    .map(({ peer }) => peer)
}

/** Whether a document is about this very result, and signed by the data provider whose it says it is. */
function isOf(release: Release, dossier: Dossier, flow: Flow, asked: ReleaseQuestion): boolean {
  const { payload } = release
  const { contract } = dossier.contract(asked.contract)
  try {
    assertSignedBy(release, payload.issuer)
  } catch {
    return false
  }
  return (
    payload.contract === asked.contract &&
    payload.request === dossier.request.id &&
    payload.marketplace === contract.payload.marketplace &&
    payload.flow === flow.flow &&
    payload.to === flow.to &&
    payload.result === asked.result &&
    payload.organisation === organisationOf(dossier, asked.contract, payload.issuer)
  )
}

function organisationOf(dossier: Dossier, contract: string, peer: string): string {
  const { parties } = dossier.contract(contract).contract.payload
  return parties.find((party) => party.peer === peer)?.organisation ?? peer
}

/** Whose rule it is, and what the agreement says, is for its parties. */
function toldCode(code: RefusalCode): RefusalCode {
  return code === 'policy-forbids' ? 'release-refused' : code
}
