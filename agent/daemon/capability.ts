import type { Isolation, Payload, Signed } from '../../protocol/documents/index.ts'
import type { Manifests } from '../../services/index.ts'
import type { AgentConfig } from '../config/index.ts'
import type { Datasets } from '../datasets/index.ts'
import type { Disclosure } from '../decisions/index.ts'
import type { Body, Speaker } from '../negotiation/index.ts'
import type { Store } from '../store/index.ts'

const LIFETIME_MS = 3_600_000
/** Signed anew when less than this is left. */
const RENEW_BEFORE_MS = 900_000
const KEEP_FOR_MS = 600_000

export interface CapabilityComponents {
  config: AgentConfig
  version: string
  sandbox: 'bubblewrap' | 'none'
  isolation: Readonly<Isolation>
  datasets: Datasets
  disclosure: Pick<Disclosure, 'visibleTo'>
  manifests: Manifests
  archetypes: readonly string[]
  speaker: Speaker
  store: Store
  clock: { now(): number }
  load(): number
}

/** This agent's own description, per audience: another content gets another sequence number. */
export class CapabilityPublisher {
  readonly #components: CapabilityComponents
  /** By the datasets in it. What is asked for twice at once is signed once. */
  readonly #signed = new Map<string, { document: Promise<Signed<'capability'>>; renewAt: number }>()

  constructor(components: CapabilityComponents) {
    this.#components = components
  }

  /** What changed is told under a new sequence number from now on. */
  changed(): void {
    this.#signed.clear()
  }

  async for(audience?: string): Promise<Signed<'capability'>> {
    const { datasets, disclosure, clock } = this.#components
    const descriptions = datasets.descriptions().filter((one) => disclosure.visibleTo(one.id, audience))
    const key = descriptions.map((one) => one.id).join('\n')
    const held = this.#signed.get(key)
    if (held !== undefined && clock.now() < held.renewAt) return await held.document
    const document = this.#sign(descriptions)
    this.#signed.set(key, { document, renewAt: clock.now() + LIFETIME_MS - RENEW_BEFORE_MS })
    document.catch(() => {
      if (this.#signed.get(key)?.document === document) this.#signed.delete(key)
    })
    return await document
  }

  async #sign(datasets: Payload<'capability'>['datasets']): Promise<Signed<'capability'>> {
    const { speaker, store } = this.#components
    const sequence = await store.settings.next('capability')
    return await speaker.sign('capability', { ...this.#body(sequence), datasets }, LIFETIME_MS)
  }

  #body(sequence: number): Omit<Body<'capability'>, 'datasets'> {
    const { config, version, sandbox, isolation, manifests, archetypes, speaker, load } = this.#components
    const hosting: Pick<Partial<Payload<'capability'>>, 'hosting'> = config.roles.includes('computeProvider')
      ? { hosting: config.hosting }
      : {}
    return {
      sequence,
      organisation: speaker.organisation,
      agent: `dynamos-agent/${version}`,
      roles: config.roles,
      services: [...manifests.services.keys()],
      algorithms: [...manifests.algorithms.keys()],
      archetypes: [...archetypes],
      resources: config.resources,
      ...hosting,
      sandbox,
      isolation: [...isolation],
      load: load(),
      keepFor: KEEP_FOR_MS
    }
  }
}
