import type { Flow, Payload, User } from '../../protocol/documents/index.ts'

/** A name of a table or column as a query uses it, after its SQL was inspected. */
export interface TableUse {
  table: string
  columns: readonly string[]
}

export interface Place {
  /** Organisation. */
  at: string
  sandbox: 'bubblewrap' | 'none'
}

/** Other requests by this requester for this dataset, within the window of one agreement; the present one is not counted. */
export interface WindowCount {
  count: number
  /** When the oldest of them leaves the window, if that is known. */
  freesAt: number | null
}

/** How it stands with the approval of one request under one agreement. */
export interface Approval {
  /** `missing`: nobody was asked. `pending`: somebody was, and has time left. */
  state: 'missing' | 'pending' | 'approved' | 'refused' | 'expired'
  /** What was said with a refusal. */
  reason: string | null
}

const MISSING: Approval = { state: 'missing', reason: null }

export function approvalUnder(approvals: Readonly<Record<string, Approval>>, agreement: string): Approval {
  return (Object.hasOwn(approvals, agreement) ? approvals[agreement] : undefined) ?? MISSING
}

export type ProviderQuestion = 'discover' | 'offer' | 'accept' | 'start' | 'send' | 'continue' | 'release'

/**
 * What a data provider knows when it is asked. `null` means: not known at this stage, which only `discover` and `offer` may
 * say; at every later question it is a denial, and so is anything undefined.
 */
export interface ProviderFacts {
  question: ProviderQuestion
  /** Instant in milliseconds. */
  now: number
  /** The provider that decides. */
  organisation: string
  requester: User
  purpose: string
  archetype: string
  /** Organisation that would compute; null: the provider itself. */
  infrastructure: string | null
  /** Organisation that would compute the same again, so that the recipient can compare; left out: nobody. */
  verifier?: string
  /** Organisations that would get the result. */
  recipients: readonly string[]
  /** The one that is decided about. */
  dataset: string
  /** All that the request names; left out: this one. */
  datasets?: readonly string[]
  /** Of this dataset; null before the query was inspected. */
  uses: readonly TableUse[] | null
  /** Services of the chain at this hop and after it; null before there is a chain. */
  services: readonly string[] | null
  algorithm: string
  /** By id of agreement; needed where an agreement has `limits`. */
  requestsInWindow: Readonly<Record<string, WindowCount>>
  /** By id of agreement, where one has `approval`; null or left out before everything else is decided. */
  approvals?: Readonly<Record<string, Approval>> | null
  /** Every place this data goes to, the provider itself included; null before they are known. */
  sandboxes: readonly Place[] | null
  /**
   * Organisations that would read pseudonyms of this data and hold data in the same exchange, so that they have a share of the
   * key and can try values against it. Left out where nothing is pseudonymised.
   */
  pseudonymsOpenTo?: readonly string[]
}

/** The facts of `discover`: who asks about which dataset; nothing else is known then. */
export function discoveryFacts(
  facts: Pick<ProviderFacts, 'now' | 'organisation' | 'requester' | 'dataset'>
): ProviderFacts {
  return {
    ...facts,
    question: 'discover',
    purpose: '',
    archetype: '',
    infrastructure: null,
    recipients: [],
    uses: null,
    services: null,
    algorithm: '',
    requestsInWindow: {},
    sandboxes: null
  }
}

/** What every party that is not a data provider knows of a request. */
interface SharedFacts {
  now: number
  /** The organisation that decides. */
  organisation: string
  requester: User
  purpose: string
  archetype: string
  algorithm: string
  datasets: readonly string[]
  /** Organisations whose data it is. */
  dataProviders: readonly string[]
  /** The compute provider, when the archetype has one. */
  infrastructure: string | null
  /** Who would compute the same again; left out: nobody. */
  verifier?: string
  recipients: readonly string[]
}

export interface HostFacts extends SharedFacts {
  question: 'host' | 'accept' | 'start' | 'continue'
}

export interface RecipientFacts extends SharedFacts {
  question: 'accept' | 'start' | 'continue' | 'receive'
  /** This agent submitted the request itself. */
  asked: boolean
  /** Somebody here agreed to take it although another asked. */
  consents: boolean
}

/** A flow of a contract as it is opened, at either end. */
export interface FlowFacts {
  question: 'send' | 'receive' | 'release'
  now: number
  /** Peer id of the end that decides. */
  self: string
  /** A contract that this agent verified itself. */
  contract: { readonly id: string; readonly payload: Payload<'contract'> }
  flow: Flow
  /** null until they are counted; a limit of rows then binds in the job that makes them. */
  rows: number | null
}

/** Organisations that would compute over the data of others. */
export function computing({
  infrastructure,
  verifier
}: Pick<SharedFacts, 'infrastructure' | 'verifier'>): string[] {
  return [infrastructure, verifier].flatMap((one) => one ?? [])
}
