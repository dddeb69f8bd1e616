import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Flow, Refusal, Section, Verification } from '../../protocol/documents/index.ts'
import { toError } from '../../protocol/errors/index.ts'
import {
  type Dossier,
  ShareFailed,
  type ShareGate,
  type ShareRunner,
  StoppedByPolicy
} from '../negotiation/index.ts'
import { shareFailed } from './blame.ts'
import { type DataSection, runDataShare } from './data-share.ts'
import type { HeldPart } from './held-part.ts'
import { type InfrastructureSection, runInfrastructureShare } from './infrastructure-share.ts'
import { noteJobs } from './noting.ts'
import type { FlowQuestion, ShareComponents } from './ports.ts'
import type { ReceiptBody } from './receipts.ts'
import { type RecipientSection, runRecipientShare } from './recipient-share.ts'
import { VerificationDiffers } from './verifying.ts'

/** Carries out this agent's shares of contracts: the jobs and the flows between them. */
export class Shares implements ShareRunner {
  readonly #components: ShareComponents
  readonly #receipts = new Map<string, ReceiptBody[]>()
  readonly #differing = new Map<string, Verification>()

  constructor(components: ShareComponents) {
    this.#components = components
  }

  async run(dossier: Dossier, contract: string, signal: AbortSignal, gate: ShareGate): Promise<void> {
    const { deadline } = dossier.contract(contract).contract.payload
    const bounded = AbortSignal.any([signal, AbortSignal.timeout(deadline)])
    const { self, clock } = this.#components
    const bounds = { signal: bounded, endsAt: clock.now() + deadline }
    const share = new Share(this.#components, dossier, contract, bounds, gate)
    try {
      const receipts = await share.run()
      noteJobs(dossier, contract, self.peer, { receipts }, clock)
      this.#receipts.set(contract, receipts)
    } catch (error) {
      const late = bounded.aborted && !signal.aborted
      // What the deadline cut off is late, whatever it was doing. A job or a flow only says that it was cut off; the reason is
      // whoever's who stopped the share.
      const failed = share.failed(
        late
          ? new DOMException('the deadline passed', 'TimeoutError')
          : signal.aborted
            ? signal.reason
            : error
      )
      noteJobs(dossier, contract, self.peer, { code: failed.failure.code }, clock)
      if (failed instanceof VerificationDiffers) this.#differing.set(contract, failed.verification)
      throw failed
    }
  }

  receipts(contract: string): ReceiptBody[] {
    return this.#receipts.get(contract) ?? []
  }

  differing(contract: string): Verification | undefined {
    return this.#differing.get(contract)
  }

  async clear(): Promise<void> {
    await this.#components.flows.clear()
    await rm(this.#components.outbox, { recursive: true, force: true })
  }

  async forget(contract: string): Promise<void> {
    this.#receipts.delete(contract)
    this.#differing.delete(contract)
    await this.#components.flows.forget(contract)
    await rm(join(this.#components.outbox, contract), { recursive: true, force: true })
  }
}

class Share {
  readonly #components: ShareComponents
  readonly #dossier: Dossier
  readonly #contract: string
  readonly #signal: AbortSignal
  readonly #gate: ShareGate
  readonly #endsAt: number
  /** What this agent hands to itself in another role. */
  readonly #local = new Map<number, PromiseWithResolvers<HeldPart[]>>()
  #step: string | null = null

  constructor(
    components: ShareComponents,
    dossier: Dossier,
    contract: string,
    { signal, endsAt }: { signal: AbortSignal; endsAt: number },
    gate: ShareGate
  ) {
    this.#endsAt = endsAt
    this.#gate = gate
    this.#components = components
    this.#dossier = dossier
    this.#contract = contract
    this.#signal = signal
  }

  failed(error: unknown): ShareFailed {
    return shareFailed(error, this.#components.self.peer, this.#step)
  }

  /** All roles of this agent, beside each other. The first failure stops the others. */
  async run(): Promise<ReceiptBody[]> {
    const sections = this.#dossier.mine(this.#contract)
    for (const flow of this.#flows()) {
      if (flow.from === flow.to) {
        const handover = Promise.withResolvers<HeldPart[]>()
        handover.promise.catch(() => undefined)
        this.#local.set(flow.flow, handover)
      }
    }
    await mkdir(join(this.#components.outbox, this.#contract), { recursive: true, mode: 0o700 })
    const stop = new AbortController()
    const signal = AbortSignal.any([this.#signal, stop.signal])
    const shares = sections.map(async (section) => {
      try {
        return await this.#role(section, signal)
      } catch (error) {
        for (const handover of this.#local.values()) handover.reject(error)
        stop.abort(toError(error))
        throw error
      }
    })
    const settled = await Promise.allSettled(shares)
    const failures = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    if (failures.length > 0) throw failures.find((one) => one instanceof ShareFailed) ?? failures[0]
    return settled.flatMap((one) => (one.status === 'fulfilled' ? one.value : []))
  }

  async #role(section: Section, signal: AbortSignal): Promise<ReceiptBody[]> {
    switch (section.as) {
      case 'data':
        return await this.#data(section, signal)
      case 'infrastructure':
        return await this.#infrastructure(section, signal)
      case 'recipient':
        return await this.#recipient(section, signal)
    }
  }

  async #data(section: DataSection, signal: AbortSignal): Promise<ReceiptBody[]> {
    this.#step = 'query'
    const { self } = this.#components
    // More than one where the same rows go to somebody else too, who runs the next steps again.
    const outgoing = this.#flows().filter((one) => one.from === self.peer)
    const [flow] = outgoing
    if (flow === undefined) throw new Error('the contract has no flow out of this data provider')
    const { parts, receipts } = await runDataShare(
      this.#components,
      this.#dossier,
      this.#contract,
      section,
      flow,
      signal
    )
    await Promise.all(outgoing.map(async (one) => await this.#send(one, parts, [self.organisation], signal)))
    return receipts
  }

  async #infrastructure(section: InfrastructureSection, signal: AbortSignal): Promise<ReceiptBody[]> {
    const { self } = this.#components
    const arrived = await this.#arrived(
      section.inputs.map((input) => input.flow),
      signal
    )
    this.#step = 'algorithm'
    const outgoing = this.#flows().filter((one) => one.from === self.peer)
    const { outputs, receipts } = await runInfrastructureShare(
      this.#components,
      this.#dossier,
      this.#contract,
      section,
      arrived,
      outgoing,
      signal
    )
    const all = section.inputs.flatMap((input) => input.organisations)
    for (const [index, { flow, parts }] of outputs.entries()) {
      const of = section.union ? all : (section.inputs[index]?.organisations ?? all)
      await this.#send(flow, parts, of, signal)
    }
    return receipts
  }

  async #recipient(section: RecipientSection, signal: AbortSignal): Promise<ReceiptBody[]> {
    const inputs = [...section.inputs, ...(section.again ?? [])]
    const arrived = await this.#arrived(
      inputs.map((input) => input.flow),
      signal
    )
    for (const { flow: number, organisations } of inputs) {
      const flow = this.#flows().find((one) => one.flow === number)
      const parts = arrived.get(number)
      if (flow !== undefined && parts !== undefined)
        await this.#components.releases.verify(
          this.#dossier,
          this.#contract,
          flow,
          organisations,
          parts,
          signal
        )
    }
    this.#step = 'convert'
    try {
      return await runRecipientShare(
        this.#components,
        this.#dossier,
        this.#contract,
        section,
        arrived,
        signal
      )
    } catch (error) {
      // All of the results are kept or nothing of them: the disk may be full half-way.
      await this.#components.results.discard(this.#dossier.request.id).catch(() => undefined)
      throw error
    }
  }

  async #arrived(flows: readonly number[], signal: AbortSignal): Promise<Map<number, HeldPart[]>> {
    const known = this.#flows()
    const arriving = flows.map(async (number): Promise<[number, HeldPart[]]> => {
      const handover = this.#local.get(number)
      if (handover !== undefined) return [number, await handover.promise]
      const flow = known.find((one) => one.flow === number)
      if (flow === undefined) throw new Error(`the contract has no flow ${number}`)
      return [number, await this.#components.flows.receive(this.#dossier, this.#contract, flow, signal)]
    })
    return new Map(await Promise.all(arriving))
  }

  /** @param of organisations whose rows are in it */
  async #send(flow: Flow, parts: HeldPart[], of: readonly string[], signal: AbortSignal): Promise<void> {
    const { decisions, flows, releases } = this.#components
    const release = async (): Promise<void> =>
      await releases.obtain(this.#dossier, this.#contract, flow, of, parts, {
        signal,
        endsAt: this.#endsAt
      })
    const delivers = this.#delivers(flow)
    const rows = parts.reduce((sum, part) => sum + part.rows, 0)
    const handover = this.#local.get(flow.flow)
    if (handover !== undefined) {
      if (delivers) await release()
      handover.resolve(parts)
      return
    }
    const questions: FlowQuestion[] = delivers ? ['send', 'release'] : ['send']
    for (const question of questions) {
      await this.#assertPermitted(await decisions.flow(question, this.#dossier, this.#contract, flow, rows))
    }
    if (delivers) await release()
    await this.#gate.leaving()
    await flows.send(this.#dossier, this.#contract, flow, parts, signal, this.#gate.mayContinue)
  }

  async #assertPermitted(refusal: Refusal | null): Promise<void> {
    if (refusal === null) return
    const hop = this.#components.self.peer
    // It is about what was made, not about who may have it.
    if (refusal.code === 'output-limit')
      throw new ShareFailed({ hop, code: refusal.code, step: this.#step, position: null }, refusal.reason)
    // Says whose standing it is about, when it is somebody's.
    await this.#gate.mayContinue()
    throw new StoppedByPolicy({ refusal, hop })
  }

  #flows(): readonly Flow[] {
    return this.#dossier.contract(this.#contract).contract.payload.flows
  }

  #delivers(flow: Flow): boolean {
    const { parties } = this.#dossier.contract(this.#contract).contract.payload
    return parties.some((party) => party.peer === flow.to && party.roles.includes('recipient'))
  }
}
