import type { FlowFacts, HostFacts, ProviderFacts, RecipientFacts } from './facts.ts'

type Test = (value: unknown) => boolean
/** One test for each fact: a fact without a test does not compile. */
type Tests<T> = { readonly [Name in keyof T]-?: Test }

/** The year 9999 is the last that every date format takes. */
const LAST_INSTANT = 253_402_300_799_999

const isText: Test = (value) => typeof value === 'string'
const isName: Test = (value) => typeof value === 'string' && value !== ''
const isFlag: Test = (value) => typeof value === 'boolean'
const isCount: Test = (value) => Number.isSafeInteger(value) && Number(value) >= 0
const isInstant: Test = (value) => isCount(value) && Number(value) <= LAST_INSTANT
const listOf =
  (test: Test): Test =>
  (value) =>
    Array.isArray(value) && value.every(test)
const orNull =
  (test: Test): Test =>
  (value) =>
    value === null || test(value)
const oneOf =
  (...values: readonly unknown[]): Test =>
  (value) =>
    values.includes(value)

/** A mapping with (at least) these tested members. */
const shaped =
  (tests: Readonly<Record<string, Test>>): Test =>
  (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.entries(tests).every(([name, test]) => test(Reflect.get(value, name)))

const isUser = shaped({ organisation: isName, name: isName })

const shared = {
  now: isInstant,
  organisation: isName,
  requester: isUser,
  purpose: isText,
  archetype: isText,
  algorithm: isText,
  datasets: listOf(isName),
  dataProviders: listOf(isName),
  infrastructure: orNull(isName),
  verifier: (value: unknown) => value === undefined || isName(value),
  recipients: listOf(isName)
}

const PROVIDER: Tests<ProviderFacts> = {
  question: oneOf('discover', 'offer', 'accept', 'start', 'send', 'continue', 'release'),
  now: isInstant,
  organisation: isName,
  requester: isUser,
  purpose: isText,
  archetype: isText,
  infrastructure: orNull(isName),
  verifier: (value) => value === undefined || isName(value),
  recipients: listOf(isName),
  dataset: isName,
  datasets: (value) => value === undefined || listOf(isName)(value),
  uses: orNull(listOf(shaped({ table: isName, columns: listOf(isName) }))),
  services: orNull(listOf(isName)),
  algorithm: isText,
  requestsInWindow: (value) =>
    typeof value === 'object' &&
    value !== null &&
    Object.values(value).every(shaped({ count: isCount, freesAt: orNull(isInstant) })),
  sandboxes: orNull(listOf(shaped({ at: isName, sandbox: oneOf('bubblewrap', 'none') }))),
  approvals: (value) =>
    value === undefined ||
    value === null ||
    (typeof value === 'object' &&
      Object.values(value).every(
        shaped({
          state: oneOf('missing', 'pending', 'approved', 'refused', 'expired'),
          reason: orNull(isText)
        })
      )),
  pseudonymsOpenTo: (value) => value === undefined || listOf(isName)(value)
}

const HOST: Tests<HostFacts> = { ...shared, question: oneOf('host', 'accept', 'start', 'continue') }

const RECIPIENT: Tests<RecipientFacts> = {
  ...shared,
  question: oneOf('accept', 'start', 'continue', 'receive'),
  asked: isFlag,
  consents: isFlag
}

const FLOW: Tests<FlowFacts> = {
  question: oneOf('send', 'receive', 'release'),
  now: isInstant,
  self: isName,
  contract: shaped({ id: isName, payload: shaped({ parties: Array.isArray, flows: Array.isArray }) }),
  flow: shaped({ flow: isCount, from: isName, to: isName, step: isCount }),
  rows: orNull(isCount)
}

function firstUnknown<T extends object>(facts: T, tests: Tests<T>): string | null {
  for (const [name, test] of Object.entries<Test>(tests)) {
    if (!test(Reflect.get(facts, name))) return name
  }
  return null
}

/** The stages at which some facts cannot be known yet. */
const EARLY: readonly string[] = ['discover', 'offer']

/** The fact that keeps a question from being answered: undefined, of another type, or null after an offer was made. */
export function unknownProviderFact(facts: ProviderFacts): string | null {
  const unknown = firstUnknown(facts, PROVIDER)
  if (unknown !== null || EARLY.includes(facts.question)) return unknown
  return (['uses', 'services', 'sandboxes'] as const).find((name) => facts[name] === null) ?? null
}

export const unknownHostFact = (facts: HostFacts): string | null => firstUnknown(facts, HOST)
export const unknownRecipientFact = (facts: RecipientFacts): string | null => firstUnknown(facts, RECIPIENT)
export const unknownFlowFact = (facts: FlowFacts): string | null => firstUnknown(facts, FLOW)
